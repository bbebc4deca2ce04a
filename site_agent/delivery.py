"""Delivery of an action to a PLC's mailbox: exactly once, and the end is always found out (I1, I3).

One :class:`Delivery` per mailbox. The attempt (sequence numbers, counter) is durable before the first write, so that
after any death the PLC's own answer decides. Because the PLC compares ``last_seq`` with its ``done_seq``, writing the
same command again is harmless, and writing the command that does nothing makes an older one void for ever.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from gateway.crash import point
from gateway.protocol.codes import AckCode, Evidence
from gateway.protocol.lifecycle import State
from gateway.protocol.messages import Deed
from site_agent import clock
from site_agent.checks import last_checks, may_begin, too_late
from site_agent.device import Device
from site_agent.dosage import Dosage, counted, shortened
from site_agent.drivers.port import BUSY, PlcConfused, PlcError, PlcRefused, PlcSilent, PlcUnreachable
from site_agent.journal import Attempt
from site_agent.lane import Lane
from site_agent.mailbox import (
    NO_OPERATION,
    STATUS_OFFSET,
    STATUS_SIZE,
    WATCHDOG_OFFSET,
    MailboxCommand,
    MailboxStatus,
    Result,
)
from site_agent.outcome import Outcome, Task, refused, unanswered
from site_agent.reading import Block
from site_agent.registers import Space

#: Between two looks at a PLC that is busy with a dose.
LOOK_EVERY_S: Final = 0.1
#: How often, and for how long each time, a PLC's program is waited for that has not yet seen what was written.
SCANS: Final = 10
SCAN_S: Final = 0.05
_SEQ_LIMIT: Final = 2**32
_REFUSALS: Final[dict[int, str]] = {
    Result.INTERLOCKED: "an interlock of its own",
    Result.BAD_ARGUMENT: "no such operation, or an argument out of range",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """A command that was (perhaps) put into the mailbox and whose end is not known."""

    id: str
    action: str
    attempt: Attempt
    command: MailboxCommand

    @classmethod
    def from_attempt(cls, id: str, action: str, attempt: Attempt) -> Open:
        """As the journal remembers it."""
        words = (attempt.cmd_seq, attempt.last_seq, attempt.fence, attempt.op, attempt.arg_1, attempt.arg_2)
        cmd_seq, last_seq, fence, op, arg_1, arg_2 = (each or 0 for each in words)
        command = MailboxCommand(cmd_seq=cmd_seq, last_seq=last_seq, fence=fence, op=op, arg_1=arg_1, arg_2=arg_2)
        return cls(id=id, action=action, attempt=attempt, command=command)


class Busy(Exception):  # not an error: the caller waits and comes again
    """The PLC is at work on another command."""


class Delivery:
    """The one way into one device's mailbox; its jobs run in the PLC's lane, one command at a time under ``turn``."""

    def __init__(
        self,
        device: Device,
        *,
        fence: Callable[[], int],
        dosage: Dosage,
        on_resolved: Callable[[str, Outcome], Awaitable[None]],
    ) -> None:
        assert device.mailbox is not None  # noqa: S101 # made only for devices that have one
        self._device = device
        self._base = device.mailbox.register_
        #: The PLC may take our watchdog word for unused until it has changed once, so that comes before any dose (I16).
        self._watched = device.mailbox.watchdog_s > 0
        #: The connection over which the watchdog's word was last counted from here.
        self._counted_on = 0
        self._fence = fence
        self._dosage = dosage
        self._on_resolved = on_resolved
        #: At most one command is open, except after a restart in the middle of another one's recovery.
        self._open: dict[str, Open] = {}
        self.turn = asyncio.Lock()

    def reopen(self, left: Open) -> None:
        """Take over what a former run left open."""
        self._open[left.id] = left

    async def deliver(self, lane: Lane, task: Task) -> Outcome | None:
        """A lane's job: last checks, the attempt on disk, the write; None while the PLC is at work on it.

        Raises:
            Busy: the PLC is at work on another command; nothing was done for this one.
        """
        refusal = too_late(task)
        if refusal is not None:
            return refusal
        try:
            status = await self._prepared(lane)
        except PlcError as error:
            return refused(AckCode.PLC_LOST, f"{error}; the command was not sent")
        if status is None:
            return refused(AckCode.FENCED, "the PLC's mailbox obeys an agent with a higher epoch")
        refusal = await last_checks(lane, task)
        if refusal is not None:
            return refusal
        attempt = self._attempt(task, status)
        refusal = await self._dosage.admit(task, attempt) or await may_begin(lane, task)
        if refusal is not None:
            return refusal
        opened = Open.from_attempt(task.id, task.name, attempt)
        self._open[task.id] = opened
        task.on_accepted()
        outcome = await self._send(lane, opened, task)
        if outcome is not None and outcome.code is not AckCode.PLC_SILENT:
            del self._open[task.id]
        return outcome

    async def look(self, lane: Lane, id: str) -> Outcome | None:
        """A lane's job: what became of the open command ``id``; None while the PLC is at work on it.

        A command that the PLC has not taken by now is made void first, so the answer is always the last word.
        """
        opened = self._open.get(id)
        if opened is None:
            return None
        try:
            found = await self._settled(lane, opened)
        except PlcError as error:
            return unanswered(str(error))
        if found is not None:
            self._open.pop(id, None)
        return found

    def is_open(self, id: str) -> bool:
        """Whether the end of ``id`` is still to be found out."""
        return id in self._open

    async def greet(self, lane: Lane) -> None:
        """A lane's job: let the PLC know our epoch before anybody's command comes; raises PlcError, Busy."""
        await self._prepared(lane)

    # The mailbox before a command.

    async def _prepared(self, lane: Lane) -> MailboxStatus | None:
        """The mailbox idle, with nothing open and our fence in force; None if a higher fence is."""
        for opened in tuple(self._open.values()):
            found = await self._settled(lane, opened)
            if found is None:
                raise Busy
            self._open.pop(opened.id, None)
            await self._on_resolved(opened.id, found)
        status = await self._read(lane)
        if status.fence > self._fence():
            return None
        if status.busy_seq:
            raise Busy
        if self._watched and self._counted_on != lane.connections:
            await lane.write(self._base + WATCHDOG_OFFSET, (1,))
            self._counted_on = lane.connections
        if status.done_seq == 0 or status.fence < self._fence():
            # From now on a PLC that has lost its memory shows, and an agent of the past is turned away.
            status = await self._void(lane, _nothing(status.done_seq, status.done_seq, self._fence()))
            if status.done_seq == 0 or status.fence < self._fence():
                raise PlcConfused("the mailbox does not answer to the command that does nothing")
        return status

    def _attempt(self, task: Task, status: MailboxStatus) -> Attempt:
        table = task.device.actions[task.name]
        slots = {each.slot: int(task.input[name]) for name, each in table.input.items()}
        return Attempt(
            cmd_seq=_following(status.done_seq),
            last_seq=status.done_seq,
            fence=self._fence(),
            op=table.op,
            arg_1=slots.get(1, 0),
            arg_2=slots.get(2, 0),
            counter_before=status.counter_after,
            amount=float(task.input[table.argument]) if table.argument else 0.0,
            stamp=clock.stamp(),
        )

    # The write, again and again while time is left: only the first one that arrives acts.

    async def _send(self, lane: Lane, opened: Open, task: Task) -> Outcome | None:
        doubtful = False
        while True:
            try:
                doubtful = await self._put(lane, opened, task) or doubtful
            except PlcRefused as error:
                if not doubtful and error.exception_code != BUSY:
                    return _refused_by_plc(error)
            try:
                status = await self._read(lane)
                found = self._judge(status, opened)
                if found is None and status.busy_seq != opened.command.cmd_seq and too_late(task) is not None:
                    found = await self._settled(lane, opened)
                    return self._verified(found, task)
                if found is not None or status.busy_seq == opened.command.cmd_seq:
                    return self._verified(found, task)
            except PlcError as error:
                if too_late(task) is not None:
                    return unanswered(str(error))
            await asyncio.sleep(LOOK_EVERY_S)

    async def _put(self, lane: Lane, opened: Open, task: Task) -> bool:
        """Write it unless it is too late; whether the PLC may have it now. Raises PlcRefused."""
        try:
            await lane.ready()
            if too_late(task) is not None:
                return False
            point("agent-before-write")
            await self._write(lane, opened.command)
            point("agent-after-write")
        except PlcUnreachable:
            return False
        except (PlcSilent, PlcConfused):
            pass  # the answer, read next, tells whether it came through
        return True  # even if it is confirmed, the PLC's program may come to it only later

    def _verified(self, found: Outcome | None, task: Task) -> Outcome | None:
        """Its end, or None while the PLC is at work on it; in both cases it came through, unless it never will."""
        if found is None or found.state in (State.APPLIED, State.PARTIAL):
            task.trail.mark(Deed.WRITTEN)
        if found is not None and found.evidence is Evidence.MAILBOX:
            task.trail.mark(Deed.VERIFIED)
            point("agent-verified")
        return found

    # The end of a command.

    async def _settled(self, lane: Lane, opened: Open) -> Outcome | None:
        """Its end; None while the PLC is at work on it. What was not taken by now never will be."""
        status = await self._read(lane)
        found = self._judge(status, opened)
        if found is not None or status.busy_seq == opened.command.cmd_seq:
            return found
        if status.fence > opened.command.fence:
            return _never("it obeys a higher epoch now")
        # Before our first connection we have no epoch yet; that of the command is good enough to make it void.
        fence = max(self._fence(), opened.command.fence)
        status = await self._void(lane, _nothing(opened.command.cmd_seq, status.done_seq, fence))
        found = self._judge(status, opened)
        if found is None and status.busy_seq != opened.command.cmd_seq:
            raise PlcConfused("the mailbox does not answer to the command that does nothing")
        return found

    def _judge(self, status: MailboxStatus, opened: Open) -> Outcome | None:
        """The end that the PLC's answer proves; None if it proves none (yet)."""
        command = opened.command
        if status.done_seq == command.cmd_seq:
            if status.done_check == command.check:
                return _end(self._device, opened, status)
            return _never("another command took its place")
        if status.done_seq == command.last_seq:
            return None
        # The PLC's fence is that of the last command it took, so the check of our "nothing" can be told again.
        void = _nothing(command.cmd_seq, command.last_seq, status.fence)
        if (status.done_seq, status.done_check) == (void.cmd_seq, void.check):
            return _never("it was made void")
        lost = "the PLC has lost its memory" if status.done_seq == 0 else "the PLC has served another master since"
        result = counted(self._device, opened.action, opened.attempt, status.counter_after)
        return Outcome(state=State.UNKNOWN, code=AckCode.NO_EVIDENCE, detail=lost, result=result)

    async def _void(self, lane: Lane, nothing: MailboxCommand) -> MailboxStatus:
        """Put in the command that does nothing, and give the PLC's program the time of some scans to see it."""
        await self._write(lane, nothing)
        status = await self._read(lane)
        for _ in range(SCANS):
            if status.done_seq != nothing.last_seq or status.busy_seq:
                break
            await asyncio.sleep(SCAN_S)
            status = await self._read(lane)
        return status

    async def _read(self, lane: Lane) -> MailboxStatus:
        base = self._base + STATUS_OFFSET
        words = await lane.read([Block(base, STATUS_SIZE)])
        return MailboxStatus.from_words([words[Space.HOLDING, base + offset] for offset in range(STATUS_SIZE)])

    async def _write(self, lane: Lane, command: MailboxCommand) -> None:
        await lane.write(self._base, command.words())


