"""The driver against a PLC that misbehaves: what it says about the effect is never more than what is known."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator

import pytest

from site_agent.drivers.modbus import ModbusTcpDriver
from site_agent.drivers.port import PlcConfused, PlcError, PlcRefused, PlcSilent, PlcUnreachable, PlcUnsure
from tests.conditions import STRETCH
from tests.plc import FaultyPlc, Write
from tests.plc_faults import (
    ANOTHER_ADDRESS,
    ANOTHER_COUNT,
    ANOTHER_FUNCTION,
    ANOTHER_UNIT,
    ANOTHER_VALUE,
    DROP,
    GARBAGE,
    LOST,
    READS,
    RESET_AFTER,
    RESET_BEFORE,
    SHORT,
    TRANSACTION_0,
    TWICE,
    WRITES,
    Fault,
    delay,
    refuse,
)

#: Long enough for a busy machine to answer, short enough to wait for.
TIMEOUT_S = 0.5 * STRETCH
PATIENCE_S = 60.0
EXECUTED, NOT_EXECUTED = 1, 0


@pytest.fixture
def plc() -> Iterator[FaultyPlc]:
    with FaultyPlc.running() as plc:
        yield plc


@pytest.fixture
async def driver(plc: FaultyPlc) -> AsyncIterator[ModbusTcpDriver]:
    driver = ModbusTcpDriver(plc.host, plc.port, unit=1, timeout_s=TIMEOUT_S)
    await driver.open()
    await until(lambda: plc.connections_made)  # the kernel says yes before the PLC's thread has
    yield driver
    await driver.close()


@pytest.fixture
async def patient(plc: FaultyPlc) -> AsyncIterator[ModbusTcpDriver]:
    """A driver whose time-out never comes in a test."""
    driver = ModbusTcpDriver(plc.host, plc.port, unit=1, timeout_s=PATIENCE_S)
    await driver.open()
    yield driver
    await driver.close()


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 # the PLC lives in another thread
            await asyncio.sleep(0.005)


@pytest.mark.invariant("I1")
@pytest.mark.parametrize(
    ("fault", "error", "executions"),
    [
        pytest.param(LOST, PlcSilent, EXECUTED, id="executed, never answered"),
        pytest.param(DROP, PlcSilent, NOT_EXECUTED, id="dropped"),
        pytest.param(RESET_BEFORE, PlcSilent, NOT_EXECUTED, id="reset before"),
        pytest.param(RESET_AFTER, PlcSilent, EXECUTED, id="reset after"),
        pytest.param(SHORT, PlcSilent, EXECUTED, id="half an answer"),
        pytest.param(delay(TIMEOUT_S + 0.2), PlcSilent, EXECUTED, id="too late"),
        pytest.param(ANOTHER_FUNCTION, PlcConfused, EXECUTED, id="another function"),
        pytest.param(ANOTHER_ADDRESS, PlcConfused, EXECUTED, id="another address"),
        pytest.param(ANOTHER_VALUE, PlcConfused, EXECUTED, id="another value"),
        pytest.param(ANOTHER_UNIT, PlcConfused, EXECUTED, id="another unit"),
        pytest.param(TRANSACTION_0, PlcConfused, EXECUTED, id="transaction 0"),
        pytest.param(GARBAGE, PlcConfused, EXECUTED, id="no frame at all"),
        pytest.param(refuse(2), PlcRefused, NOT_EXECUTED, id="illegal address"),
        pytest.param(refuse(3), PlcRefused, NOT_EXECUTED, id="illegal value"),
        pytest.param(refuse(6), PlcRefused, NOT_EXECUTED, id="busy"),
        pytest.param(refuse(4), PlcUnsure, NOT_EXECUTED, id="failed while acting"),
        pytest.param(refuse(5), PlcUnsure, NOT_EXECUTED, id="still acting"),
        pytest.param(refuse(11), PlcUnsure, NOT_EXECUTED, id="gateway's target silent"),
    ],
)
async def test_write_with_a_fault_is_sent_once_and_named_after_what_is_known(
    plc: FaultyPlc, driver: ModbusTcpDriver, fault: Fault, error: type[PlcError], executions: int
) -> None:
    """One request leaves the driver, whatever happens to it."""
    plc.misbehave(fault, on=WRITES)
    with pytest.raises(PlcError) as caught:
        await driver.write(7, [120])
    assert type(caught.value) is error
    assert len(plc.requests) == 1
    assert plc.writes == [Write(6, 7, (120,))] * executions


@pytest.mark.invariant("I1")
@pytest.mark.parametrize("fault", [ANOTHER_ADDRESS, ANOTHER_COUNT, ANOTHER_FUNCTION, ANOTHER_UNIT, TRANSACTION_0])
async def test_write_of_several_words_confirmed_wrongly_is_confused(
    plc: FaultyPlc, driver: ModbusTcpDriver, fault: Fault
) -> None:
    """Function 16 confirms address and count, and both are compared."""
    plc.misbehave(fault, on=WRITES)
    with pytest.raises(PlcConfused):
        await driver.write(7, [120, 45])
    assert plc.writes == [Write(16, 7, (120, 45))]


@pytest.mark.invariant("I17")
@pytest.mark.parametrize("fault", [ANOTHER_COUNT, ANOTHER_FUNCTION, ANOTHER_UNIT, TRANSACTION_0, GARBAGE])
async def test_read_answered_wrongly_gives_no_words(plc: FaultyPlc, driver: ModbusTcpDriver, fault: Fault) -> None:
    """No word is shown that does not come from a reply to this request."""
    plc.misbehave(fault, on=READS)
    with pytest.raises(PlcConfused):
        await driver.read(0, 4)


@pytest.mark.parametrize("fault", [LOST, DROP, SHORT, RESET_AFTER])
async def test_read_without_a_whole_answer_is_silent(plc: FaultyPlc, driver: ModbusTcpDriver, fault: Fault) -> None:
    """A part of an answer is no answer."""
    plc.misbehave(fault, on=READS)
    with pytest.raises(PlcSilent):
        await driver.read(0, 4)


@pytest.mark.parametrize("code", [4, 11])
async def test_read_refused_with_any_code_is_refused(plc: FaultyPlc, driver: ModbusTcpDriver, code: int) -> None:
    """A read has no effect to be unsure about."""
    plc.misbehave(refuse(code), on=READS)
    with pytest.raises(PlcRefused) as caught:
        await driver.read(0, 1)
    assert caught.value.exception_code == code


@pytest.mark.parametrize("fault", [LOST, ANOTHER_VALUE, RESET_AFTER, refuse(11)])
async def test_connection_after_a_doubtful_answer_is_closed(
    plc: FaultyPlc, driver: ModbusTcpDriver, fault: Fault
) -> None:
    """What follows on such a connection cannot be trusted, so nothing more is sent on it."""
    plc.misbehave(fault, on=WRITES)
    with pytest.raises(PlcError):
        await driver.write(0, [1])
    assert not driver.connected
    with pytest.raises(PlcUnreachable):
        await driver.read(0, 1)
    assert len(plc.requests) == 1


async def test_open_after_a_silent_plc_reads_the_truth(plc: FaultyPlc, driver: ModbusTcpDriver) -> None:
    """The lost write is found by reading it back on a fresh connection."""
    plc.misbehave(LOST, on=WRITES)
    with pytest.raises(PlcSilent):
        await driver.write(3, [99])
    await driver.open()
    assert await driver.read(3, 1) == (99,)
    assert plc.connections_made == 2


async def test_driver_left_alone_after_a_reset_does_not_connect_again(plc: FaultyPlc, driver: ModbusTcpDriver) -> None:
    """The library never reconnects by itself; the lane decides when."""
    plc.power_off()
    await until(lambda: not driver.connected)
    plc.power_on()
    with pytest.raises(PlcUnreachable):
        await driver.write(0, [1])
    assert plc.connections_made == 1
    assert plc.writes == []


async def test_reset_ends_the_wait_before_the_time_out(plc: FaultyPlc, patient: ModbusTcpDriver) -> None:
    """A broken connection is reported when it breaks; nobody waits for a reply that cannot come."""
    plc.misbehave(RESET_AFTER, on=WRITES)
    async with asyncio.timeout(10):
        with pytest.raises(PlcSilent):
            await patient.write(0, [1])


async def test_wrong_answer_ends_the_wait_before_the_time_out(plc: FaultyPlc, patient: ModbusTcpDriver) -> None:
    """An answer of another unit is reported as such, not waited past."""
    plc.misbehave(ANOTHER_UNIT, on=WRITES)
    async with asyncio.timeout(10):
        with pytest.raises(PlcConfused):
            await patient.write(0, [1])


@pytest.mark.fault("F16")
@pytest.mark.invariant("I17")
async def test_answer_sent_twice_is_not_taken_for_the_next_one(plc: FaultyPlc, driver: ModbusTcpDriver) -> None:
    """The second copy carries the old transaction and is passed over."""
    plc.set(0, 11, 22)
    plc.misbehave(TWICE)
    assert await driver.read(0, 1) == (11,)
    assert await driver.read(1, 1) == (22,)


@pytest.mark.fault("F16")
@pytest.mark.invariant("I17")
@pytest.mark.parametrize("factor", [0.5, 1.5, 3.0])
async def test_late_answer_is_never_another_register_s(plc: FaultyPlc, driver: ModbusTcpDriver, factor: float) -> None:
    """Register 1 is read as itself or not at all, however late the answer for register 0 comes."""
    plc.set(0, 11, 22)
    plc.misbehave(delay(TIMEOUT_S * factor))
    try:
        assert await driver.read(0, 1) == (11,)
    except PlcSilent:
        await driver.open()
    assert await driver.read(1, 1) == (22,)


@pytest.mark.invariant("I1")
async def test_write_whose_caller_is_cancelled_ends_by_itself_before_the_next_request(
    plc: FaultyPlc, patient: ModbusTcpDriver
) -> None:
    """The PLC acts on a write that was sent, so nobody may pull it back half-way."""
    plc.misbehave(delay(0.1), on=WRITES)
    write = asyncio.create_task(patient.write(10, [5]))
    await until(lambda: plc.requests)
    write.cancel()
    with pytest.raises(asyncio.CancelledError):
        await write
    assert await patient.read(10, 1) == (5,)
    assert plc.writes == [Write(6, 10, (5,))]
    assert plc.connections_made == 1


async def test_close_waits_for_a_write_on_its_way(plc: FaultyPlc, patient: ModbusTcpDriver) -> None:
    """A clean stop ends the write first, and the writer learns how it ended."""
    plc.misbehave(delay(0.1), on=WRITES)
    write = asyncio.create_task(patient.write(10, [5]))
    await until(lambda: plc.requests)
    await patient.close()
    await write
    assert plc.writes == [Write(6, 10, (5,))]


async def test_open_of_a_plc_that_was_off_serves_with_its_fresh_memory(plc: FaultyPlc, driver: ModbusTcpDriver) -> None:
    """After a power cycle the registers may be at their defaults, and are read so."""
    await driver.write(0, [120])
    plc.power_off()
    await until(lambda: not driver.connected)
    with pytest.raises(PlcUnreachable):
        await driver.open()
    plc.power_on(zeroed=True)
    await driver.open()
    assert await driver.read(0, 1) == (0,)
