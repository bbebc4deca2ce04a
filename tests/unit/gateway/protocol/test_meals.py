"""When a feeder should feed: by its slots in the local day, across clock changes, or by its interval."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.protocol.meals import MealPlan, MealSlot, clock_of, interval_of, meals_of, unseen_meal, zone
from gateway.protocol.messages import Value

SLOTS = MealPlan(
    counter="total",
    enabled="enabled",
    interval="interval",
    schedule="scheduled",
    slots=(MealSlot(minute="m1", grams="g1"), MealSlot(minute="m2", grams="g2")),
    time_zone="Europe/Madrid",
)


def _values(m1: int = 7 * 60, m2: int = 19 * 60, **more: Value) -> dict[str, Value | None]:
    return {"enabled": True, "scheduled": True, "interval": 30, "m1": m1, "g1": 100, "m2": m2, "g2": 200, **more}


def _at(month: int, day: int, hour: float) -> datetime:
    return datetime(2026, month, day, tzinfo=UTC) + timedelta(hours=hour)


@pytest.mark.parametrize(("month", "day", "hour"), [(1, 10, 6), (7, 10, 5), (3, 28, 6), (3, 29, 5), (10, 25, 6)])
def test_slot_is_at_its_local_time_all_year(month: int, day: int, hour: int) -> None:
    """Seven in Madrid is six or five in UTC, also on the days of the change."""
    found = meals_of(SLOTS, _values(), _at(month, day, 0), _at(month, day, 12))
    assert [meal.at for meal in found] == [_at(month, day, hour)]


def test_slot_in_the_hour_that_does_not_exist_is_one_meal() -> None:
    """On the night of spring two o'clock is followed by three."""
    found = meals_of(SLOTS, _values(m1=2 * 60 + 30), _at(3, 28, 12), _at(3, 29, 12))
    assert [meal.grams for meal in found] == [200, 100]
    both = meals_of(SLOTS, _values(m1=2 * 60 + 30, m2=3 * 60), _at(3, 29, 0), _at(3, 29, 12))
    assert [(meal.grams, meal.opens <= meal.at <= meal.closes) for meal in both] == [(200, True), (100, True)]


def test_slot_of_no_grams_is_no_meal() -> None:
    """An empty slot stands for nothing."""
    found = meals_of(SLOTS, _values(g1=0), _at(6, 1, 0), _at(6, 2, 0))
    assert [meal.grams for meal in found] == [200]


@pytest.mark.parametrize("more", [{"enabled": False}, {"scheduled": False}, {"m1": 1_440, "m2": -5}])
def test_slots_that_do_not_count_are_no_meals(more: dict[str, Value]) -> None:
    """Switched off, by interval, or at no minute of any day."""
    assert meals_of(SLOTS, {**_values(), **more}, _at(6, 1, 0), _at(6, 3, 0)) == ()


@pytest.mark.parametrize(
    ("zone", "text"), [("Europe/Madrid", "2026-07-10 07:00 CEST"), ("Mars/Olympus", "2026-07-10 05:00 UTC")]
)
def test_clock_is_that_of_the_feeder_or_utc_where_its_zone_is_not_known(zone: str, text: str) -> None:
    """People read it above an alarm, which must come whatever the zone is called."""
    assert clock_of(SLOTS.model_copy(update={"time_zone": zone}), _at(7, 10, 5)) == text


def test_interval_counts_while_the_schedule_does_not() -> None:
    """And only then."""
    assert interval_of(SLOTS, _values(scheduled=False)) == timedelta(minutes=30)
    assert interval_of(SLOTS, _values()) is None
    assert interval_of(SLOTS, {**_values(scheduled=False), "interval": None}) is None
    assert interval_of(SLOTS, _values(scheduled=False, interval=0)) is None


@given(
    m1=st.integers(-10, 1_500),
    m2=st.integers(-10, 1_500),
    start=st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)),
    hours=st.floats(0, 200),
)
def test_meals_are_in_order_and_their_windows_apart(m1: int, m2: int, start: datetime, hours: float) -> None:
    """Whatever the slots are: each rise of a counter belongs to one meal."""
    after = start.replace(tzinfo=UTC)
    found = meals_of(SLOTS, _values(m1, m2), after, after + timedelta(hours=hours))
    for meal in found:
        assert meal.opens <= meal.at <= meal.closes
        assert after < meal.closes <= after + timedelta(hours=hours)
    for one, next_one in itertools.pairwise(found):
        assert one.closes <= next_one.opens


def test_silence_of_a_year_is_told_by_its_last_meal() -> None:
    """And costs no more than one of a week."""
    meal = unseen_meal(SLOTS, _values(), _at(1, 1, 0), datetime(2027, 1, 1, 12, tzinfo=UTC))
    assert meal is not None
    assert meal.at == datetime(2027, 1, 1, 6, tzinfo=UTC)


def test_zone_that_nobody_knows_is_refused() -> None:
    """With an example of one."""
    for name in ("Mars/Olympus", "", "../../etc/passwd"):
        with pytest.raises(ValueError, match="Asia/Jerusalem"):
            zone(name)
