"""What happens on the simulated farm in each scenario, seen over Modbus TCP."""

from __future__ import annotations

import json
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from site_agent.mailbox import STATUS_SIZE, MailboxCommand, MailboxStatus, Result
from site_agent.simulator import block
from site_agent.simulator.auger import NO_ALARM, Alarm
from site_agent.simulator.farm import Farm
from site_agent.simulator.scenario import BY_NAME
from tests.farms import Clock, ask, values

#: feeder -> where it is
PLACES = {"feeder-1": ("plc-1", 0), "feeder-2": ("plc-1", 100), "feeder-3": ("plc-2", 0), "feeder-4": ("plc-2", 100)}


class Site:
    """A farm whose clock shows what a test says."""

    def __init__(self, name: str, start: str | None = None, seed: int = 1) -> None:
        scenario = BY_NAME[name]
        began = start or scenario.start
        assert began is not None
        self._clock = Clock(hour=10)
        self._ahead_s = seconds(began) - self._clock.now_s
        self.farm = Farm(tick_s=0, now=self._clock, scenario=scenario, start_s=seconds(began), seed=seed)

    async def until(self, time: str) -> None:
        """Let the farm live to this time of its first day."""
        self._clock.now_s = seconds(time) - self._ahead_s
        await self.farm.tick()

    async def held(self, feeder: str) -> dict[str, object]:
        """Its values."""
        plc, base = PLACES[feeder]
        return await values(self.farm, plc=plc, base=base)

    async def alarms(self, feeder: str) -> Alarm:
        """Its alarm word."""
        plc, base = PLACES[feeder]
        reply = await ask(self.farm, struct.pack(">BHH", 3, base + block.ALARMS, 1), plc=plc)
        return Alarm(int.from_bytes(reply[2:]))

    async def write(self, feeder: str, offset: int, *words: int) -> None:
        """As any Modbus client does, in one request."""
        plc, base = PLACES[feeder]
        pdu = struct.pack(f">BHHB{len(words)}H", 16, base + offset, len(words), 2 * len(words), *words)
        assert await ask(self.farm, pdu, plc=plc) == pdu[:5]

    async def dose(self, feeder: str, grams: int) -> None:
        """Ask for the first dose."""
        await self.write(
            feeder, block.MAILBOX, *MailboxCommand(cmd_seq=7, last_seq=0, fence=1, op=1, arg_1=grams).words()
        )

    async def answer(self, feeder: str) -> MailboxStatus:
        """What its mailbox says."""
        plc, base = PLACES[feeder]
        reply = await ask(self.farm, struct.pack(">BHH", 3, base + block.STATUS, STATUS_SIZE), plc=plc)
        return MailboxStatus.from_words(struct.unpack(f">{STATUS_SIZE}H", reply[2:]))


def seconds(time: str) -> float:
    """HH:MM or HH:MM:SS as a second of the day."""
    hours, minutes, second = (*map(int, time.split(":")), 0)[:3]
    return float(3600 * hours + 60 * minutes + second)


@asynccontextmanager
async def living(name: str, start: str | None = None, seed: int = 1) -> AsyncIterator[Site]:
    """A farm in this scenario."""
    site = Site(name, start, seed)
    async with site.farm:
        yield site


async def test_farm_begins_at_the_time_it_is_told() -> None:
    """Its first meal comes at noon, two minutes after it was started."""
    async with living("ordinary-day", "11:58") as site:
        await site.until("11:59:59")
        assert (await site.held("feeder-1"))["fed_today_g"] == 0
        await site.until("12:02")
        assert (await site.held("feeder-1"))["fed_today_g"] == 120


async def test_meal_of_an_ordinary_day_is_seen_while_it_falls() -> None:
    """It takes a minute, and every gram counts at once."""
    async with living("ordinary-day", "11:58") as site:
        await site.until("12:00:30")
        held = await site.held("feeder-1")
        assert (held["feeding"], held["fed_today_g"], held["fed_total_g"]) == (True, 60, 60)
        await site.until("12:01:05")
        held = await site.held("feeder-1")
        assert (held["feeding"], held["fed_today_g"], held["fed_total_g"]) == (False, 120, 120)


async def test_dose_of_an_ordinary_day_is_counted_exactly_and_weighs_about_that() -> None:
    """The mailbox's counters tell the turns of the auger; the scale tells what fell."""
    async with living("ordinary-day", "11:58") as site:
        before = (await site.held("feeder-3"))["hopper_kg"]
        await site.dose("feeder-3", 500)
        await site.until("11:58:30")
        answer, after = await site.answer("feeder-3"), (await site.held("feeder-3"))["hopper_kg"]
    assert (answer.result, answer.counter_after - answer.counter_before) == (Result.DONE, 500)
    assert isinstance(before, float)
    assert isinstance(after, float)
    assert 0.485 <= before - after <= 0.515
    assert round(before - after, 3) != 0.5


