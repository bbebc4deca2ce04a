"""What every PLC with a mailbox promises, over Modbus TCP.

Held to it are the tests' faulty PLC, the simulated farm, and the function block that customers paste.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import pytest
from pymodbus.client import AsyncModbusTcpClient

from site_agent.mailbox import (
    COMMAND_SIZE,
    STATUS_OFFSET,
    STATUS_SIZE,
    WATCHDOG_OFFSET,
    MailboxCommand,
    MailboxStatus,
    Result,
)
from site_agent.simulator import block
from site_agent.simulator.dosing import WATCHDOG_S
from site_agent.simulator.farm import Farm
from tests.plc import FaultyPlc
from tests.plc_structured_text import StructuredTextFeeder

MAILBOX, TOTAL, LID = 20, 14, 10
FEED = MailboxCommand(cmd_seq=7, last_seq=0, fence=3, op=1, arg_1=100)


class Plant(Protocol):
    """A feeder whose time and misfortunes a test decides."""

    @property
    def port(self) -> int:
        """Where it listens."""

    def slow(self) -> None:
        """From now on a dose takes until it is let."""

    async def settle(self) -> None:
        """Let what was begun end."""

    async def run_short(self) -> None:
        """Let the next dose of 100 g give 60."""

    async def open_lid(self) -> None:
        """By hand."""

    async def power_cycle(self) -> None:
        """Off and on; memory is retentive."""

    async def forsake(self) -> None:
        """Let the agent be silent for longer than the watchdog waits."""


class _FaultyPlant:
    """The feeder of the tests' PLC; its doses are done at once unless it is slow."""

    def __init__(self, plc: FaultyPlc) -> None:
        self._plc = plc
        self._feeder = plc.add_feeder(0)

    @property
    def port(self) -> int:
        return self._plc.port

    def slow(self) -> None:
        self._feeder.dose_s = 3600.0

    async def settle(self) -> None:
        pass

    async def run_short(self) -> None:
        self._feeder.short_g = 40

    async def open_lid(self) -> None:
        self._plc.set(LID, 1)

    async def power_cycle(self) -> None:
        self._plc.power_off()
        self._plc.power_on()

    async def forsake(self) -> None:
        self._feeder.forsake()


class _FarmPlant:
    """A simulated feeder whose clock stands still; slowed down so that a dose outlasts the watchdog."""

    def __init__(self, memory: Path) -> None:
        self._memory = memory
        self._now_s = 8 * 3600.0
        self.farm = self._fresh()

    def _fresh(self) -> Farm:
        return Farm(tick_s=0, now=lambda: self._now_s, speed=0.01, memory=self._memory)

    @property
    def port(self) -> int:
        return self.farm.addresses["plc-1"].port

    def slow(self) -> None:
        pass

    async def settle(self) -> None:
        self._now_s += 1000
        await self.farm.tick()

    async def run_short(self) -> None:
        offset, words = block.encode("hopper_kg", 0.06)
        await self.farm.write("plc-1", offset, words)

    async def open_lid(self) -> None:
        await self.farm.write("plc-1", LID, [1])

    async def power_cycle(self) -> None:
        self._now_s += 20  # 20 g of a dose
        await self.farm.tick()
        await self.farm.stop()
        self.farm = self._fresh()
        await self.farm.start()

    async def forsake(self) -> None:
        self._now_s += WATCHDOG_S + 1
        await self.farm.tick()


class _StructuredTextPlant:
    """The function block of docs/plc in the tests' PLC; a slow dose gives 20 g and goes on."""

    def __init__(self, plc: FaultyPlc) -> None:
        self._plc = plc
        self._feeder = StructuredTextFeeder(plc.registers, 0)
        plc.install(0, self._feeder)

    @property
    def port(self) -> int:
        return self._plc.port

    def slow(self) -> None:
        self._feeder.slow_g = 20

    async def settle(self) -> None:
        pass

    async def run_short(self) -> None:
        self._feeder.short_g = 40

    async def open_lid(self) -> None:
        self._plc.set(LID, 1)

    async def power_cycle(self) -> None:
        self._plc.power_off()
        self._plc.power_on()

    async def forsake(self) -> None:
        self._feeder.now_ms += round(1000 * WATCHDOG_S) + 1


