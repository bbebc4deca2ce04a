"""Write one setting, see that the PLC holds it, and put back what was there: the only part here that writes.

What was there is kept as raw words of the place that is written, since a decoded value may have been rounded, and a
verify register may show something else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gateway.protocol.description import check_write
from gateway.protocol.errors import Fault, InvalidInput
from gateway.protocol.messages import Value
from gateway.protocol.topics import WRITE
from site_agent.device import Device, WriteBlock
from site_agent.drivers.port import PlcError
from site_agent.lane import Lane
from site_agent.reading import Block


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What became of it; ``fault`` None if the value was held, and the words that were there are there again."""

    device: str
    name: str
    former: Value | None
    asked: Value
    held: Value | None
    restored: Value | None
    fault: str | None = None


class _Setting:
    """One setting of a device, with the lane that reaches it: every new connection has its marker read first."""

    def __init__(self, device: Device, name: str, lane: Lane) -> None:
        self._device, self._name, self._lane = device, name, lane

    async def value(self) -> Value | None:
        """What it reads, where it is read."""
        names = [self._name]
        return self._device.decode(await self._lane.read(self._device.read_blocks(names)), names)[self._name]

    async def words(self, block: WriteBlock) -> tuple[int, ...]:
        """What lies in the place that is written."""
        cells = await self._lane.read([Block(block.address, len(block.words), block.space)])
        return tuple(cells[block.space, block.address + offset] for offset in range(len(block.words)))

    async def write(self, block: WriteBlock, words: Sequence[int]) -> str | None:
        """Write, and give the PLC the time that it may need; why it may not have come through."""
        try:
            await self._lane.write(block.address, words, block.space, block.function)
        except PlcError as error:
            await asyncio.sleep(self._lane.settle_s)
            return error.detail
        return None

    async def held(self, value: Value) -> Value | None:
        """What it reads once it reads ``value``, or at last."""
        for _ in range(10):
            found = await self.value()
            if not self._device.differing({self._name: value}, {self._name: found}):
                return found
            await asyncio.sleep(self._lane.settle_s / 10)
        return found


async def trial(device: Device, name: str, value: Value, lane: Lane, tell: Callable[[str], None]) -> Trial:
    """Try one setting.

    Raises:
        InvalidInput: the value may not be written, or not now; nothing was sent.
        PlcError: what is there could not be read; nothing was sent.
    """
    _refuse(device, name, value)
    await _refuse_if_interlocked(device, lane)
    setting = _Setting(device, name, lane)
    (block,) = device.write_blocks({name: value})
    former, before = await setting.value(), await setting.words(block)
    tell(f"{device.id}.{name}: {former} now, writing {value}")
    held: Value | None = None
    fault: str | None = "it was interrupted"
    try:
        trouble = await setting.write(block, block.words)
        held = await setting.held(value)
        differs = device.differing({name: value}, {name: held})
        fault = f"asked for {value}, reads {held}{f' ({trouble})' if trouble else ''}" if differs else None
    except PlcError as error:
        fault = f"written, but it could not be read: {error.detail}"
    finally:
        tell(f"{device.id}.{name}: reads {held}, putting back what was there")
        restored, broken = await _restore(setting, block, before)
    if broken is not None:
        fault = f"THE FORMER VALUE {former} IS NOT BACK: {broken}"
    return Trial(device=device.id, name=name, former=former, asked=value, held=held, restored=restored, fault=fault)


def _refuse(device: Device, name: str, value: Value) -> None:
    faults = list(check_write(device.description, {name: value}))
    if not faults:
        try:
            device.check_encodable(WRITE, {name: value})
        except ValueError as error:
            faults.append(Fault(f"/{name}", "not-encodable", str(error)))
    if faults:
        raise InvalidInput(faults)


async def _refuse_if_interlocked(device: Device, lane: Lane) -> None:
    interlocks = device.interlocks_for(WRITE)
    names = {each.property for each in interlocks}
    live = device.decode(await lane.read(device.read_blocks(names)), names) if names else {}
    held = [each for each in interlocks if each.holds(live[each.property])]
    if held:
        faults = [Fault("", "interlocked", f"{each.title or each.name}: {live[each.property]}") for each in held]
        raise InvalidInput(faults)


async def _restore(setting: _Setting, block: WriteBlock, before: tuple[int, ...]) -> tuple[Value | None, str | None]:
    """Put the very words back; what it reads then, and what is wrong with the words."""
    trouble = await setting.write(block, before)
    try:
        words, value = await setting.words(block), await setting.value()
    except PlcError as error:
        return None, f"it could not be read: {error.detail}"
    if words != before:
        return value, f"there should be {_hex(before)}, and is {_hex(words)}" + (f" ({trouble})" if trouble else "")
    return value, None


def _hex(words: Sequence[int]) -> str:
    return " ".join(f"{word:04x}" for word in words)
