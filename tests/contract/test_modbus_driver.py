"""What every driver promises, on the simulated farm's PLC and on the scriptable one alike."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass

import pytest

from site_agent.drivers.modbus import ModbusTcpDriver
from site_agent.drivers.port import PlcRefused, PlcUnreachable
from site_agent.simulator.farm import Farm
from tests.plc import FaultyPlc


@dataclass(frozen=True)
class Plc:
    """A PLC under test and a way to look into its memory that does not lead through the driver."""

    host: str
    port: int
    look: Callable[[int, int], Awaitable[Sequence[int]]]
    turn: Callable[[int, int], Awaitable[None]]

    def driver(self) -> ModbusTcpDriver:
        """A driver for it, not yet open."""
        return ModbusTcpDriver(self.host, self.port, unit=1, timeout_s=2.0)


@pytest.fixture(params=["farm", "faulty"])
async def plc(request: pytest.FixtureRequest) -> AsyncIterator[Plc]:
    if request.param == "farm":
        async with Farm() as farm:
            address = farm.addresses["plc-1"]
            yield Plc(
                address.host,
                address.port,
                lambda start, count: farm.read("plc-1", start, count),
                lambda start, word: farm.write("plc-1", start, [word]),
            )
    else:
        with FaultyPlc.running() as faulty:

            async def look(start: int, count: int) -> Sequence[int]:
                return faulty.get(start, count)

            async def turn(start: int, word: int) -> None:
                faulty.set(start, word)

            yield Plc(faulty.host, faulty.port, look, turn)


@pytest.fixture
async def driver(plc: Plc) -> AsyncIterator[ModbusTcpDriver]:
    driver = plc.driver()
    await driver.open()
    yield driver
    await driver.close()


async def test_write_of_one_word_is_held_by_the_plc(plc: Plc, driver: ModbusTcpDriver) -> None:
    """After a confirmed write the register holds the word."""
    await driver.write(0, [130])
    assert await plc.look(0, 1) == (130,)


async def test_write_of_several_words_is_held_in_order(plc: Plc, driver: ModbusTcpDriver) -> None:
    """Function 16 puts the first word at the lowest address."""
    await driver.write(100, [125, 45, 1])
    assert await plc.look(100, 3) == (125, 45, 1)


async def test_read_returns_what_the_plc_holds(plc: Plc, driver: ModbusTcpDriver) -> None:
    """A panel's change is read by the next request."""
    await plc.turn(1, 77)
    assert await driver.read(1, 1) == (77,)


async def test_read_returns_as_many_words_as_asked(driver: ModbusTcpDriver) -> None:
    """A block of registers is read in one request."""
    assert len(await driver.read(0, 10)) == 10


async def test_read_beyond_the_memory_is_refused_with_its_code(driver: ModbusTcpDriver) -> None:
    """Exception 2 is raised, not returned."""
    with pytest.raises(PlcRefused) as caught:
        await driver.read(60_000, 1)
    assert caught.value.exception_code == 2
    assert driver.connected


async def test_write_beyond_the_memory_is_refused_and_the_connection_goes_on(driver: ModbusTcpDriver) -> None:
    """A refusal is an answer; the next request is served on the same connection."""
    with pytest.raises(PlcRefused):
        await driver.write(60_000, [1])
    await driver.write(0, [5])


async def test_open_twice_is_one_connection(driver: ModbusTcpDriver) -> None:
    """Opening is idempotent."""
    await driver.open()
    assert driver.connected
    assert await driver.read(0, 1)


async def test_close_twice_is_quiet_and_requests_are_unreachable(driver: ModbusTcpDriver) -> None:
    """A closed driver sends nothing."""
    await driver.close()
    await driver.close()
    assert not driver.connected
    with pytest.raises(PlcUnreachable):
        await driver.write(0, [1])


async def test_open_after_close_serves_again(driver: ModbusTcpDriver) -> None:
    """Every opening is a fresh connection."""
    await driver.close()
    await driver.open()
    await driver.write(0, [140])
    assert await driver.read(0, 1) == (140,)


async def test_requests_at_once_each_get_their_own_reply(plc: Plc, driver: ModbusTcpDriver) -> None:
    """Requests of one driver queue up; none gets another's words."""
    for address in range(3):
        await plc.turn(address, 10 + address)
    replies = await asyncio.gather(*(driver.read(address % 3, 1) for address in range(30)))
    assert replies == [(10 + address % 3,) for address in range(30)]


async def test_socket_has_nagle_off(driver: ModbusTcpDriver) -> None:
    """A small request is never held back for an acknowledgement."""
    link = driver._link
    assert link is not None
    sock = link._client.ctx.transport.get_extra_info("socket")
    assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0


async def test_open_with_nobody_listening_is_unreachable(unused_tcp_port: int) -> None:
    """A refused connection says that nothing was sent."""
    driver = ModbusTcpDriver("127.0.0.1", unused_tcp_port, unit=1, timeout_s=1.0)
    with pytest.raises(PlcUnreachable):
        await driver.open()
    assert not driver.connected


@pytest.mark.parametrize(("address", "words"), [(0, []), (0, [0] * 124), (65_535, [1, 2]), (-1, [1]), (0, [65_536])])
async def test_write_that_no_plc_could_be_asked_is_a_value_error(
    driver: ModbusTcpDriver, address: int, words: list[int]
) -> None:
    """A mistake of ours is told apart from a refusal of the PLC."""
    with pytest.raises(ValueError, match="register"):
        await driver.write(address, words)


@pytest.mark.parametrize(("address", "count"), [(0, 0), (0, 126), (65_535, 2), (-1, 1)])
async def test_read_that_no_plc_could_be_asked_is_a_value_error(
    driver: ModbusTcpDriver, address: int, count: int
) -> None:
    """Same for reads."""
    with pytest.raises(ValueError, match="registers"):
        await driver.read(address, count)
