"""Read every value that a site's file names, and time the PLC. Nothing is written."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from math import isfinite
from typing import Final, TypeVar

from gateway.protocol.messages import Value
from site_agent.commissioning.findings import PlcFound, Timing, ValueFound
from site_agent.configuration import DeviceTable
from site_agent.device import Device
from site_agent.drivers.port import Driver, PlcConfused, PlcError, PlcRefused
from site_agent.layout import Layout
from site_agent.marker import Marker
from site_agent.plc_table import PlcTable
from site_agent.property_tables import PropertyTable
from site_agent.reading import Block
from site_agent.registers import ByteOrder, Space, WordOrder

#: As many reads are timed.
TIMED: Final = 20
#: Registers of one read at most (Modbus Application Protocol 1.1b3, section 6.3).
LARGEST: Final = 125
#: A number beyond these, in the order of the file, is more likely read in a wrong one.
_TINY, _HUGE = 1e-6, 1e9

Order = TypeVar("Order", WordOrder, ByteOrder)
Words = Mapping[tuple[Space, int], int]
Told = Callable[[str], None]


async def survey(plc: PlcTable, devices: Sequence[DeviceTable], driver: Driver, tell: Told) -> PlcFound:
    """All that is to know about one PLC; every trouble with it becomes a fault of the finding."""
    found = PlcFound(name=plc.name, address=plc.address)
    spans = [_span(each) for device in devices for each in device.properties.values()]
    blocks = _polled(plc, devices)
    found = replace(found, requests_per_poll=len(blocks))
    tell(f"{plc.name}: connecting to {found.address}")
    try:
        await driver.open()
        found = await _marked(found, plc, driver)
        tell(f"{plc.name}: reading {len(spans)} values in {len(blocks)} requests")
        words, refusals = await _read(driver, blocks, spans)
        found = replace(found, faults=(*found.faults, *_refused(blocks, spans, refusals)))
        values = tuple(_value(device, name, each, words, refusals) for device, name, each in _properties(devices))
        echoes = None if plc.opcua is not None or plc.wire.rtu else True
        found = replace(found, values=values, echoes_transactions=echoes)
        tell(f"{plc.name}: timing")
        return await _timed(found, driver, blocks, opcua=plc.opcua is not None)
    except PlcConfused as error:
        faults = (*found.faults, f"its answers cannot be trusted: it {error.detail.partition(' ')[2]}")
        echoes = False if "transaction 0" in error.detail else None
        return replace(found, faults=faults, echoes_transactions=echoes)
    except PlcError as error:
        return replace(found, faults=(*found.faults, error.detail))
    finally:
        await driver.close()


async def _marked(found: PlcFound, plc: PlcTable, driver: Driver) -> PlcFound:
    if plc.marker is None:
        return found
    marker = Marker.of(plc.marker)
    try:
        words = await driver.read(marker.block.address, marker.block.count, marker.block.space)
    except PlcRefused as error:
        place = f"{marker.block.space} {marker.block.address}"
        return replace(found, marker="cannot be read", faults=(f"the marker at {place}: {error.detail}",))
    fault = marker.fault(words)
    return replace(found, marker=fault or f"reads {marker.value}, as it should", faults=(fault,) if fault else ())


async def _read(
    driver: Driver, blocks: Sequence[Block], spans: Sequence[Block]
) -> tuple[Words, Mapping[Block, PlcRefused]]:
    """What the PLC holds; where it refuses a block, each value is asked for alone, to see which one it is."""
    words: dict[tuple[Space, int], int] = {}
    refusals: dict[Block, PlcRefused] = {}
    for block in blocks:
        inside = [each for each in spans if _covers(block, each)]
        for part in (block, *inside):
            try:
                answer = await driver.read(part.address, part.count, part.space)
            except PlcRefused as error:
                refusals[part] = error
                continue
            cells = enumerate(answer, start=part.address)
            words.update({(part.space, address): word for address, word in cells if word is not None})
            if part is block:
                break
    return words, refusals


async def _timed(found: PlcFound, driver: Driver, blocks: Sequence[Block], *, opcua: bool) -> PlcFound:
    words = [block for block in blocks if not block.space.bits]
    if not words:
        return found
    first, times_s = words[0], []
    try:
        for _ in range(TIMED):
            began_s = time.perf_counter()
            await driver.read(first.address, first.count, first.space)
            times_s.append(time.perf_counter() - began_s)
    except PlcRefused:
        return found
    in_ms = [1000 * each for each in times_s]
    timing = Timing(
        requests=len(in_ms),
        least_ms=round(min(in_ms), 2),
        median_ms=round(statistics.median(in_ms), 2),
        most_ms=round(max(in_ms), 2),
    )
    return replace(found, timing=timing, largest_read=None if opcua else await _largest(driver, first))


async def _largest(driver: Driver, at: Block) -> int:
    """How many registers from here on it answers at once; that its registers end there may be the reason."""
    answered, refused = at.count, min(LARGEST, 0x1_0000 - at.address) + 1
    while answered + 1 < refused:
        size = refused - 1 if refused > LARGEST else (answered + refused) // 2
        try:
            await driver.read(at.address, size, at.space)
        except PlcRefused:
            refused = size
        else:
            answered = size
    return answered


def _polled(plc: PlcTable, devices: Sequence[DeviceTable]) -> tuple[Block, ...]:
    """The very requests that an agent makes, device by device and period by period."""
    made = [Device("survey", each, plc.reads) for each in devices]
    return tuple(
        block for device in made for names in device.periods(plc.poll_s).values() for block in device.read_blocks(names)
    )


def _refused(blocks: Sequence[Block], spans: Sequence[Block], refusals: Mapping[Block, PlcRefused]) -> Iterator[str]:
    """Requests that the PLC refuses although it has all that is wanted of them: something between is not there."""
    for block in blocks:
        if block in refusals and not any(_covers(block, span) and span in refusals for span in spans):
            last = block.address + block.count - 1
            yield (
                f"it refuses {block.space} {block.address} to {last} in one request ({refusals[block].detail}); say in"
                " `unreadable` what is not there, or make `largest_gap` or `largest_read` smaller"
            )


# --- one value ---------------------------------------------------------------------------------------------


def _properties(devices: Sequence[DeviceTable]) -> Iterator[tuple[DeviceTable, str, PropertyTable]]:
    return ((device, name, each) for device in devices for name, each in device.properties.items())


def _span(table: PropertyTable) -> Block:
    space, address = table.read_at
    return Block(address, table.layout.words, space)


def _covers(block: Block, span: Block) -> bool:
    inside = block.address <= span.address and span.address + span.count <= block.address + block.count
    return block.space is span.space and inside


def _value(
    device: DeviceTable, name: str, table: PropertyTable, words: Words, refusals: Mapping[Block, PlcRefused]
) -> ValueFound:
    layout, span = table.layout, _span(table)
    raw = tuple(words[span.space, span.address + offset] for offset in range(span.count) if _has(words, span, offset))
    whole = len(raw) == span.count
    value = layout.decode(raw) if whole else None
    others = _others(layout, raw) if whole else {}
    found = ValueFound(
        device=device.id,
        name=name,
        table=span.space,
        register=span.address,
        bit=table.bit,
        type=table.type.value,
        words=raw,
        value=value,
        unit=table.unit,
        others=others,
    )
    if not whole:
        return replace(
            found, fault=f"cannot be read: {refusals[span].detail}" if span in refusals else "cannot be read"
        )
    return replace(found, fault=_doubt(table, value, others))


def _has(words: Words, span: Block, offset: int) -> bool:
    return (span.space, span.address + offset) in words


def _others(layout: Layout, raw: tuple[int, ...]) -> dict[str, Value | None]:
    """What the same words mean with words, bytes, or both turned; of one register there is no doubt worth a line."""
    if layout.words == 1 or not (layout.kind.whole or layout.kind.real):
        return {}
    words, octets = layout.word_order, layout.byte_order
    turns = ((_turned(words), octets), (words, _turned(octets)), (_turned(words), _turned(octets)))
    return {
        f"words {first}, bytes {second}": replace(layout, word_order=first, byte_order=second).decode(raw)
        for first, second in turns
    }


def _turned(order: Order) -> Order:
    (other,) = (each for each in type(order) if each is not order)
    return other


def _doubt(table: PropertyTable, value: Value | None, others: Mapping[str, Value | None]) -> str | None:
    """Why a value is not believable; with the order in which it would be."""
    if value is None:
        return "its words mean nothing in this type" + _better(table, others)
    if isinstance(value, bool | str) or _believable(table, value):
        return None
    allowed = f" ({table.minimum} to {table.maximum} allowed)" if table.minimum is not None else ""
    return f"{value:g} is hard to believe{allowed}" + _better(table, others)


def _better(table: PropertyTable, others: Mapping[str, Value | None]) -> str:
    near = [f"{each:g} with {order}" for order, each in others.items() if _is_number(each) and _believable(table, each)]
    return f"; it would be {', or '.join(near)}" if near else ""


def _is_number(value: Value | None) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _believable(table: PropertyTable, value: Value | None) -> bool:
    if not isinstance(value, int | float) or not isfinite(value):
        return False
    if (table.minimum is not None and value < table.minimum) or (table.maximum is not None and value > table.maximum):
        return False
    return not table.type.real or value == 0 or _TINY < abs(value) < _HUGE
