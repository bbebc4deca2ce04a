"""What a simulated PLC does with its mailbox: state, command and time in, state out. Pure; the clock is an argument."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from site_agent.mailbox import NO_OPERATION, MailboxCommand, MailboxStatus, Result

FEED: Final = 1
SMALLEST_G, LARGEST_G = 5, 500
FLOW_G_PER_S: Final = 100
#: Seconds of the clock, not of the farm, without a new count of the agent until the safe state.
WATCHDOG_S: Final = 60.0
_UINT32: Final = 0xFFFF_FFFF


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A dose under way; retentive, so that a power cut ends it with true counters."""

    check: int
    asked_g: int
    given_g: int
    before_g: int
    began_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Doser:
    """A feeder's mailbox and what its doses change; ``run`` is there while ``status.busy_seq`` is."""

    status: MailboxStatus
    total_g: int
    hopper_g: int
    run: Run | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """What the PLC has seen of the watchdog's word since power-up; an agent that never counted is not waited for."""

    word: int = 0
    since_s: float = 0.0
    counted: bool = False

    def see(self, word: int, now_s: float) -> Watch:
        """With the word as it is now."""
        if word == self.word:
            return self
        return Watch(word=word, since_s=now_s, counted=True)

    def anew(self, now_s: float) -> Watch:
        """Whoever commands lives: a dose begins with the whole time before it."""
        return replace(self, since_s=now_s)

    def alive(self, now_s: float) -> bool:
        """Whether the agent is not overdue."""
        return not self.counted or now_s - self.since_s <= WATCHDOG_S


def scan(doser: Doser, words: Sequence[int], now_s: float, *, interlocked: bool, alive: bool) -> Doser:
    """One turn: let a dose flow, end it if it is over or nobody watches it, else look for a command in ``words``."""
    if doser.run is None:
        return _look(doser, words, now_s, interlocked=interlocked)
    doser, run = _flow(doser, doser.run, now_s)
    if run.given_g == run.asked_g:
        return _finish(doser, run, Result.DONE)
    if doser.hopper_g <= 0:
        return _finish(doser, run, Result.SHORT)
    return doser if alive else _finish(doser, run, Result.INTERRUPTED)


def power_up(doser: Doser) -> Doser:
    """A dose that was under way when the power went ends with what had been counted."""
    return doser if doser.run is None else _finish(doser, doser.run, Result.INTERRUPTED)


def addressed(status: MailboxStatus, words: Sequence[int]) -> MailboxCommand | None:
    """The command in these words if it may act upon this state; anything else is inert."""
    command = MailboxCommand(
        cmd_seq=words[0] << 16 | words[1],
        last_seq=words[2] << 16 | words[3],
        fence=words[4] << 16 | words[5],
        op=words[6],
        arg_1=words[7],
        arg_2=words[8],
    )
    if command.check != words[9] or status.busy_seq or command.cmd_seq in (0, status.done_seq):
        return None
    return command if command.last_seq == status.done_seq and command.fence >= status.fence else None


def _look(doser: Doser, words: Sequence[int], now_s: float, *, interlocked: bool) -> Doser:
    command = addressed(doser.status, words)
    if command is None:
        return doser
    doser = replace(doser, status=replace(doser.status, busy_seq=command.cmd_seq, fence=command.fence))
    run = Run(check=command.check, asked_g=command.arg_1, given_g=0, before_g=doser.total_g, began_s=now_s)
    if command.op == NO_OPERATION:
        return _finish(doser, run, Result.DONE)
    if command.op != FEED or not SMALLEST_G <= command.arg_1 <= LARGEST_G:
        return _finish(doser, run, Result.BAD_ARGUMENT)
    if interlocked:
        return _finish(doser, run, Result.INTERLOCKED)
    return replace(doser, run=run)


def _flow(doser: Doser, run: Run, now_s: float) -> tuple[Doser, Run]:
    due_g = min(run.asked_g, int(max(0.0, now_s - run.began_s) * FLOW_G_PER_S))
    fresh_g = max(0, min(due_g - run.given_g, doser.hopper_g))
    run = replace(run, given_g=run.given_g + fresh_g)
    total_g = doser.total_g + fresh_g & _UINT32
    return replace(doser, total_g=total_g, hopper_g=doser.hopper_g - fresh_g, run=run), run


def _finish(doser: Doser, run: Run, result: Result) -> Doser:
    """The whole answer in one scan."""
    status = MailboxStatus(
        done_seq=doser.status.busy_seq,
        done_check=run.check,
        result=result,
        counter_before=run.before_g,
        counter_after=doser.total_g,
        busy_seq=0,
        fence=doser.status.fence,
    )
    return replace(doser, status=status, run=None)
