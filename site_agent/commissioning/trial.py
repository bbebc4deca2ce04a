"""Write one setting, see that the PLC holds it, and put the former value back. The only part of this that writes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gateway.protocol.description import check_write
from gateway.protocol.errors import Fault, InvalidInput
from gateway.protocol.messages import Value
from site_agent.device import Device, Words
from site_agent.drivers.port import Driver, PlcError
from site_agent.registers import Space


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What became of it; ``fault`` None if the value was held, and the former one is there again."""

    device: str
    name: str
    former: Value | None
    asked: Value
    held: Value | None
    restored: Value | None
    fault: str | None = None


async def trial(device: Device, name: str, value: Value, driver: Driver, tell: Callable[[str], None]) -> Trial:
    """Try one setting on an open driver.

    Raises:
        InvalidInput: the value may not be written; nothing was sent.
        PlcError: the former value could not be read; nothing was sent.
    """
    faults = check_write(device.description, {name: value})
    if faults:
        raise InvalidInput(faults)
    former = await _read(device, name, driver)
    if former is None:
        raise InvalidInput(
            [Fault(f"/{name}", "unreadable", "what it holds now means nothing, so it could not be put back")]
        )
    tell(f"{device.id}.{name}: {former} now, writing {value}")
    held, fault = await _written(device, name, value, driver)
    tell(f"{device.id}.{name}: reads {held}, putting {former} back")
    restored, broken = await _written(device, name, former, driver)
    if broken is not None:
        fault = f"THE FORMER VALUE {former} IS NOT BACK: {broken}"
    return Trial(device=device.id, name=name, former=former, asked=value, held=held, restored=restored, fault=fault)


async def _written(device: Device, name: str, value: Value, driver: Driver) -> tuple[Value | None, str | None]:
    """Write, then read on a connection that can be trusted; what is held, and what is wrong with that."""
    trouble: str | None = None
    try:
        for block in device.write_blocks({name: value}):
            await driver.write(block.address, block.words, block.space, block.function)
    except PlcError as error:
        trouble = error.detail
    try:
        await driver.open()
        held = await _read(device, name, driver)
    except PlcError as error:
        return None, f"{trouble or 'written'}; then it could not be read: {error.detail}"
    if device.differing({name: value}, {name: held}):
        return held, f"asked for {value}, reads {held}" + (f" ({trouble})" if trouble else "")
    return held, None


async def _read(device: Device, name: str, driver: Driver) -> Value | None:
    words: dict[tuple[Space, int], int] = {}
    for block in device.read_blocks([name]):
        answer = await driver.read(block.address, block.count, block.space)
        words.update({(block.space, block.address + offset): word for offset, word in enumerate(answer)})
    known: Words = words
    return device.decode(known, [name])[name]
