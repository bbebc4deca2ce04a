"""Days of people's calendar: in a time zone they may have 23 or 25 hours. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from gateway.protocol.description import Description
from gateway.protocol.meals import zone


@dataclass(frozen=True, slots=True)
class Day:
    """From midnight to midnight of a place."""

    date: date
    start: datetime
    end: datetime


def days(first: date, last: date, zone: ZoneInfo) -> Sequence[Day]:
    """Every day from ``first`` to ``last``, both included."""
    dates = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    return [Day(each, _midnight(each, zone), _midnight(each + timedelta(days=1), zone)) for each in dates]


def zone_of(devices: Iterable[Description]) -> ZoneInfo:
    """The one in which a site's days are counted: that of its feeders; without one that this machine knows, UTC."""
    for each in devices:
        if each.meals is not None:
            try:
                return zone(each.meals.time_zone)
            except ValueError:  # a site may know a zone that this machine does not
                continue
    return zone("UTC")


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