@asynccontextmanager
async def _farm_plant(memory: Path) -> AsyncIterator[Plant]:
    plant = _FarmPlant(memory)
    await plant.farm.start()
    try:
        yield plant
    finally:
        await plant.farm.stop()


@pytest.fixture(params=["faulty PLC", "simulated farm", "structured text"])
async def plant(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Plant]:
    if request.param == "faulty PLC":
        with FaultyPlc.running() as plc:
            yield _FaultyPlant(plc)
    elif request.param == "structured text":
        with FaultyPlc.running() as plc:
            yield _StructuredTextPlant(plc)
    else:
        async with _farm_plant(tmp_path / "memory.json") as farm:
            yield farm


async def write(plant: Plant, words: tuple[int, ...], offset: int = 0) -> None:
    """One request; a PLC may refuse it."""
    async with AsyncModbusTcpClient("127.0.0.1", port=plant.port, retries=0) as client:
        await client.write_registers(MAILBOX + offset, list(words))


async def read(plant: Plant, address: int, count: int) -> list[int]:
    """Registers from the wire."""
    async with AsyncModbusTcpClient("127.0.0.1", port=plant.port, retries=0) as client:
        return list((await client.read_holding_registers(address, count=count)).registers)


async def status(plant: Plant) -> MailboxStatus:
    """The mailbox's answer."""
    return MailboxStatus.from_words(await read(plant, MAILBOX + STATUS_OFFSET, STATUS_SIZE))


async def total(plant: Plant) -> int:
    """Every gram that fell."""
    high, low = await read(plant, TOTAL, 2)
    return high << 16 | low


async def send(plant: Plant, command: MailboxCommand) -> MailboxStatus:
    """Write a command, let it end, read the answer."""
    await write(plant, command.words())
    await plant.settle()
    return await status(plant)


async def test_dose_that_is_asked_for_is_given_and_counted(plant: Plant) -> None:
    """Sequence, check and counters name the command."""
    answer = await send(plant, FEED)
    assert (answer.done_seq, answer.done_check, answer.result) == (7, FEED.check, Result.DONE)
    assert (answer.counter_before, answer.counter_after, answer.busy_seq, answer.fence) == (0, 100, 0, 3)
    assert await total(plant) == 100


@pytest.mark.invariant("I1")
async def test_command_repeated_after_its_end_is_inert(plant: Plant) -> None:
    """A request that a network delivers again feeds nobody."""
    answer = await send(plant, FEED)
    assert await send(plant, FEED) == answer
    assert await total(plant) == 100


@pytest.mark.invariant("I1")
@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"cmd_seq": 9, "last_seq": 6}, id="upon an end that is past"),
        pytest.param({"cmd_seq": 9, "last_seq": 7, "fence": 2}, id="of a lower fence"),
        pytest.param({"cmd_seq": 0, "last_seq": 7}, id="without a number"),
    ],
)
async def test_command_that_does_not_fit_the_state_is_inert(plant: Plant, change: dict[str, int]) -> None:
    """It changes nothing, not even the fence."""
    answer = await send(plant, FEED)
    assert await send(plant, replace(FEED, **change)) == answer
    assert await total(plant) == 100


async def test_half_of_a_command_is_inert(plant: Plant) -> None:
    """The check covers every word before it."""
    before = await status(plant)
    await write(plant, FEED.words()[:5])
    await write(plant, FEED.words()[5:8], offset=5)
    await plant.settle()
    assert await status(plant) == before


async def test_command_with_a_wrong_check_is_inert(plant: Plant) -> None:
    """A flipped bit feeds nobody."""
    before = await status(plant)
    words = FEED.words()
    await write(plant, (*words[: COMMAND_SIZE - 1], words[-1] ^ 1))
    await plant.settle()
    assert await status(plant) == before


async def test_command_sent_while_another_runs_is_inert(plant: Plant) -> None:
    """Also when it would fit otherwise, and the one that runs goes on."""
    plant.slow()
    await write(plant, FEED.words())
    await write(plant, replace(FEED, cmd_seq=8, arg_1=200).words())
    assert (await status(plant)).busy_seq == 7
    await plant.power_cycle()
    assert (await status(plant)).done_seq == 7


async def test_dose_that_falls_short_says_how_far_it_came(plant: Plant) -> None:
    """An empty hopper is counted, not assumed full."""
    await plant.run_short()
    answer = await send(plant, FEED)
    assert (answer.result, answer.counter_after - answer.counter_before) == (Result.SHORT, 60)