async def test_meal_under_way_waits_for_a_dose() -> None:
    """One auger: the dose's counters tell the dose alone, and the meal is whole in the end."""
    async with living("ordinary-day", "11:58") as site:
        await site.until("12:00:30")
        await site.dose("feeder-1", 200)
        await site.until("12:00:45")
        answer = await site.answer("feeder-1")
        assert (answer.counter_before, answer.counter_after) == (60, 260)
        await site.until("12:02")
        assert (await site.held("feeder-1"))["fed_total_g"] == 320


async def test_same_seed_gives_the_same_farm() -> None:
    """To the last register, though it was looked at more often."""
    told = []
    for looks in (("12:30",), ("12:00:20", "12:05", "12:30")):
        async with living("ordinary-day", "11:58", seed=5) as site:
            for time in looks:
                await site.until(time)
            told.append([(await site.held(feeder))["hopper_kg"] for feeder in PLACES])
    assert told[0] == told[1]


async def test_jam_at_noon_ends_the_meal_short_until_it_is_cleared() -> None:
    """Forty grams had fallen; after 12:45 the next meal is whole and takes the alarm back."""
    async with living("jam-at-noon") as site:
        await site.until("12:00:24")
        assert await site.alarms("feeder-1") == NO_ALARM
        await site.until("12:00:26")
        assert await site.alarms("feeder-1") == Alarm.JAM | Alarm.DOSE_SHORT
        assert (await site.held("feeder-1"))["fed_total_g"] == 40
        await site.until("12:44")
        assert (await site.held("feeder-1"))["fed_total_g"] == 40
        await site.until("12:46")
        assert await site.alarms("feeder-1") == Alarm.DOSE_SHORT
        await site.until("13:02")
        assert await site.alarms("feeder-1") == NO_ALARM
        assert (await site.held("feeder-1"))["fed_total_g"] == 160
        assert (await site.held("feeder-2"))["fed_total_g"] == 240


async def test_dose_of_a_jammed_feeder_ends_short_with_what_fell() -> None:
    """The mailbox says so, and how little."""
    async with living("jam-at-noon") as site:
        await site.until("12:10")
        await site.dose("feeder-1", 200)
        await site.until("12:10:04")
        assert (await site.answer("feeder-1")).busy_seq == 7
        await site.until("12:10:06")
        answer = await site.answer("feeder-1")
        assert (answer.result, answer.counter_after - answer.counter_before) == (Result.SHORT, 0)


async def test_jam_is_cleared_by_whoever_works_at_the_feeder() -> None:
    """The key of the service mode, turned and turned back, however quickly."""
    async with living("jam-at-noon") as site:
        await site.until("12:10")
        assert await site.alarms("feeder-1") == Alarm.JAM | Alarm.DOSE_SHORT
        await site.write("feeder-1", block.SERVICE_MODE, 1)
        assert await site.alarms("feeder-1") == Alarm.JAM | Alarm.DOSE_SHORT
        await site.write("feeder-1", block.SERVICE_MODE, 0)
        assert await site.alarms("feeder-1") == Alarm.DOSE_SHORT
        await site.until("12:32")
        assert (await site.held("feeder-1"))["fed_total_g"] == 160


async def test_motor_fault_stops_the_feeder_until_it_is_mended() -> None:
    """The contact tells at once."""
    async with living("motor-fault") as site:
        await site.until("12:02:21")
        assert await site.alarms("feeder-2") == Alarm.MOTOR_FAULT | Alarm.DOSE_SHORT
        await site.until("12:41")
        assert await site.alarms("feeder-2") == Alarm.DOSE_SHORT
        await site.until("13:04")
        assert await site.alarms("feeder-2") == NO_ALARM


async def test_slow_auger_ends_its_meals_over_time() -> None:
    """Twice the time and five seconds, then the PLC gives up."""
    async with living("slow-auger") as site:
        await site.until("12:20")
        assert await site.alarms("feeder-3") == Alarm.DOSE_SHORT | Alarm.DOSE_OVER_TIME
        assert 40 <= int(str((await site.held("feeder-3"))["fed_total_g"])) <= 60
        await site.until("13:40")
        assert await site.alarms("feeder-3") == NO_ALARM


