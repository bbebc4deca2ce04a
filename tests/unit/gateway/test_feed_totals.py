"""How far a counter rose, and what was planned: from values over time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gateway.days import Day
from gateway.feed_totals import planned, rises
from gateway.protocol.meals import MealPlan, MealSlot

START = datetime(2026, 11, 22, tzinfo=UTC)
DAY = Day(START.date(), START, START + timedelta(days=1))
PLAN = MealPlan(
    counter="fed_total_g",
    enabled="enabled",
    interval="interval_min",
    portion="portion_g",
    schedule="schedule_on",
    slots=(MealSlot(minute="meal_1_min", grams="meal_1_g"), MealSlot(minute="meal_2_min", grams="meal_2_g")),
)
SCHEDULE = {"meal_1_min": 0, "meal_1_g": 100, "meal_2_min": 720, "meal_2_g": 50}


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        pytest.param([(-5, 100.0), (5, 130.0), (15, 150.0)], [30.0, 20.0], id="each day its own"),
        pytest.param([(5, 130.0), (8, 140.0)], [10.0, None], id="nothing before: from the first value on"),
        pytest.param([(-5, 100.0)], [None, None], id="not read"),
        pytest.param([(-5, 100.0), (5, 100.0)], [0.0, None], id="read, and nothing fell"),
        pytest.param([(-5, 100.0), (5, 30.0), (8, 50.0)], [50.0, None], id="began anew at 0"),
        pytest.param([(-5, 2.0**32 - 10), (5, 15.0)], [25.0, None], id="wrapped"),
        pytest.param([(-5, 100.0), (15, 180.0)], [None, 80.0], id="a gap: where it was seen"),
    ],
)
def test_rise_of_a_counter_is_counted_by_day(steps: list[tuple[int, float]], expected: list[float | None]) -> None:
    """Two days, of ten seconds each."""
    found = rises(steps, [(0, 10), (10, 20)])
    assert [None if each is None else each.grams for each in found] == expected


def test_rise_without_a_value_before_it_is_not_the_whole() -> None:
    """Nobody knows what fell earlier on that day; of the next day it is known."""
    found = rises([(5, 130.0), (8, 140.0), (15, 150.0)], [(0, 10), (10, 20)])
    assert [each is not None and each.whole for each in found] == [False, True]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param({"enabled": True, "schedule_on": True, **SCHEDULE}, 150.0, id="schedule"),
        pytest.param({"enabled": False, "schedule_on": True, **SCHEDULE}, 0.0, id="rests"),
        pytest.param(
            {"enabled": True, "schedule_on": False, "portion_g": 50, "interval_min": 60}, 1_200.0, id="interval"
        ),
        pytest.param({"enabled": None, "portion_g": None}, None, id="nothing known"),
    ],
)
def test_plan_of_a_day_is_that_of_its_settings(values: dict[str, float | bool | None], expected: float | None) -> None:
    """A meal at midnight belongs to the day that begins."""
    found = planned(PLAN, values, DAY, DAY.end + timedelta(days=1))
    assert (None if found is None else (found.whole_g, found.due_g)) == (
        None if expected is None else (expected, expected)
    )


@pytest.mark.parametrize(
    ("hours", "values", "due_g"),
    [
        (6, {"enabled": True, "schedule_on": True, **SCHEDULE}, 100.0),
        (12, {"enabled": True, "schedule_on": True, **SCHEDULE}, 100.0),
        (13, {"enabled": True, "schedule_on": True, **SCHEDULE}, 150.0),
        (12 + 1 / 6, {"enabled": True, "schedule_on": False, "portion_g": 50, "interval_min": 60}, 600.0),
        (-1, {"enabled": True, "schedule_on": False, "portion_g": 50, "interval_min": 60}, 0.0),
    ],
)
def test_meal_is_due_when_its_window_is_over(
    hours: float, values: dict[str, float | bool | None], due_g: float
) -> None:
    """On a day that is not over, what is still to come is no shortfall."""
    found = planned(PLAN, values, DAY, DAY.start + timedelta(hours=hours))
    assert found is not None
    assert found.due_g == pytest.approx(due_g)
