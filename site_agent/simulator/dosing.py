"""What a simulated PLC does with its mailbox: state, command and time in, state out. Pure; the clock is an argument."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from site_agent.mailbox import NO_OPERATION, MailboxCommand, MailboxStatus, Result
from site_agent.simulator.auger import NO_ALARM, SOUND, Alarm, Auger, Portion, latched, turn, verdict

FEED: Final = 1
SMALLEST_G, LARGEST_G = 5, 500
#: Of a feeder of which nothing else is said.
FLOW_G_PER_S: Final = SOUND.dose_g_per_s
#: Seconds of the clock, not of the farm, without a new count of the agent until the safe state.
WATCHDOG_S: Final = 60.0
_UINT32: Final = 0xFFFF_FFFF


@dataclass(frozen=True, slots=True, kw_only=True)
class Run(Portion):
    """A dose under way; retentive, so that a power cut ends it with true counters."""

    check: int
    before_g: int
    began_s: float
    #: Up to when it has flowed; a clock that is set back moves no auger.
    seen_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Doser:
    """A feeder's mailbox and what its doses change; ``run`` is there while ``status.busy_seq`` is.

    ``hopper_g`` is what the hopper really holds.
    """

    status: MailboxStatus
    total_g: int
    hopper_g: int
    run: Run | None = None
    alarms: Alarm = NO_ALARM


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


def scan(
    doser: Doser, words: Sequence[int], now_s: float, *, interlocked: bool, alive: bool, auger: Auger = SOUND
) -> Doser:
    """One turn: let a dose flow, end it if it is over or nobody watches it, else look for a command in ``words``."""
    if doser.run is None:
        return _look(doser, words, now_s, interlocked=interlocked, auger=auger)
    doser, run = _flow(doser, doser.run, now_s, auger)
    left = verdict(run, auger, auger.dose_g_per_s, doser.hopper_g)
    if left is not None:
        return _finish(replace(doser, alarms=latched(doser.alarms, left)), run, Result.SHORT if left else Result.DONE)
    return doser if alive else _interrupt(doser, run)


def power_up(doser: Doser) -> Doser:
    """A dose that was under way when the power went ends with what had been counted."""
    return doser if doser.run is None else _interrupt(doser, doser.run)


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


def _look(doser: Doser, words: Sequence[int], now_s: float, *, interlocked: bool, auger: Auger) -> Doser:
    command = addressed(doser.status, words)
    if command is None:
        return doser
    doser = replace(doser, status=replace(doser.status, busy_seq=command.cmd_seq, fence=command.fence))
    run = Run(
        check=command.check,
        asked_g=command.arg_1,
        share=auger.share(now_s),
        before_g=doser.total_g,
        began_s=now_s,
        seen_s=now_s,
    )
    if command.op == NO_OPERATION:
        return _finish(doser, run, Result.DONE)
    if command.op != FEED or not SMALLEST_G <= command.arg_1 <= LARGEST_G:
        return _finish(doser, run, Result.BAD_ARGUMENT)
    if interlocked:
        return _finish(doser, run, Result.INTERLOCKED)
    return replace(doser, run=run)


def _flow(doser: Doser, run: Run, now_s: float, auger: Auger) -> tuple[Doser, Run]:
    after = turn(run, auger, auger.dose_g_per_s, max(0.0, now_s - run.seen_s), doser.hopper_g)
    after = replace(after, seen_s=max(now_s, run.seen_s))
    total_g = doser.total_g + after.given_g - run.given_g & _UINT32
    return replace(doser, total_g=total_g, hopper_g=doser.hopper_g - after.fell_g + run.fell_g, run=after), after


def _interrupt(doser: Doser, run: Run) -> Doser:
    return _finish(replace(doser, alarms=latched(doser.alarms, Alarm.DOSE_SHORT)), run, Result.INTERRUPTED)


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
