"""How settings get into a PLC: write once, read back, and say only what was seen (I1, I2, I3).

The procedures here run as jobs of a lane, so nothing else is said to the PLC between the write and its proof.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from gateway.protocol.codes import AckCode
from gateway.protocol.lifecycle import State
from gateway.protocol.messages import Value
from site_agent import clock
from site_agent.device import Device
from site_agent.drivers.port import PlcConfused, PlcError, PlcRefused, PlcSilent, PlcUnreachable
from site_agent.lane import Lane

Values = Mapping[str, Value | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a command ended, or that nobody knows yet."""

    state: State
    code: AckCode
    detail: str = ""
    result: Values = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """Settings to write to one device."""

    device: Device
    values: Mapping[str, Value]
    expect_revision: str | None
    #: What the PLC held just before the write, asked once ``on_accepted`` was called; empty where that is not known.
    former: Callable[[], Values]
    #: Seconds left until the deadline, asked anew at each call.
    remaining_s: Callable[[], float]
    #: Called when every refusal is behind and the write begins.
    on_accepted: Callable[[], None]


async def perform(lane: Lane, write: Write) -> Outcome:
    """Carry out a write: last checks, the write, the proof."""
    refusal = await _last_checks(lane, write)
    if refusal is not None:
        return refusal
    write.on_accepted()
    sent = False
    for block in write.device.write_blocks(write.values):
        try:
            await lane.write(block.address, block.words)
        except PlcUnreachable as error:
            if not sent:
                return Outcome(state=State.FAILED, code=AckCode.NOT_WRITTEN, detail=str(error))
            return await prove(lane, write.device, write.values, write.former(), clock.elapsed_s() + lane.settle_s)
        except PlcRefused as error:
            return await _report_refusal(lane, write, error)
        except (PlcSilent, PlcConfused):
            return await prove(lane, write.device, write.values, write.former(), clock.elapsed_s() + lane.settle_s)
        sent = True
    return await _verify(lane, write)


async def prove(lane: Lane, device: Device, asked: Mapping[str, Value], former: Values, settled_at_s: float) -> Outcome:
    """Find out by reading whether a write of unknown fate took effect; the write itself is never repeated.

    Read equal: it did. Still the former values in two reads, the second at ``settled_at_s`` or later, when the PLC can
    no longer be acting on the request: it did not. Anything else is no evidence either way, and stays ``unknown``.
    """
    try:
        held = await _read(lane, device, asked)
        if device.differing(asked, held):
            await asyncio.sleep(max(0.0, settled_at_s - clock.elapsed_s()))
            held = await _read(lane, device, asked)
    except PlcError as error:
        return Outcome(state=State.UNKNOWN, code=AckCode.PLC_SILENT, detail=str(error))
    differing = device.differing(asked, held)
    if not differing:
        return Outcome(state=State.APPLIED, code=AckCode.APPLIED, detail="read equal afterwards", result=held)
    if all(former.get(name) is not None and held[name] == former[name] for name in asked):
        return Outcome(state=State.FAILED, code=AckCode.NOT_WRITTEN, detail="still the former values", result=held)
    if len(differing) < len(asked):
        detail = f"not as asked: {', '.join(differing)}"
        return Outcome(state=State.FAILED, code=AckCode.READ_BACK_DIFFERS, detail=detail, result=held)
    return Outcome(
        state=State.UNKNOWN,
        code=AckCode.NO_EVIDENCE,
        detail="the PLC holds neither the asked nor the former values",
        result=held,
    )


async def _last_checks(lane: Lane, write: Write) -> Outcome | None:
    if write.expect_revision is not None:
        try:
            held = await _read(lane, write.device, write.device.settings)
        except PlcError as error:
            return Outcome(state=State.REJECTED, code=AckCode.PLC_LOST, detail=str(error))
        revision = write.device.revision(held)
        if revision != write.expect_revision:
            detail = f"the settings' revision is {revision}, not {write.expect_revision}"
            return Outcome(state=State.REJECTED, code=AckCode.EXPECT_FAILED, detail=detail, result=held)
    else:
        try:
            await lane.ready()
        except PlcUnreachable as error:
            return Outcome(state=State.REJECTED, code=AckCode.PLC_LOST, detail=str(error))
    late_s = -write.remaining_s()
    if late_s >= 0:
        detail = f"{late_s:.1f} s too late when the PLC was free"
        return Outcome(state=State.EXPIRED, code=AckCode.DEADLINE_PASSED, detail=detail)
    return None


async def _verify(lane: Lane, write: Write) -> Outcome:
    try:
        held = await _read(lane, write.device, write.values)
    except PlcError:
        return await prove(lane, write.device, write.values, write.former(), clock.elapsed_s() + lane.settle_s)
    differing = write.device.differing(write.values, held)
    if differing:
        detail = f"not as asked: {', '.join(differing)}"
        return Outcome(state=State.FAILED, code=AckCode.READ_BACK_DIFFERS, detail=detail, result=held)
    return Outcome(state=State.APPLIED, code=AckCode.APPLIED, result=held)


async def _report_refusal(lane: Lane, write: Write, error: PlcRefused) -> Outcome:
    # An earlier block may have been written, so the answer carries what the PLC holds now.
    try:
        held: Values = await _read(lane, write.device, write.values)
    except PlcError as silence:
        return Outcome(state=State.UNKNOWN, code=AckCode.PLC_SILENT, detail=f"{error}; then {silence}")
    return Outcome(state=State.FAILED, code=AckCode.PLC_REFUSED, detail=str(error), result=held)


async def _read(lane: Lane, device: Device, names: Mapping[str, Value] | frozenset[str]) -> Values:
    return device.decode(await lane.read(device.read_blocks(names)), names)
