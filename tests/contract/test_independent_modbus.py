"""Driver and layouts against somebody else's Modbus: pyModbusTCP as server and as client, and mbpoll (libmodbus)."""

from __future__ import annotations

import asyncio
import re
import subprocess
from collections.abc import AsyncIterator, Iterator
from typing import Final

import pytest
from pyModbusTCP import utils

from gateway.protocol.messages import Value
from site_agent.drivers.modbus import ModbusTcpDriver
from site_agent.drivers.port import PlcRefused
from site_agent.layout import Layout
from site_agent.registers import RegisterType, Space, WordOrder
from tests.plc import FaultyPlc
from tests.plc_independent import HOST, IndependentPlc, read_by_other
from tests.requirements import program

WRITES: Final = [
    (Space.HOLDING, None, (7,)),
    (Space.HOLDING, None, (7, 8, 0xFFFF)),
    (Space.HOLDING, 6, (0x1234,)),
    (Space.HOLDING, 16, (0x1234,)),
    (Space.COIL, None, (1,)),
    (Space.COIL, None, (1, 0, 1, 1, 0, 0, 0, 0, 1, 1)),
    (Space.COIL, 5, (0,)),
    (Space.COIL, 15, (1,)),
]


@pytest.fixture(scope="module")
def plc() -> Iterator[IndependentPlc]:
    """An independent PLC."""
    with IndependentPlc.running() as running:
        yield running


@pytest.fixture
async def driver(plc: IndependentPlc) -> AsyncIterator[ModbusTcpDriver]:
    """Our driver, connected to it."""
    made = ModbusTcpDriver(HOST, plc.port, unit=1, timeout_s=5.0)
    await made.open()
    yield made
    await made.close()


@pytest.mark.invariant("I17")
@pytest.mark.parametrize("space", list(Space))
@pytest.mark.parametrize("count", [1, 8, 9, 120])
async def test_read_of_every_space_returns_what_an_independent_plc_holds(
    plc: IndependentPlc, driver: ModbusTcpDriver, space: Space, count: int
) -> None:
    """Functions 1 to 4, whole bytes of bits and parts of them."""
    cells = [number % 2 if space.bits else 1000 + number for number in range(count)]
    plc.set(space, 19, *cells)
    assert await driver.read(19, count, space) == tuple(cells)


@pytest.mark.parametrize(("space", "function", "cells"), WRITES)
async def test_write_of_every_function_is_held_by_an_independent_plc(
    plc: IndependentPlc, driver: ModbusTcpDriver, space: Space, function: int | None, cells: tuple[int, ...]
) -> None:
    """Functions 5, 6, 15 and 16; nothing beside the cells changes."""
    plc.set(space, 18, *[1] * (len(cells) + 2))
    await driver.write(19, cells, space, function)
    assert plc.get(space, 18, len(cells) + 2) == (1, *cells, 1)


async def test_most_bits_of_one_request_are_read_and_written(plc: IndependentPlc, driver: ModbusTcpDriver) -> None:
    """2000 and 1968, as the standard allows."""
    bits = [number % 3 == 0 for number in range(2000)]
    await driver.write(0, bits[:1968], Space.COIL)
    assert plc.get(Space.COIL, 0, 1968) == tuple(map(int, bits[:1968]))
    plc.set(Space.DISCRETE, 0, *map(int, bits))
    assert await driver.read(0, 2000, Space.DISCRETE) == tuple(map(int, bits))


@pytest.mark.parametrize(
    ("space", "function", "cells"),
    [(Space.INPUT, None, [1]), (Space.DISCRETE, None, [1]), (Space.HOLDING, 5, [1]), (Space.HOLDING, 6, [1, 2])],
)
async def test_write_that_no_function_can_do_is_refused_before_it_is_sent(
    driver: ModbusTcpDriver, space: Space, function: int | None, cells: list[int]
) -> None:
    """A mistake of ours, not of the PLC."""
    with pytest.raises(ValueError, match="does not write"):
        await driver.write(0, cells, space, function)


async def test_read_beyond_the_memory_is_refused_with_its_code() -> None:
    """An independent PLC's exception is understood as such."""
    with IndependentPlc.running(registers=10) as small:
        driver = ModbusTcpDriver(HOST, small.port, unit=1, timeout_s=5.0)
        await driver.open()
        try:
            with pytest.raises(PlcRefused) as caught:
                await driver.read(10, 1)
        finally:
            await driver.close()
    assert caught.value.exception_code == 2


@pytest.mark.parametrize("order", list(WordOrder))
@pytest.mark.parametrize(
    ("kind", "value"), [("uint32", 0x12345678), ("int32", -123_456), ("float32", 123456.5), ("uint64", 2**63 + 1)]
)
async def test_value_written_by_us_is_decoded_alike_by_pymodbustcp(
    plc: IndependentPlc, driver: ModbusTcpDriver, kind: str, value: Value, order: WordOrder
) -> None:
    """Its own arithmetic on its own registers."""
    layout = Layout(kind=RegisterType(kind), word_order=order)
    await driver.write(40, layout.encode(value))
    words = plc.memory.get_holding_registers(40, layout.words)
    (raw,) = utils.word_list_to_long(words, big_endian=order is WordOrder.BIG, long_long=layout.words == 4)
    other = utils.decode_ieee(raw) if kind == "float32" else raw
    assert (utils.get_2comp(other, 32) if kind == "int32" else other) == value


@pytest.mark.parametrize("order", list(WordOrder))
@pytest.mark.parametrize(("kind", "value"), [("int32", -123_456), ("float32", 18.5)])
async def test_value_written_by_us_is_shown_alike_by_mbpoll(
    plc: IndependentPlc, driver: ModbusTcpDriver, kind: str, value: float, order: WordOrder
) -> None:
    """From the shell, as a technician would look."""
    await driver.write(40, Layout(kind=RegisterType(kind), word_order=order).encode(value))
    kinds = {"int32": "4:int", "float32": "4:float"}
    turn = ["-B"] if order is WordOrder.BIG else []
    assert await asyncio.to_thread(_by_mbpoll, plc.port, [*turn, "-t", kinds[kind]]) == value


def _by_mbpoll(port: int, options: list[str]) -> float:
    argv = [str(program("mbpoll")), "-m", "tcp", "-0", "-r", "40", "-c", "1", "-1", *options, "-p", str(port), HOST]
    done = subprocess.run(argv, check=True, capture_output=True, text=True, timeout=10)
    found = re.search(r"^\[40\]:\s+(\S+)", done.stdout, re.MULTILINE)
    assert found, done.stdout
    return float(found[1])


async def test_our_own_test_plc_is_read_alike_by_pymodbustcp() -> None:
    """What the other tests rely on speaks the same Modbus."""
    with FaultyPlc.running() as plc:
        plc.set(10, 7, 0xFFFF, 0x1234)
        assert read_by_other(plc.port, Space.HOLDING, 10, 3) == (7, 0xFFFF, 0x1234)
