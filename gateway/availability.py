"""How long a site's gate was open on each day, and whose fault it was when it was not. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from gateway.days import Day
from gateway.silences import Cause, Silence

_NONE: Final = timedelta()


@dataclass(frozen=True, slots=True)
class Available:
    """Of a day; the three add up to the part of it in which the site was known. All zero: nobody knew of it yet."""

    date: date
    online: timedelta
    away: timedelta
    unheard: timedelta


def availability(
    days: Iterable[Day], silences: Sequence[Silence], *, now: datetime, silent_since: datetime | None
) -> Sequence[Available]:
    """Of each day, as far as it is over; ``silent_since`` is when the gate closed that is closed now.

    ``silences`` may overlap, where several gateways or a clock that was set have told them: what one calls the site's
    fault is not the centre's.
    """
    known = max((each.ended_at for each in silences if each.cause is Cause.BEFORE), default=None)
    if known is None:
        return [Available(day.date, _NONE, _NONE, _NONE) for day in days]
    away = [(each.began_at, each.ended_at) for each in silences if each.cause is Cause.AWAY]
    if silent_since is not None:
        away.append((silent_since, now))
    closed = [*away, *((each.began_at, each.ended_at) for each in silences if each.cause is Cause.UNHEARD)]
    found = []
    for day in days:
        start, end = max(day.start, known), min(day.end, now)
        whole = max(end - start, _NONE)
        shut, out = _covered(closed, start, end), _covered(away, start, end)
        found.append(Available(day.date, whole - shut, out, shut - out))
    return found


def _covered(stretches: Iterable[tuple[datetime, datetime]], start: datetime, end: datetime) -> timedelta:
    """How much of the time from ``start`` to ``end`` lies in one of the stretches."""
    covered, at = _NONE, start
    for first, last in sorted(stretches):
        first, last = max(first, at), min(last, end)  # noqa: PLW2901 # cut to what is not covered yet
        if last > first:
            covered, at = covered + (last - first), last
    return covered
