"""Actions of PLCs without a mailbox: sent once, and what cannot be known is called unknown (I1, I3).

The PLC's confirmation proves that the frame came, not that anything moved. Where the profile names a counter, that is
the evidence; without one the best that can be said is ``unknown``.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import partial
from typing import Final

from gateway.crash import point
from gateway.protocol.codes import AckCode, Evidence
from gateway.protocol.lifecycle import State
from gateway.protocol.messages import Deed
from site_agent import clock
from site_agent.checks import last_checks, may_begin, too_late
from site_agent.device import WriteBlock
from site_agent.dosage import COUNTER_SPAN, Dosage, counted, risen
from site_agent.drivers.port import PlcConfused, PlcError, PlcRefused, PlcSilent, PlcUnreachable
from site_agent.journal import Attempt
from site_agent.lane import Lane, LaneFull
from site_agent.outcome import Outcome, Task, Values, refused

#: Between two looks at the counter.
LOOK_EVERY_S: Final = 0.1


async def send_once(lane: Lane, task: Task, dosage: Dosage) -> tuple[Attempt | None, Outcome | None]:
    """A lane's job: last checks, the attempt on disk, the write; without an outcome it was sent and confirmed."""
    refusal = await last_checks(lane, task)
    if refusal is not None:
        return None, refusal
    try:
        before = await _counter(lane, task)
    except PlcError as error:
        return None, refused(AckCode.PLC_LOST, f"{error}; the command was not sent")
    attempt = _attempt(task, before)
    refusal = too_late(task) or await dosage.admit(task, attempt) or await may_begin(lane, task)
    if refusal is not None:
        return attempt, refusal
    task.on_accepted()
    return attempt, await _write(lane, task)


async def count(lane: Lane, task: Task, attempt: Attempt) -> Outcome | None:
    """A lane's job after a confirmed write: the end, if the counter proves one by now."""
    if attempt.counter_before is None:
        return unconfirmed("the PLC took it, and has nothing that confirms it", {})
    try:
        after = await _counter(lane, task) or 0
    except PlcError:
        return None
    span = _span(task)
    given = risen(attempt.counter_before, after, span)
    if given is None or given < max(attempt.amount, 1):
        return None
    result = counted(task.device, task.name, attempt, after, span=span)
    task.trail.mark(Deed.VERIFIED)
    return Outcome(state=State.APPLIED, code=AckCode.APPLIED, result=result, evidence=Evidence.COUNTER)


async def counted_short(lane: Lane, task: Task, attempt: Attempt) -> Outcome:
    """A lane's job when the time for the action is over: as much as the counter says."""
    try:
        after = await _counter(lane, task) or 0
    except PlcError as error:
        return unconfirmed(str(error), {})
    before, span = attempt.counter_before or 0, _span(task)
    result = counted(task.device, task.name, attempt, after, span=span)
    given = risen(before, after, span)
    if not given:
        return unconfirmed(f"the PLC took it, but its counter has {'fallen' if given is None else 'not moved'}", result)
    detail = "the counter has risen by less than was asked"
    return Outcome(
        state=State.PARTIAL, code=AckCode.DOSE_SHORT, detail=detail, result=result, evidence=Evidence.COUNTER
    )


def unconfirmed(detail: str, result: Values) -> Outcome:
    """Nobody can know; it is never sent again."""
    return Outcome(state=State.UNKNOWN, code=AckCode.NO_CONFIRMATION, detail=detail, result=result)


async def follow(lane: Lane, task: Task, attempt: Attempt) -> Outcome:
    """Look at the counter until it proves the action done, or the time for it is over."""
    until_s = clock.elapsed_s() + task.device.actions[task.name].longest_s
    while True:
        look = count if clock.elapsed_s() < until_s else counted_short
        with suppress(LaneFull):  # it has begun, so that is no reason to refuse it
            found = await lane.write_job(partial(look, task=task, attempt=attempt))
            if found is not None:
                return found
        await asyncio.sleep(LOOK_EVERY_S)


async def _write(lane: Lane, task: Task) -> Outcome | None:
    blocks: tuple[WriteBlock, ...] = task.device.once_writes(task.name, task.input)
    triggered = task.device.actions[task.name].trigger is not None
    for number, block in enumerate(blocks):
        # With a trigger the last request begins it; without one any may have.
        harmless, last = triggered or not number, number == len(blocks) - 1
        late = await may_begin(lane, task) if number else None
        if late is not None:
            return _not_begun(late.detail) if harmless else unconfirmed(f"{late.detail}; part of it was written", {})
        point("agent-before-write")
        try:
            await lane.write(block.address, block.words, block.space, block.function)
        except (PlcUnreachable, PlcRefused) as error:
            if not harmless:
                return unconfirmed(f"{error}, after part of it was written", {})
            if isinstance(error, PlcUnreachable):
                return _not_begun(str(error))
            return Outcome(state=State.FAILED, code=AckCode.PLC_REFUSED, detail=str(error), evidence=Evidence.REFUSAL)
        except (PlcSilent, PlcConfused) as error:
            return _not_begun(str(error)) if triggered and not last else unconfirmed(str(error), {})
        point("agent-after-write")
    task.trail.mark(Deed.WRITTEN)
    return None


def _not_begun(detail: str) -> Outcome:
    return Outcome(state=State.FAILED, code=AckCode.NOT_WRITTEN, detail=detail, evidence=Evidence.NOT_BEGUN)


def _span(task: Task) -> int:
    """Where the counter wraps."""
    name = task.device.actions[task.name].counter
    return COUNTER_SPAN if name is None else 0x1_0000 ** sum(each.count for each in task.device.read_blocks([name]))


async def _counter(lane: Lane, task: Task) -> int | None:
    name = task.device.actions[task.name].counter
    if name is None:
        return None
    value = task.device.decode(await lane.read(task.device.read_blocks([name])), [name])[name]
    if not isinstance(value, int) or isinstance(value, bool):
        raise PlcConfused(f"the counter {name} does not read as a whole number")
    return value


def _attempt(task: Task, before: int | None) -> Attempt:
    table = task.device.actions[task.name]
    amount = task.input[table.argument] if table.argument else 0
    return Attempt(
        cmd_seq=None,
        last_seq=None,
        fence=None,
        op=None,
        arg_1=None,
        arg_2=None,
        counter_before=before,
        amount=float(amount),
        stamp=clock.stamp(),
    )
