"""Days of a place, and what became of each of them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from gateway.availability import Available, availability
from gateway.days import Day, days
from gateway.silences import Cause, Silence

JERUSALEM = ZoneInfo("Asia/Jerusalem")
START = datetime(2026, 11, 22, tzinfo=UTC)
DAY = Day(START.date(), START, START + timedelta(days=1))
EVER = datetime(1970, 1, 1, tzinfo=UTC)
OVER = START + timedelta(days=2)


def _at(hour: float) -> datetime:
    return START + timedelta(hours=hour)


def _silence(first: float, last: float, cause: Cause = Cause.AWAY) -> Silence:
    return Silence("arava-1", _at(first), _at(last), cause)


def _before(hour: float) -> Silence:
    return Silence("arava-1", EVER, _at(hour), Cause.BEFORE)


def _hours(found: Available) -> tuple[float, float, float]:
    hour = timedelta(hours=1)
    return found.online / hour, found.away / hour, found.unheard / hour


def test_days_are_those_of_the_place() -> None:
    """Midnight in Jerusalem is two hours before midnight UTC in winter."""
    (day,) = days(date(2026, 11, 22), date(2026, 11, 22), JERUSALEM)
    assert (day.start, day.end) == (START - timedelta(hours=2), START + timedelta(hours=22))


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2026, 3, 27), 23), (date(2026, 10, 25), 25), (date(2026, 11, 22), 24)]
)
def test_day_on_which_clocks_change_has_another_length(day: date, hours: int) -> None:
    """And the next one begins where it ends."""
    first, second = days(day, day + timedelta(days=1), JERUSALEM)
    assert first.end - first.start == timedelta(hours=hours)
    assert second.start == first.end


@pytest.mark.parametrize(
    ("silences", "expected"),
    [
        pytest.param([_before(-100)], (24, 0, 0), id="all well"),
        pytest.param([_before(6)], (18, 0, 0), id="known from six on"),
        pytest.param([], (0, 0, 0), id="never heard"),
        pytest.param([_before(-100), _silence(3, 5)], (22, 2, 0), id="away"),
        pytest.param([_before(-100), _silence(3, 5, Cause.UNHEARD)], (22, 0, 2), id="the centre was deaf"),
        pytest.param([_before(-100), _silence(-3, 5), _silence(23, 30)], (18, 6, 0), id="over midnight"),
        pytest.param([_before(-100), _silence(3, 5), _silence(4, 6)], (21, 3, 0), id="told twice"),
        pytest.param([_before(-100), _silence(3, 6), _silence(5, 8, Cause.UNHEARD)], (19, 3, 2), id="one in the other"),
    ],
)
def test_hours_of_a_day_add_up(silences: list[Silence], expected: tuple[float, float, float]) -> None:
    """Online, away, and falsely closed."""
    (found,) = availability([DAY], silences, now=OVER, silent_since=None)
    assert _hours(found) == expected


def test_day_that_is_not_over_counts_until_now() -> None:
    """And a site that is silent now is away since its gate closed."""
    (found,) = availability([DAY], [_before(-100)], now=_at(10), silent_since=_at(8))
    assert _hours(found) == (8, 2, 0)


def test_day_to_come_has_no_hours() -> None:
    """Nobody knows."""
    (found,) = availability([DAY], [_before(-100)], now=_at(-5), silent_since=None)
    assert _hours(found) == (0, 0, 0)
