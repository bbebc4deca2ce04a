from __future__ import annotations

from dataclasses import replace

import pytest
from rich.console import Console

from gateway.protocol.messages import Value
from site_agent.mailbox import MailboxStatus, Result
from site_agent.simulator import block
from site_agent.simulator.auger import NO_ALARM, Alarm
from site_agent.simulator.memory import at_power_up
from site_agent.simulator.picture import Diary, FeederPicture, Picture, Told
from site_agent.simulator.schedule import Slot
from site_agent.simulator.view import Trend, draw, sparks

NOON = 12 * 3600.0
NOTHING = MailboxStatus(done_seq=0, done_check=0, result=0, counter_before=0, counter_after=0, busy_seq=0, fence=0)
DOSED = replace(NOTHING, done_seq=7, result=Result.SHORT, counter_before=0, counter_after=40)
FRESH = FeederPicture(
    name="feeder-1",
    values=block.decode(at_power_up([], same_day=True)),
    alarms=NO_ALARM,
    meals=None,
    status=NOTHING,
)


def picture(feeder: FeederPicture = FRESH, *told: Told) -> Picture:
    """A farm of one feeder."""
    return Picture(farm_s=NOON, speed=60, scenario="jam-at-noon", feeders=(feeder,), told=told)


def with_values(**changed: Value) -> FeederPicture:
    """A fresh feeder but for these values."""
    return replace(FRESH, values={**FRESH.values, **changed})


def news(*feeders: FeederPicture) -> list[str]:
    """What the diary says from the first to the last."""
    diary = Diary()
    return [told.text for feeder in feeders for told in diary.turn(picture(feeder))]


@pytest.mark.parametrize(
    ("after", "lines"),
    [
        pytest.param(FRESH, [], id="nothing"),
        pytest.param(with_values(portion_g=80), ["portion_g 120 -> 80"], id="a setting"),
        pytest.param(with_values(lid_open=True), ["lid_open false -> true"], id="the lid"),
        pytest.param(with_values(fed_total_g=120), ["fed 120 g"], id="a meal"),
        pytest.param(with_values(fed_total_g=40, feeding=True), [], id="a meal under way"),
        pytest.param(replace(with_values(fed_total_g=40), status=DOSED), ["dose of 40 g short"], id="a dose"),
        pytest.param(with_values(oxygen_mg_l=3.9), ["oxygen under 4 mg/l"], id="little oxygen"),
        pytest.param(with_values(hopper_kg=30.0), ["hopper filled to 30.0 kg"], id="a filled hopper"),
        pytest.param(with_values(hopper_kg=24.9), [], id="less in the hopper"),
        pytest.param(
            replace(FRESH, alarms=Alarm.JAM | Alarm.DOSE_SHORT), ["ALARM jam", "ALARM dose short"], id="alarms"
        ),
        pytest.param(
            replace(FRESH, meals=(Slot(minute=540, grams=200),)), ["meal times: 09:00 200 g"], id="meal times"
        ),
    ],
)
def test_diary_tells_what_changed(after: FeederPicture, lines: list[str]) -> None:
    """And nothing else."""
    assert news(FRESH, after) == lines


def test_diary_tells_a_meal_as_a_whole_when_it_is_over() -> None:
    """Not every gram of it."""
    steps = [with_values(fed_total_g=grams, feeding=True) for grams in (0, 40, 80)]
    assert news(FRESH, *steps, with_values(fed_total_g=120)) == ["fed 120 g"]


def test_diary_tells_low_oxygen_once_while_it_ripples() -> None:
    """And its end when it is over for good."""
    ripple = [with_values(oxygen_mg_l=value) for value in (3.99, 4.02, 3.98, 4.2)]
    assert news(FRESH, *ripple) == ["oxygen under 4 mg/l", "oxygen over 4 mg/l again"]


def test_diary_tells_the_end_of_an_alarm() -> None:
    """Somebody cleared it."""
    assert news(replace(FRESH, alarms=Alarm.JAM), FRESH) == ["alarm over: jam"]


def test_diary_tells_what_the_scenario_did_once() -> None:
    """With its own time."""
    diary, jam = Diary(), Told(at_s=NOON - 5, feeder="feeder-1", text="a lump jams the auger")
    assert diary.turn(picture(FRESH, jam)) == [jam]
    assert diary.turn(picture(FRESH, jam)) == []


def drawn(feeder: FeederPicture, width: int = 100, height: int = 30) -> str:
    """The picture as text, in a terminal of this size."""
    trend, shown = Trend(), replace(picture(), feeders=(feeder,) * 4)
    trend.add(shown)
    console = Console(width=width, height=height, force_terminal=True, no_color=True, legacy_windows=False)
    with console.capture() as capture:
        told = [Told(at_s=NOON, feeder="feeder-1", text=f"thing {number}") for number in range(50)]
        console.print(draw(shown, trend, told, teaches="It jams.", width=width, height=height))
    return capture.get()


def test_view_shows_what_a_person_beside_the_feeder_sees() -> None:
    """Time, scenario, settings, hopper, oxygen, food of today."""
    text = drawn(with_values(fed_today_g=360))
    for shown in ("12:00:00", "x60", "jam-at-noon", "It jams.", "120 g every 30 min", "25.00 kg", "8.0 mg/l", "360 g"):
        assert shown in text


@pytest.mark.parametrize(
    ("feeder", "shown"),
    [
        pytest.param(replace(FRESH, alarms=Alarm.JAM | Alarm.DOSE_SHORT), "jam · dose short", id="alarms"),
        pytest.param(with_values(feeding=True), "● meal", id="a meal"),
        pytest.param(replace(with_values(feeding=True), status=replace(DOSED, busy_seq=8)), "● dose", id="a dose"),
        pytest.param(with_values(lid_open=True), "lid open", id="an open lid"),
        pytest.param(with_values(service_mode=True), "service", id="somebody at work"),
        pytest.param(with_values(enabled=False), "○ rests", id="switched off"),
        pytest.param(replace(FRESH, meals=()), "no meals", id="no meal times"),
    ],
)
def test_view_shows_what_the_feeder_is_about(feeder: FeederPicture, shown: str) -> None:
    """In words."""
    assert shown in drawn(feeder)


@pytest.mark.parametrize(("width", "height"), [(80, 24), (100, 30), (200, 60)])
def test_view_fits_its_terminal_and_shows_the_newest_last(width: int, height: int) -> None:
    """Nothing is pushed out at the bottom."""
    lines = drawn(FRESH, width, height).splitlines()
    assert len(lines) <= height
    assert "thing 49" in lines[-2]


def test_sparks_are_higher_for_more_and_as_wide_as_asked() -> None:
    """The newest is at the right."""
    assert sparks([2.0, 10.0], 4) == "  ▁█"
    assert sparks([-5.0, 99.0], 2) == "▁█"
    assert sparks([2.0, 3.0, 10.0], 1) == "█"