def _following(seq: int) -> int:
    return (seq + 1) % _SEQ_LIMIT or 1


def _nothing(after: int, last_seq: int, fence: int) -> MailboxCommand:
    return MailboxCommand(cmd_seq=_following(after), last_seq=last_seq, fence=fence, op=NO_OPERATION)


def _end(device: Device, opened: Open, status: MailboxStatus) -> Outcome:
    result = counted(device, opened.action, opened.attempt, status.counter_after, status.counter_before)
    if status.result == Result.DONE:
        return Outcome(state=State.APPLIED, code=AckCode.APPLIED, result=result, evidence=Evidence.MAILBOX)
    if status.result in (Result.SHORT, Result.INTERRUPTED):
        return Outcome(
            state=State.PARTIAL,
            code=AckCode.DOSE_SHORT,
            detail=shortened(result, Result(status.result)),
            result=result,
            evidence=Evidence.MAILBOX,
        )
    detail = f"the PLC ended it with result {status.result}"
    if status.result not in _REFUSALS:  # a word that we do not know proves nothing
        return Outcome(state=State.UNKNOWN, code=AckCode.NO_EVIDENCE, detail=detail, result=result)
    detail = f"{detail} ({_REFUSALS[status.result]})"
    return Outcome(
        state=State.FAILED, code=AckCode.PLC_REFUSED, detail=detail, result=result, evidence=Evidence.MAILBOX
    )


def _never(why: str) -> Outcome:
    detail = f"the PLC did not take it while it was valid, and never will: {why}"
    return Outcome(state=State.FAILED, code=AckCode.NOT_WRITTEN, detail=detail, evidence=Evidence.MAILBOX)


def _refused_by_plc(error: PlcRefused) -> Outcome:
    return Outcome(state=State.FAILED, code=AckCode.PLC_REFUSED, detail=str(error), evidence=Evidence.REFUSAL)
