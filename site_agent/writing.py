"""How settings get into a PLC: write once, read back, and say only what was seen (I1, I2, I3).

The procedures here run as jobs of a lane, so nothing else is said to the PLC between the write and its proof.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final

from gateway.crash import point
from gateway.protocol.codes import AckCode, Evidence
from gateway.protocol.lifecycle import State
from gateway.protocol.messages import Deed, Value
from site_agent import clock
from site_agent.checks import last_checks, may_begin, too_late
from site_agent.device import Device, WriteBlock
from site_agent.drivers.port import BUSY, PlcConfused, PlcError, PlcRefused, PlcSilent, PlcUnreachable
from site_agent.lane import Lane
from site_agent.outcome import Outcome, Task, Values, unanswered

#: A PLC that says it is busy (Modbus exception 6) did not act; it is asked again this often.
BUSY_REPEATS: Final = 5
BUSY_PAUSE_S: Final = 0.1
#: Between two looks at a register that follows another one.
FOLLOW_S: Final = 0.1


async def perform(lane: Lane, task: Task) -> Outcome:
    """Carry out a write of settings: last checks, the write, the proof."""
    refusal = await last_checks(lane, task)
    if refusal is not None:
        return refusal
    task.on_accepted()
    sent = False
    for block in task.device.write_blocks(task.input):
        found = await _send(lane, task, block, first=not sent)
        if found is not None:
            return found
        sent = True
    task.trail.mark(Deed.WRITTEN)
    return await _verify(lane, task)


async def prove(
    lane: Lane, device: Device, asked: Mapping[str, Value], formers: Sequence[Values], settled_at_s: float
) -> Outcome:
    """Find out by reading whether a write of unknown fate took effect; the write itself is never repeated.

    Read equal: it did. Still what the PLC held before in two reads, the second at ``settled_at_s`` or later, when the
    PLC can no longer be acting on the request: it did not. Anything else is no evidence, and stays ``unknown``.
    """
    try:
        held = await _read(lane, device, asked)
        if device.differing(asked, held):
            await asyncio.sleep(max(0.0, settled_at_s - clock.elapsed_s()))
            held = await _read(lane, device, asked)
    except PlcError as error:
        return unanswered(str(error))
    differing = device.differing(asked, held)
    if not differing:
        detail = "read equal afterwards"
        return Outcome(
            state=State.APPLIED, code=AckCode.APPLIED, detail=detail, result=held, evidence=Evidence.READ_BACK
        )
    if all(held[name] in [former.get(name) for former in formers if former.get(name) is not None] for name in asked):
        return Outcome(
            state=State.FAILED,
            code=AckCode.NOT_WRITTEN,
            detail="still the former values",
            result=held,
            evidence=Evidence.FORMER_VALUE,
        )
    if len(differing) < len(asked):
        return _differs(differing, held)
    return Outcome(
        state=State.UNKNOWN,
        code=AckCode.NO_EVIDENCE,
        detail="the PLC holds neither the asked nor the former values",
        result=held,
    )


async def _send(lane: Lane, task: Task, block: WriteBlock, *, first: bool) -> Outcome | None:
    """One block of a write; the end, if it ends here."""
    try:
        if not first and await may_begin(lane, task) is not None:
            return await _prove(lane, task)
        point("agent-before-write")
        await _write(lane, task, block)
    except PlcUnreachable as error:
        return _not_begun(error) if first else await _prove(lane, task)
    except PlcRefused as error:
        return await _report_refusal(lane, task, error)
    except (PlcSilent, PlcConfused):
        return await _prove(lane, task)
    point("agent-after-write")
    return None


async def _write(lane: Lane, task: Task, block: WriteBlock) -> None:
    """One request; again only if the PLC said that it had no time and did not act, and never after the deadline."""
    for repeats_left in reversed(range(BUSY_REPEATS + 1)):
        try:
            await lane.write(block.address, block.words, block.space, block.function)
        except PlcRefused as error:
            if error.exception_code != BUSY or not repeats_left:
                raise
            await asyncio.sleep(BUSY_PAUSE_S)
            if too_late(task) is not None:
                raise
        else:
            return


async def _prove(lane: Lane, task: Task) -> Outcome:
    found = await prove(lane, task.device, task.input, [task.former()], clock.elapsed_s() + lane.settle_s)
    if found.state is State.APPLIED:
        task.trail.mark(Deed.VERIFIED)
    return found


async def _verify(lane: Lane, task: Task) -> Outcome:
    try:
        held = await _read(lane, task.device, task.input)
        if task.device.is_proved_elsewhere(task.input):
            held = await _once_followed(lane, task, held)
    except PlcError:
        return await _prove(lane, task)
    task.trail.mark(Deed.VERIFIED)
    point("agent-verified")
    differing = task.device.differing(task.input, held)
    if differing:
        return _differs(differing, held)
    return Outcome(state=State.APPLIED, code=AckCode.APPLIED, result=held, evidence=Evidence.READ_BACK)


async def _once_followed(lane: Lane, task: Task, held: Values) -> Values:
    """Another register shows the value some cycles of the PLC's program after it was written."""
    until_s = clock.elapsed_s() + lane.settle_s
    while task.device.differing(task.input, held) and clock.elapsed_s() < until_s:
        await asyncio.sleep(FOLLOW_S)
        held = await _read(lane, task.device, task.input)
    return held


async def _report_refusal(lane: Lane, task: Task, error: PlcRefused) -> Outcome:
    # An earlier block may have been written, so the answer carries what the PLC holds now.
    try:
        held: Values = await _read(lane, task.device, task.input)
    except PlcError as silence:
        return unanswered(f"{error}; then {silence}")
    return Outcome(
        state=State.FAILED, code=AckCode.PLC_REFUSED, detail=str(error), result=held, evidence=Evidence.REFUSAL
    )


def _not_begun(error: PlcUnreachable) -> Outcome:
    return Outcome(state=State.FAILED, code=AckCode.NOT_WRITTEN, detail=str(error), evidence=Evidence.NOT_BEGUN)


def _differs(differing: tuple[str, ...], held: Values) -> Outcome:
    detail = f"not as asked: {', '.join(differing)}"
    return Outcome(
        state=State.FAILED,
        code=AckCode.READ_BACK_DIFFERS,
        detail=detail,
        result=held,
        evidence=Evidence.READ_BACK,
    )


async def _read(lane: Lane, device: Device, names: Mapping[str, Value]) -> Values:
    return device.decode(await lane.read(device.read_blocks(names)), names)
