"""The simulated farm's mailboxes, in what is theirs alone; tests/contract has what all mailboxes promise."""

from __future__ import annotations

import json
import shutil
import struct
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from site_agent.mailbox import STATUS_SIZE, MailboxCommand, MailboxStatus, Result
from site_agent.simulator import block
from site_agent.simulator.command import simulate
from site_agent.simulator.farm import Farm
from site_agent.simulator.retention import recall
from tests.farms import Clock, ask, values

PLCS = ("plc-1", "plc-2")
#: Takes 5 s of the farm.
DOSE = MailboxCommand(cmd_seq=7, last_seq=0, fence=3, op=1, arg_1=500)


async def command(farm: Farm, given: MailboxCommand) -> None:
    """Written into the mailbox of feeder-1 in one request."""
    words = given.words()
    pdu = struct.pack(f">BHHB{len(words)}H", 16, block.MAILBOX, len(words), 2 * len(words), *words)
    assert await ask(farm, pdu) == pdu[:5]


async def status(farm: Farm) -> MailboxStatus:
    """The answer of feeder-1's mailbox."""
    reply = await ask(farm, struct.pack(">BHH", 3, block.STATUS, STATUS_SIZE))
    return MailboxStatus.from_words(struct.unpack(f">{STATUS_SIZE}H", reply[2:]))


@pytest.fixture
async def clock() -> Clock:
    return Clock(hour=8)


@pytest.fixture
async def farm(clock: Clock) -> AsyncIterator[Farm]:
    async with Farm(tick_s=0, now=clock) as farm:
        yield farm


async def test_memory_kept_while_a_dose_ran_ends_it_interrupted(tmp_path: Path, clock: Clock) -> None:
    """A power cut is not a pause, and what had fallen is counted once."""
    memory = tmp_path / "memory.json"
    async with Farm(tick_s=0, now=clock, memory=memory) as farm:
        await command(farm, DOSE)
        clock.now_s += 2
        await farm.tick()
        assert (await status(farm)).busy_seq == 7
    clock.now_s += 3600
    async with Farm(tick_s=0, now=clock, memory=memory) as farm:
        answer = await status(farm)
        assert (answer.done_seq, answer.result, answer.busy_seq) == (7, Result.INTERRUPTED, 0)
        assert (answer.counter_before, answer.counter_after) == (0, 200)
        held = await values(farm)
        assert (held["fed_total_g"], held["feeding"]) == (200, False)


async def test_memory_of_a_farm_without_mailboxes_is_still_read(tmp_path: Path, clock: Clock) -> None:
    """Ten registers a feeder were all that there was; the rest is fresh."""
    memory = tmp_path / "memory.json"
    old = [130, 45, 1, 0, *block.encode("hopper_kg", 12.5)[1], 360, 0, 0, 0]
    kept = {plc: {base: old for base in (0, 100)} for plc in PLCS}
    memory.write_text(json.dumps({"day": int(clock.now_s // 86_400), "plcs": kept}))
    async with Farm(tick_s=0, now=clock, memory=memory) as farm:
        held = await values(farm)
        assert (held["portion_g"], held["hopper_kg"], held["fed_today_g"]) == (130, 12.5, 360)
        await command(farm, DOSE)
        clock.now_s += 10
        await farm.tick()
        assert (await status(farm)).result == Result.DONE


async def test_command_is_retained_before_its_answer_leaves(tmp_path: Path, clock: Clock) -> None:
    """Whoever has the answer may rely on what the PLC would say after a power cut."""
    memory = tmp_path / "memory.json"
    async with Farm(tick_s=0, now=clock, memory=memory) as farm:
        await command(farm, DOSE)
        kept = recall(memory)
        assert kept is not None
        assert kept.runs["plc-1"][0].asked_g == 500
        assert MailboxStatus.from_words(kept.plcs["plc-1"][0][30:42]).busy_seq == 7


async def test_memory_that_cannot_be_kept_stops_no_feeder(tmp_path: Path, clock: Clock) -> None:
    """A full disk is logged; the PLC answers."""
    folder = tmp_path / "folder"
    folder.mkdir()
    farm = Farm(tick_s=0, now=clock, memory=folder / "memory.json")
    async with farm:
        shutil.rmtree(folder)
        await command(farm, DOSE)
        assert (await status(farm)).busy_seq == 7
        assert await ask(farm, bytes.fromhex("06 0000 00c8")) == bytes.fromhex("06 0000 00c8")
        folder.mkdir()


async def test_feeding_is_seen_as_long_as_a_dose_runs(farm: Farm, clock: Clock) -> None:
    """Its own register, from the command to the end, while the total rises."""
    assert (await values(farm))["feeding"] is False
    await command(farm, DOSE)
    assert (await values(farm))["feeding"] is True
    clock.now_s += 2
    await farm.tick()
    held = await values(farm)
    assert (held["feeding"], held["fed_total_g"], held["fed_today_g"]) == (True, 200, 200)
    clock.now_s += 10
    await farm.tick()
    held = await values(farm)
    assert (held["feeding"], held["fed_total_g"], held["fed_today_g"]) == (False, 500, 500)


async def test_dose_of_one_feeder_leaves_its_neighbours_alone(farm: Farm, clock: Clock) -> None:
    """Each has a mailbox of its own."""
    await command(farm, DOSE)
    clock.now_s += 10
    await farm.tick()
    assert (await values(farm, base=100))["fed_total_g"] == 0
    assert (await values(farm, plc="plc-2"))["fed_total_g"] == 0


async def test_meal_that_is_due_during_a_dose_comes_after_it(farm: Farm, clock: Clock) -> None:
    """One auger; the counters of the dose tell the dose alone."""
    clock.now_s += 1799
    await farm.tick()
    await command(farm, DOSE)
    clock.now_s += 2
    await farm.tick()
    assert (await values(farm))["fed_total_g"] == 200
    clock.now_s += 10
    await farm.tick()
    answer = await status(farm)
    assert answer.counter_after - answer.counter_before == 500
    assert (await values(farm))["fed_total_g"] == 620


def test_help_teaches_a_command_that_the_farm_takes() -> None:
    """Words and registers of the example are those of the code."""
    told = CliRunner().invoke(simulate, ["--help"]).output
    example = " ".join(map(str, replace(DOSE, arg_1=100).words()))
    assert f"mbpoll -m tcp -p 5020 -0 -r 20 -1 127.0.0.1 {example}\n" in told
    assert "mbpoll -m tcp -p 5020 -0 -r 30 -c 12 -1 127.0.0.1" in told
    assert "4 interlocked" in " ".join(told.split())