async def test_empty_hopper_ends_the_meals_until_it_is_filled() -> None:
    """Three hundred grams are two meals and a half."""
    async with living("empty-hopper") as site:
        await site.until("09:04")
        assert 290 <= int(str((await site.held("feeder-2"))["fed_total_g"])) <= 310
        assert await site.alarms("feeder-2") == Alarm.DOSE_SHORT
        await site.until("10:04")
        assert await site.alarms("feeder-2") == NO_ALARM


async def test_panel_edit_changes_the_registers_and_the_meals() -> None:
    """Nobody asked the agent."""
    async with living("panel-edit") as site:
        await site.until("08:06")
        assert (await site.held("feeder-1"))["portion_g"] == 80
        assert (await site.held("feeder-3"))["interval_min"] == 20
        await site.until("08:32")
        # The first meal had begun in the second of the edit.
        assert (await site.held("feeder-1"))["fed_total_g"] == 200


async def test_lid_left_open_refuses_doses_and_feeds_on() -> None:
    """The PLC's own interlock, from nine to half past."""
    async with living("lid-left-open") as site:
        await site.until("09:01")
        assert (await site.held("feeder-4"))["lid_open"] is True
        await site.dose("feeder-4", 100)
        assert (await site.answer("feeder-4")).result == Result.INTERLOCKED
        await site.until("09:31")
        held = await site.held("feeder-4")
        assert (held["lid_open"], held["fed_total_g"]) == (False, 120)


async def test_oxygen_of_the_night_falls_under_four_and_comes_back() -> None:
    """At every feeder, before dawn."""
    async with living("night-oxygen") as site:
        for time, low in (("01:31", False), ("05:00", True), ("11:00", False)):
            await site.until(time)
            for feeder in PLACES:
                oxygen_mg_l = (await site.held(feeder))["oxygen_mg_l"]
                assert isinstance(oxygen_mg_l, float)
                assert (oxygen_mg_l < 4.0) is low


async def test_scale_drifts_while_the_farm_keeps_the_true_mass() -> None:
    """A feeder at rest shows another weight; one at work feeds all that it really holds."""
    async with living("ordinary-day", "06:00") as site:
        for feeder in PLACES:
            await site.write(feeder, 2, 0)
        shown = set()
        for hour in range(7, 23, 3):
            await site.until(f"{hour}:00")
            shown.add((await site.held("feeder-1"))["hopper_kg"])
    assert len(shown) > 2
    assert all(24.6 < float(str(each)) < 25.4 for each in shown)


async def test_meal_times_written_by_a_client_are_obeyed() -> None:
    """In one request; the interval rests while they are on."""
    async with living("calm", "08:00") as site:
        await site.write("feeder-1", block.SCHEDULE, 1, 9 * 60, 200, 12 * 60, 300, 0, 0, 0, 0)
        await site.until("08:59")
        assert (await site.held("feeder-1"))["fed_today_g"] == 0
        await site.until("13:00")
        assert (await site.held("feeder-1"))["fed_today_g"] == 500
        assert (await site.held("feeder-2"))["fed_today_g"] == 1200


@pytest.mark.parametrize("size", [10, 44])
async def test_memory_from_before_meal_times_is_filled_up(tmp_path: Path, size: int) -> None:
    """What was kept is there, and the schedule is off."""
    memory, clock = tmp_path / "memory.json", Clock(hour=8)
    old = [130, 45, 1, 0, *block.encode("hopper_kg", 12.5)[1], 360, 0, 0, 0, *[0] * 34][:size]
    kept = {plc: {base: old for base in (0, 100)} for plc in ("plc-1", "plc-2")}
    memory.write_text(json.dumps({"day": 0, "plcs": kept}))
    async with Farm(tick_s=0, now=clock, memory=memory) as farm:
        assert (await values(farm))["portion_g"] == 130
        assert await farm.read("plc-1", block.SCHEDULE, 10) == (0,) * 10
        assert await farm.read("plc-1", block.ALARMS, 1) == (0,)


async def test_jam_is_forgotten_when_the_farm_ends(tmp_path: Path) -> None:
    """A memory from a farm in trouble starts a calm one in order; that the last meal was short is still known."""
    memory, clock, jam = tmp_path / "memory.json", Clock(hour=10), BY_NAME["jam-at-noon"]
    async with Farm(tick_s=0, now=clock, memory=memory, scenario=jam, start_s=seconds("11:58")) as farm:
        clock.now_s += 300
        await farm.tick()
        assert await farm.read("plc-1", block.ALARMS, 1) == (Alarm.JAM | Alarm.DOSE_SHORT,)
    async with Farm(tick_s=0, now=clock, memory=memory) as farm:
        assert await farm.read("plc-1", block.ALARMS, 1) == (Alarm.DOSE_SHORT,)
