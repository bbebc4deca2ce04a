"""What every driver promises of every PLC: one suite for Modbus in its three framings, for the simulated farm, for a
Modbus server of another make, and for an OPC UA server in a process of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from site_agent.drivers.modbus import ModbusDriver
from site_agent.drivers.nodes import Place
from site_agent.drivers.opcua import OpcUaDriver
from site_agent.drivers.port import Driver, PlcError, PlcRefused, PlcSilent, PlcUnreachable
from site_agent.drivers.wires import Parity, SerialWire, TcpWire
from site_agent.registers import RegisterType, Space
from site_agent.simulator.farm import Farm
from tests.opcua_server import OpcUaServer, node, running_opcua_server
from tests.plc import FaultyPlc
from tests.plc_independent import IndependentPlc
from tests.rtu_line import RtuLine

TIMEOUT_S = 1.0
#: Where every plant has a setting of one word, which holds 50.
PORTION = 0


@dataclass
class Plant:
    """A PLC as its driver and as its panel see it; ``forbidden`` cannot be written, ``absent`` is not there."""

    driver: Driver
    look: Callable[[], Awaitable[int]]
    turn: Callable[[int], Awaitable[None]]
    cut: Callable[[], Awaitable[None]]
    forbidden: int
    absent: int


def _faulty(stack: ExitStack) -> FaultyPlc:
    plc = stack.enter_context(FaultyPlc.running())
    plc.set(PORTION, 50)
    return plc


def _plant_of(plc: FaultyPlc, driver: Driver) -> Plant:
    async def look() -> int:
        return plc.get(PORTION)[0]

    async def turn(value: int) -> None:
        plc.set(PORTION, value)

    async def cut() -> None:
        plc.power_off()

    return Plant(driver, look, turn, cut, forbidden=5_000, absent=5_000)


def _tcp(stack: ExitStack) -> Plant:
    plc = _faulty(stack)
    return _plant_of(plc, ModbusDriver(TcpWire("127.0.0.1", plc.port), 1, TIMEOUT_S))


def _rtu_over_tcp(stack: ExitStack) -> Plant:
    plc = _faulty(stack)
    _, port = stack.enter_context(RtuLine.on_tcp(plc.port))
    return _plant_of(plc, ModbusDriver(TcpWire("127.0.0.1", port, rtu=True), 1, TIMEOUT_S))


def _serial(stack: ExitStack) -> Plant:
    plc = _faulty(stack)
    _, device = stack.enter_context(RtuLine.on_terminal(plc.port))
    return _plant_of(plc, ModbusDriver(SerialWire(device, 19_200, Parity.NONE, 1), 1, TIMEOUT_S))


def _independent(stack: ExitStack) -> Plant:
    running = IndependentPlc.running(registers=1_000)
    plc = running.__enter__()
    stack.push(lambda *error: bool(running.__exit__(*error)))
    plc.memory.set_holding_registers(PORTION, [50])

    async def look() -> int:
        return plc.get(Space.HOLDING, PORTION)[0]

    async def turn(value: int) -> None:
        plc.memory.set_holding_registers(PORTION, [value])

    async def cut() -> None:
        await asyncio.to_thread(running.__exit__, None, None, None)

    driver = ModbusDriver(TcpWire("127.0.0.1", plc.port), 1, TIMEOUT_S)
    return Plant(driver, look, turn, cut, forbidden=5_000, absent=5_000)


async def _simulated() -> tuple[Plant, Farm]:
    farm = Farm(port=0)
    await farm.__aenter__()
    await farm.write("plc-1", PORTION, [50])

    async def look() -> int:
        return (await farm.read("plc-1", PORTION, 1))[0]

    async def turn(value: int) -> None:
        await farm.write("plc-1", PORTION, [value])

    async def cut() -> None:
        await farm.__aexit__(None, None, None)

    driver = ModbusDriver(TcpWire("127.0.0.1", farm.addresses["plc-1"].port), 1, TIMEOUT_S)
    return Plant(driver, look, turn, cut, forbidden=4, absent=5_000), farm


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpcUaServer]:
    """In another process; its start takes a second."""
    with running_opcua_server(tmp_path_factory.mktemp("opcua")) as running:
        yield running


def _opcua(server: OpcUaServer) -> Plant:
    server.set("Feeder1.Portion", 50)
    places = {
        PORTION: Place(node("Feeder1.Portion"), RegisterType.UINT16, 1),
        4: Place(node("Feeder1.Total"), RegisterType.UINT32, 2),
        100: Place(node("Nowhere"), RegisterType.UINT16, 1),
    }

    async def look() -> int:
        found = await asyncio.to_thread(server.get, "Feeder1.Portion")
        assert isinstance(found, int)
        return found

    async def turn(value: int) -> None:
        await asyncio.to_thread(server.set, "Feeder1.Portion", value)

    async def cut() -> None:
        await asyncio.to_thread(server.kill)
        server.lost = True

    driver = OpcUaDriver(
        server.endpoint, places, timeout_s=TIMEOUT_S, publish_s=0.1, login=None, on_change=lambda _address: None
    )
    return Plant(driver, look, turn, cut, forbidden=4, absent=100)


MODBUS: dict[str, Callable[[ExitStack], Plant]] = {
    "modbus-tcp": _tcp,
    "rtu-over-tcp": _rtu_over_tcp,
    "serial-line": _serial,
    "another-make": _independent,
}


@pytest.fixture(params=[*MODBUS, "simulator", "opcua"])
async def plant(request: pytest.FixtureRequest) -> AsyncIterator[Plant]:
    """Each of them in turn, with an open driver."""
    farm: Farm | None = None
    with ExitStack() as stack:
        if request.param == "simulator":
            made, farm = await _simulated()
        elif request.param == "opcua":
            server: OpcUaServer = request.getfixturevalue("server")
            if server.lost:
                server.start()
            made = _opcua(server)
        else:
            made = MODBUS[request.param](stack)
        await made.driver.open()
        try:
            yield made
        finally:
            await made.driver.close()
            if farm is not None:
                await farm.__aexit__(None, None, None)


async def test_read_is_what_the_plc_holds(plant: Plant) -> None:
    """Now, and after somebody turned it."""
    assert await plant.driver.read(PORTION, 1) == (50,)
    await plant.turn(60)
    assert await plant.driver.read(PORTION, 1) == (60,)


async def test_write_is_held_by_the_plc(plant: Plant) -> None:
    """As its panel shows it, not only as we read it back."""
    await plant.driver.write(PORTION, [75])
    assert await plant.look() == 75


async def test_read_of_what_is_not_there_is_refused_and_the_connection_goes_on(plant: Plant) -> None:
    """Nothing is made up."""
    with pytest.raises(PlcRefused):
        await plant.driver.read(plant.absent, 1)
    assert await plant.driver.read(PORTION, 1) == (50,)


async def test_write_that_the_plc_forbids_is_refused_and_the_connection_goes_on(plant: Plant) -> None:
    """A refusal proves that nothing has changed."""
    words = [0, 0] if plant.forbidden == 4 else [0]
    with pytest.raises(PlcRefused):
        await plant.driver.write(plant.forbidden, words)
    assert await plant.driver.read(PORTION, 1) == (50,)


async def test_open_twice_changes_nothing(plant: Plant) -> None:
    """It does nothing when connected."""
    await plant.driver.open()
    assert plant.driver.connected
    assert await plant.driver.read(PORTION, 1) == (50,)


async def test_close_twice_is_quiet_and_requests_are_unreachable(plant: Plant) -> None:
    """Nothing is sent by a driver that is closed."""
    await plant.driver.close()
    await plant.driver.close()
    assert not plant.driver.connected
    with pytest.raises(PlcUnreachable):
        await plant.driver.read(PORTION, 1)
    with pytest.raises(PlcUnreachable):
        await plant.driver.write(PORTION, [75])
    assert await plant.look() == 50


async def test_open_after_close_serves_again(plant: Plant) -> None:
    """As often as wanted."""
    for _ in range(2):
        await plant.driver.close()
        await plant.driver.open()
        assert await plant.driver.read(PORTION, 1) == (50,)


async def test_requests_at_once_each_get_their_own_answer(plant: Plant) -> None:
    """One after the other on the wire, whoever asks."""
    answers = await asyncio.gather(*(plant.driver.read(PORTION, 1) for _ in range(10)))
    assert answers == [(50,)] * 10


async def test_write_whose_caller_is_cancelled_ends_by_itself(plant: Plant) -> None:
    """A request is never cut in two; what follows it is answered."""
    writing = asyncio.create_task(plant.driver.write(PORTION, [75]))
    await asyncio.sleep(0)
    writing.cancel()
    await asyncio.gather(writing, return_exceptions=True)
    assert await plant.driver.read(PORTION, 1) in {(50,), (75,)}
    assert await plant.driver.read(PORTION, 1) == (await plant.look(),)


async def test_plc_that_is_gone_is_silent_and_then_unreachable(plant: Plant) -> None:
    """A request that got no answer says so, and the next one knows that there is no connection."""
    assert await plant.driver.read(PORTION, 1) == (50,)
    await plant.cut()
    with pytest.raises(PlcError) as caught:
        await plant.driver.read(PORTION, 1)
    assert isinstance(caught.value, PlcSilent | PlcUnreachable)
    await plant.driver.close()
    assert not plant.driver.connected


@pytest.mark.parametrize("kind", ["modbus-tcp", "opcua"])
async def test_open_with_nobody_listening_is_unreachable(kind: str, unused_tcp_port: int) -> None:
    """Nothing was sent, and the next try may succeed."""
    driver: Driver = ModbusDriver(TcpWire("127.0.0.1", unused_tcp_port), 1, TIMEOUT_S)
    if kind == "opcua":
        endpoint = f"opc.tcp://127.0.0.1:{unused_tcp_port}"
        driver = OpcUaDriver(
            endpoint, {}, timeout_s=TIMEOUT_S, publish_s=1, login=None, on_change=lambda _address: None
        )
    with pytest.raises(PlcUnreachable):
        await driver.open()
    assert not driver.connected
    await driver.close()
