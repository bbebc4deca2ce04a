from __future__ import annotations

from math import inf

import pytest

from site_agent.simulator import block
from site_agent.simulator.feeder import Feeder, Settings, advance
from site_agent.simulator.schedule import DAY_S, Slot, next_slot_s, slots

EIGHT = 8 * 3600.0
FEEDER = Feeder(now_s=EIGHT, timer_s=EIGHT, hopper_kg=25.0, fed_today_g=0)
BREAKFAST, LUNCH = Slot(minute=9 * 60, grams=200), Slot(minute=12 * 60, grams=300)
BY_TIMES = Settings(portion_g=120, interval_min=30, enabled=True, meals=(LUNCH, BREAKFAST))


def words(*schedule: int) -> list[int]:
    """A feeder's registers with these from +50 on."""
    held = [0] * block.SIZE
    held[block.SCHEDULE : block.SCHEDULE + len(schedule)] = schedule
    return held


@pytest.mark.parametrize(
    ("schedule", "found"),
    [
        pytest.param((0, 540, 200), None, id="off"),
        pytest.param((1,), (), id="on, without a meal"),
        pytest.param((1, 540, 200, 720, 300), (BREAKFAST, LUNCH), id="two meals"),
        pytest.param((1, 540, 200, 1440, 300), (BREAKFAST,), id="a minute that no day has"),
    ],
)
def test_slots_are_read_from_the_registers(schedule: tuple[int, ...], found: tuple[Slot, ...] | None) -> None:
    """No grams is no meal."""
    assert slots(words(*schedule)) == found


def test_next_slot_is_strictly_later_and_may_be_tomorrow() -> None:
    """A meal is begun once."""
    meals = (BREAKFAST, LUNCH)
    assert next_slot_s(meals, EIGHT) == 9 * 3600
    assert next_slot_s(meals, 9 * 3600.0) == 12 * 3600
    assert next_slot_s(meals, 12 * 3600.0) == DAY_S + 9 * 3600
    assert next_slot_s((), EIGHT) == inf


def test_feeder_with_meal_times_feeds_at_them_and_not_at_its_interval() -> None:
    """The interval rests."""
    assert advance(FEEDER, BY_TIMES, 8.99 * 3600).fed_today_g == 0
    assert advance(FEEDER, BY_TIMES, 9 * 3600.0).fed_today_g == 200
    assert advance(FEEDER, BY_TIMES, 23 * 3600.0).fed_today_g == 500


def test_feeder_whose_meal_times_end_starts_a_whole_interval() -> None:
    """As after any rest."""
    rested = advance(FEEDER, BY_TIMES, 8.5 * 3600)
    by_interval = Settings(portion_g=120, interval_min=30, enabled=True)
    assert advance(rested, by_interval, 8.5 * 3600 + 1799).fed_today_g == 0
    assert advance(rested, by_interval, 8.5 * 3600 + 1800).fed_today_g == 120


def test_two_meals_of_the_same_minute_are_both_given() -> None:
    """No food that people planned is lost."""
    settings = Settings(portion_g=120, interval_min=30, enabled=True, meals=(LUNCH, LUNCH))
    assert advance(FEEDER, settings, 13 * 3600.0).fed_today_g == 600


def test_feeder_switched_off_rests_at_its_meal_times_too() -> None:
    """And does not make up for them."""
    off = Settings(portion_g=120, interval_min=30, enabled=False, meals=(BREAKFAST,))
    assert advance(FEEDER, off, 13 * 3600.0).fed_today_g == 0


@pytest.mark.parametrize(
    ("offset", "given", "code"),
    [
        pytest.param(50, [1, 540, 200, 720, 300, 0, 0, 0, 0], 0, id="all of it"),
        pytest.param(50, [2], 3, id="neither on nor off"),
        pytest.param(51, [1440], 3, id="no minute of the day"),
        pytest.param(58, [2001], 3, id="too much"),
        pytest.param(59, [0], 2, id="spare"),
        pytest.param(49, [0], 2, id="before it"),
        pytest.param(block.ALARMS, [0], 2, id="the alarms"),
    ],
)
def test_write_to_the_meal_times_is_judged(offset: int, given: list[int], code: int) -> None:
    """By the PLC itself, like every setting."""
    assert block.refusal(offset, given) == code
