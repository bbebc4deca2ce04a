"""What was planned for a day, from a feeder's settings."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gateway.days import Day
from gateway.feed_totals import planned
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
    ("values", "expected"),
    [
        pytest.param({"enabled": True, "schedule_on": True, **SCHEDULE}, 150.0, id="schedule"),
        pytest.param({"enabled": False, "schedule_on": True, **SCHEDULE}, 0.0, id="rests"),
        pytest.param(
            {"enabled": True, "schedule_on": False, "portion_g": 50, "interval_min": 60}, 1_200.0, id="interval"
        ),
        pytest.param(
            {"enabled": True, "schedule_on": False, "portion_g": 50, "interval_min": 0}, 0.0, id="no interval"
        ),
        pytest.param({"enabled": False, "schedule_on": None}, 0.0, id="rests, whatever else"),
        pytest.param({"enabled": None, "portion_g": None}, None, id="nothing known"),
        pytest.param({"enabled": None, "schedule_on": True, **SCHEDULE}, None, id="whether it rests is not known"),
        pytest.param({"enabled": True, "schedule_on": None, **SCHEDULE}, None, id="how it feeds is not known"),
        pytest.param({"enabled": True, "schedule_on": False, "interval_min": 60}, None, id="portion is not known"),
        pytest.param(
            {"enabled": True, "schedule_on": True, **SCHEDULE, "meal_2_g": None}, None, id="one meal is not known"
        ),
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
        (1 / 3_600, {"enabled": True, "schedule_on": True, **SCHEDULE}, 0.0),
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


def test_plan_in_a_time_zone_that_this_machine_does_not_know_is_not_known() -> None:
    """A site may know more zones than we do: the others' days are still told."""
    elsewhere = PLAN.model_copy(update={"time_zone": "Atlantis/Capital"})
    values: dict[str, float | bool | None] = {"enabled": True, "schedule_on": True, **SCHEDULE}
    assert planned(elsewhere, values, DAY, DAY.end) is None