@pytest.mark.parametrize("change", [{"op": 9}, {"arg_1": 4}, {"arg_1": 501}])
async def test_command_with_a_bad_argument_ends_without_effect(plant: Plant, change: dict[str, int]) -> None:
    """It is answered, and its number is used up."""
    answer = await send(plant, replace(FEED, **change))
    assert (answer.done_seq, answer.result, await total(plant)) == (7, Result.BAD_ARGUMENT, 0)


async def test_dose_with_an_open_lid_is_interlocked(plant: Plant) -> None:
    """The PLC protects hands whoever asks."""
    await plant.open_lid()
    answer = await send(plant, FEED)
    assert (answer.done_seq, answer.result, await total(plant)) == (7, Result.INTERLOCKED, 0)


async def test_no_operation_makes_an_older_command_void(plant: Plant) -> None:
    """It moves the end and the fence on, and nothing else."""
    answer = await send(plant, MailboxCommand(cmd_seq=5, last_seq=0, fence=4, op=0))
    assert (answer.done_seq, answer.result, answer.fence) == (5, Result.DONE, 4)
    assert await send(plant, FEED) == answer
    assert await total(plant) == 0


@pytest.mark.invariant("I1")
async def test_power_cut_in_the_middle_of_a_dose_ends_it_interrupted(plant: Plant) -> None:
    """It is not resumed, and the counters tell how far it came."""
    plant.slow()
    await write(plant, FEED.words())
    await plant.power_cycle()
    answer = await send(plant, FEED)
    assert (answer.done_seq, answer.result, answer.busy_seq) == (7, Result.INTERRUPTED, 0)
    assert answer.counter_after - answer.counter_before == await total(plant) < 100


async def test_answer_and_fence_are_kept_over_a_power_cycle(plant: Plant) -> None:
    """What the agent reads after it is what it would have read before."""
    answer = await send(plant, FEED)
    await plant.power_cycle()
    assert await send(plant, FEED) == answer


@pytest.mark.invariant("I16")
async def test_watchdog_stops_a_dose_that_nobody_watches(plant: Plant) -> None:
    """An agent gone for good leaves no auger running."""
    plant.slow()
    await write(plant, (1,), offset=WATCHDOG_OFFSET)
    await write(plant, FEED.words())
    assert (await status(plant)).busy_seq == 7
    await plant.forsake()
    answer = await status(plant)
    assert (answer.done_seq, answer.result, answer.busy_seq) == (7, Result.INTERRUPTED, 0)
    assert await read(plant, MAILBOX + 23, 1) == [0]


@pytest.mark.invariant("I16")
async def test_dose_begun_after_a_silence_gets_the_watchdogs_whole_time(plant: Plant) -> None:
    """Whoever commands lives; its dose is not stopped for the silence before it."""
    plant.slow()
    await write(plant, (1,), offset=WATCHDOG_OFFSET)
    await plant.forsake()
    await write(plant, FEED.words())
    answer = await status(plant)
    assert (answer.busy_seq, await read(plant, MAILBOX + 23, 1)) == (7, [1])


@pytest.mark.invariant("I16")
async def test_watchdog_that_nobody_counts_is_off(plant: Plant) -> None:
    """An agent that is told to count none loses no dose for it."""
    plant.slow()
    await write(plant, FEED.words())
    await plant.forsake()
    assert ((await status(plant)).busy_seq, await read(plant, MAILBOX + 23, 1)) == (7, [1])


@pytest.mark.invariant("I16")
async def test_watchdog_of_before_a_power_cycle_is_forgotten(plant: Plant) -> None:
    """The word starts at 0 then, and so does the waiting."""
    await write(plant, (1,), offset=WATCHDOG_OFFSET)
    await status(plant)
    await plant.power_cycle()
    await plant.forsake()
    assert await read(plant, MAILBOX + WATCHDOG_OFFSET, 2) == [0, 1]


async def test_counters_of_a_later_dose_go_on_from_the_former(plant: Plant) -> None:
    """Both are the lifetime total."""
    await send(plant, FEED)
    answer = await send(plant, replace(FEED, cmd_seq=70_000, last_seq=7, fence=70_000, arg_1=5))
    assert (answer.done_seq, answer.fence, answer.result) == (70_000, 70_000, Result.DONE)
    assert (answer.counter_before, answer.counter_after) == (100, 105)
