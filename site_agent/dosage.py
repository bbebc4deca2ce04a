"""What is asked of a device's actions and what was counted: limits before the dose, the true amount after it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from gateway.protocol.allowance import counted_of
from gateway.protocol.codes import AckCode
from gateway.protocol.description import Limit
from gateway.protocol.errors import Unavailable
from gateway.protocol.messages import Ack, Value
from site_agent.device import Device
from site_agent.journal import Attempt, Entry, Journal
from site_agent.limits import Doses
from site_agent.mailbox import Result
from site_agent.outcome import Outcome, Task, Values, refused

#: Where a mailbox's counters wrap.
COUNTER_SPAN: Final = 2**32

#: What a breach means, with the numbers that matter.
_WORDS: Final = {
    Limit.LARGEST: "{0.allowed:g} is the largest dose",
    Limit.LEAST_GAP_S: "{0.allowed:g} s must lie between two doses, and it is {0.live:g} s since the last",
    Limit.MOST_PER_DAY: "{0.allowed:g} is the most in 24 hours, and it is {0.live:g} already",
}


class Dosage:
    """The doses of the last day, on disk and in memory."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._doses = Doses()

    def recall(self, entries: Iterable[Entry]) -> None:
        """Take over what the journal remembers of the last day."""
        for entry in entries:
            if entry.attempt is not None:
                intent, attempt = entry.intent, entry.attempt
                self._doses.note(intent.device, intent.name, entry.id, attempt.amount, attempt.stamp)
                if entry.outcome is not None:
                    self.learn(entry.outcome)

    async def admit(self, task: Task, attempt: Attempt) -> Outcome | None:
        """Make the attempt durable, unless a limit or a full disk forbids it: then the refusal."""
        device, table = task.device, task.device.actions[task.name]
        breach = self._doses.check(device.id, task.name, table.limits.by_name(), attempt.amount, attempt.stamp)
        if breach is not None:
            result: Values = {
                "limit": breach.limit.value,
                "allowed": breach.allowed,
                "live": round(breach.live, 3),
                "asked": breach.asked,
            }
            detail = f"{task.name} breaks the limit {breach.limit}: {_WORDS[breach.limit].format(breach)}"
            return refused(AckCode.LIMIT_EXCEEDED, detail, result)
        try:
            await self._journal.attempt(task.id, attempt)
        except Unavailable as error:
            return refused(AckCode.JOURNAL_UNAVAILABLE, str(error))
        self._doses.note(device.id, task.name, task.id, attempt.amount, attempt.stamp)
        return None

    def learn(self, outcome: Ack) -> None:
        """Correct what a command counted for, once its end is known; what is unknown counts in full."""
        amount = counted_of(outcome.state, outcome.result)
        if amount is not None:
            self._doses.correct(outcome.id, amount)


def counted(
    device: Device, action: str, attempt: Attempt, after: int, before: int | None = None, span: int = COUNTER_SPAN
) -> Values:
    """The result of a dose: what was asked, and what the PLC's counter says, before and after."""
    table, mailbox = device.actions[action], device.mailbox
    before = attempt.counter_before if before is None else before
    unit = "" if mailbox is None or not mailbox.counter_unit else f"_{mailbox.counter_unit}"
    result: dict[str, Value | None] = {f"counter_before{unit}": before, f"counter_after{unit}": after}
    if table.argument is None or before is None:
        return result
    given = risen(before, after, span)
    if given is None:
        return result
    return {f"{table.argument}_asked": _tidy(attempt.amount), f"{table.argument}_counted": given, **result}


def risen(before: int, after: int, span: int) -> int | None:
    """How far a counter that wraps at ``span`` has come; None if it has fallen: a PLC that lost its memory."""
    given = (after - before) % span
    return given if given < span // 2 else None


def _tidy(amount: float) -> int | float:
    return int(amount) if amount == int(amount) else amount


def shortened(result: Values, how: Result) -> str:
    """A sentence about a dose that was counted short."""
    why = "power or the watchdog ended it early" if how is Result.INTERRUPTED else "the device gave no more"
    numbers = [f"{name.rsplit('_', 1)[1]} {value:g}" for name, value in result.items() if _is_number(name, value)]
    return f"{why}: {', '.join(numbers)}" if numbers else why


def _is_number(name: str, value: object) -> bool:
    return name.endswith(("_asked", "_counted")) and isinstance(value, int | float)
