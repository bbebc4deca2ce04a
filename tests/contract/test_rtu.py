"""RTU on a serial line and through a TCP gateway: what the driver promises holds there too, and mbpoll agrees."""

from __future__ import annotations

import asyncio
import re
import subprocess
import time
from collections.abc import AsyncIterator, Iterator

import pytest

from site_agent.drivers.modbus import ModbusDriver
from site_agent.drivers.port import PlcConfused, PlcError, PlcRefused, PlcSilent
from site_agent.drivers.wires import QUIET, Parity, SerialWire, TcpWire, Wire
from tests import plc_faults as faults
from tests.plc import FaultyPlc, Write
from tests.requirements import program
from tests.rtu_line import RtuLine

TIMEOUT_S = 0.4


@pytest.fixture
def plc() -> Iterator[FaultyPlc]:
    """The PLC at the end of the line."""
    with FaultyPlc.running() as running:
        running.set(0, 50, 60, 1)
        yield running


@pytest.fixture(params=["terminal", "tcp"])
def line(request: pytest.FixtureRequest, plc: FaultyPlc) -> Iterator[tuple[RtuLine, Wire]]:
    """The line, and how to reach it."""
    if request.param == "terminal":
        with RtuLine.on_terminal(plc.port) as (made, device):
            yield made, SerialWire(device, 19_200, Parity.NONE, 1)
    else:
        with RtuLine.on_tcp(plc.port) as (made, port):
            yield made, TcpWire("127.0.0.1", port, rtu=True)


@pytest.fixture
async def driver(line: tuple[RtuLine, Wire]) -> AsyncIterator[ModbusDriver]:
    made = ModbusDriver(line[1], 1, TIMEOUT_S)
    await made.open()
    yield made
    await made.close()


async def test_read_and_writes_over_a_serial_line_are_those_of_the_plc(driver: ModbusDriver, plc: FaultyPlc) -> None:
    """One register, several, and back."""
    assert await driver.read(0, 3) == (50, 60, 1)
    await driver.write(0, [75])
    await driver.write(10, [1, 2, 0xFFFF])
    assert await driver.read(10, 3) == (1, 2, 0xFFFF)
    assert plc.writes == [Write(6, 0, (75,)), Write(16, 10, (1, 2, 0xFFFF))]


async def test_exception_over_a_serial_line_is_a_refusal(driver: ModbusDriver) -> None:
    """With its code; the line goes on."""
    with pytest.raises(PlcRefused) as caught:
        await driver.read(5_000, 1)
    assert caught.value.exception_code == 2
    assert await driver.read(0, 1) == (50,)


async def test_answer_in_pieces_is_put_together(line: tuple[RtuLine, Wire], driver: ModbusDriver) -> None:
    """Serial adapters cut where they like."""
    line[0].spoil = lambda answer: [answer[:1], answer[1:4], answer[4:]]
    assert await driver.read(0, 3) == (50, 60, 1)


@pytest.mark.invariant("I17")
@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda answer: [answer[:-1] + bytes([answer[-1] ^ 1])], id="check"),
        pytest.param(lambda answer: [b"\x02" + answer[1:]], id="unit"),
        pytest.param(lambda answer: [answer[:1] + b"\x04" + answer[2:]], id="function"),
        pytest.param(lambda answer: [answer + b"\0"], id="longer"),
    ],
)
async def test_answer_that_does_not_fit_is_not_believed(
    line: tuple[RtuLine, Wire], driver: ModbusDriver, spoil: object
) -> None:
    """And the connection is over."""
    line[0].spoil = spoil  # type: ignore[assignment] # one of the above
    with pytest.raises((PlcConfused, PlcSilent)):
        await driver.read(0, 3)
    assert not driver.connected


@pytest.mark.fault("F16")
@pytest.mark.invariant("I17")
@pytest.mark.parametrize("factor", [1.2, 1.9])
async def test_late_answer_is_never_the_next_question_s(driver: ModbusDriver, plc: FaultyPlc, factor: float) -> None:
    """No number tells answers apart, so the line is left alone until no late one can come."""
    plc.set(20, 7)
    plc.misbehave(faults.delay(factor * TIMEOUT_S), on=faults.READS)
    began_s = time.monotonic()
    with pytest.raises(PlcSilent):
        await driver.read(0, 1)
    await driver.open()
    assert time.monotonic() - began_s >= (1 + QUIET) * TIMEOUT_S * 0.95
    for _ in range(5):
        try:
            assert await driver.read(20, 1) == (7,)
            break
        except PlcError:  # the late one was noticed as nobody's; the next connection reads the truth
            await driver.open()
    else:
        pytest.fail("never read")


async def test_mbpoll_and_we_read_the_same_line_alike(plc: FaultyPlc) -> None:
    """Libmodbus speaks RTU to the same terminal."""
    with RtuLine.on_terminal(plc.port) as (_, device):
        argv = [
            str(program("mbpoll")),
            "-m",
            "rtu",
            "-b",
            "19200",
            "-P",
            "none",
            "-0",
            "-r",
            "0",
            "-c",
            "3",
            "-1",
            device,
        ]
        done = await asyncio.to_thread(subprocess.run, argv, capture_output=True, text=True, timeout=20, check=False)
        assert re.findall(r"^\[\d\]:\s+(\d+)", done.stdout, re.MULTILINE) == ["50", "60", "1"], (
            done.stdout + done.stderr
        )
