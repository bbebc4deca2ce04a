"""Roll-ups: what a minute and an hour of samples come to, so that a year is read as quickly as an hour.

Whoever adds samples marks their hours as stale, in the same transaction. Here the hours in which it has become quiet
are worked out anew, and the mark is taken off only if nobody has touched it meanwhile. Until then readers take such an
hour from its samples, so what they see never depends on how far this has come.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Engine, Row, and_, delete, insert, select

from gateway.database.engine import reading, writing
from gateway.database.sample_tables import hours, minutes, samples, stale_hours
from gateway.database.tables import microseconds
from gateway.samples import HOUR_US

MINUTE_US: Final = 60_000_000
#: An hour in which nothing has arrived for so long is worked out; the current hour of a live series waits for its end.
QUIET: Final = timedelta(seconds=90)
#: Hours of one transaction; commands' commits wait for it.
AT_ONCE: Final = 16


class Reading(NamedTuple):
    """What of a sample a roll-up needs."""

    at_us: int
    number: float | None
    quality: int


@dataclass(frozen=True, slots=True)
class Bucket:
    """Samples of one stretch of time: how many have a number, and what these come to; and the last one of all."""

    start_us: int
    count: int
    least: float | None
    most: float | None
    total: float | None
    last: float | None
    last_at_us: int
    last_quality: int


def roll(readings: Iterable[Reading], width_us: int) -> list[Bucket]:
    """Readings, in the order of their times, by stretches of ``width_us``; stretches without any are left out."""
    return [
        _bucket(start_us, tuple(group))
        for start_us, group in groupby(readings, key=lambda each: each.at_us - each.at_us % width_us)
    ]


def _bucket(start_us: int, readings: Sequence[Reading]) -> Bucket:
    numbers = [each.number for each in readings if each.number is not None]
    known = bool(numbers)
    return Bucket(
        start_us=start_us,
        count=len(numbers),
        least=min(numbers) if known else None,
        most=max(numbers) if known else None,
        total=sum(numbers) if known else None,
        last=readings[-1].number,
        last_at_us=readings[-1].at_us,
        last_quality=readings[-1].quality,
    )


class RollUps:
    """The tables of roll-ups; several gateways may work on them at once."""

    def __init__(self, engine: Engine, *, now: Callable[[], datetime], samples_age: timedelta | None = None) -> None:
        self._engine = engine
        self._now = now
        #: Samples are kept for so long; None: for ever.
        self._samples_age = samples_age

    def step(self, limit: int = AT_ONCE) -> int:
        """Work out so many stale hours; how many there were to do.

        Raises:
            Unavailable: nothing was committed.
        """
        before_us = microseconds(self._now() - QUIET)
        quiet = select(stale_hours).where(stale_hours.c.touched_us < before_us).order_by(stale_hours.c.touched_us)
        with reading(self._engine) as connection:
            marks = connection.execute(quiet.limit(limit)).all()
            found = [(mark, _readings(connection, mark)) for mark in marks]
        if found:
            with writing(self._engine) as connection:
                # In one order, so that two gateways cannot wait for each other.
                for mark, readings in sorted(found, key=lambda each: (each[0].series_id, each[0].start_us)):
                    if _unmark(connection, mark) and not (self._is_past(mark) and _is_rolled(connection, mark)):
                        _replace(connection, mark, readings)
        return len(found)

    def _is_past(self, mark: Row[Any]) -> bool:
        """Whether samples of that hour may be gone already: then what was worked out from all of them stays."""
        if self._samples_age is None:
            return False
        return bool(mark.start_us < microseconds(self._now() - self._samples_age))


def _readings(connection: Connection, mark: Row[Any]) -> list[Reading]:
    start_us, at_us = mark.start_us, samples.c.at_us
    within = and_(samples.c.series_id == mark.series_id, at_us >= start_us, at_us < start_us + HOUR_US)
    rows = connection.execute(select(at_us, samples.c.number, samples.c.quality).where(within).order_by(at_us))
    return [Reading(*row) for row in rows]


def _unmark(connection: Connection, mark: Row[Any]) -> bool:
    """False if samples came meanwhile, or another gateway was quicker."""
    untouched = and_(
        stale_hours.c.series_id == mark.series_id,
        stale_hours.c.start_us == mark.start_us,
        stale_hours.c.touched_us == mark.touched_us,
    )
    return connection.execute(delete(stale_hours).where(untouched)).rowcount == 1


def _is_rolled(connection: Connection, mark: Row[Any]) -> bool:
    mine = and_(hours.c.series_id == mark.series_id, hours.c.start_us == mark.start_us)
    return connection.execute(select(hours.c.start_us).where(mine)).first() is not None


def _replace(connection: Connection, mark: Row[Any], readings: Sequence[Reading]) -> None:
    for table, width_us in ((minutes, MINUTE_US), (hours, HOUR_US)):
        start_us = table.c.start_us
        former = and_(start_us >= mark.start_us, start_us < mark.start_us + HOUR_US)
        connection.execute(delete(table).where(table.c.series_id == mark.series_id, former))
        rows = [{"series_id": mark.series_id, **asdict(each)} for each in roll(readings, width_us)]
        if rows:
            connection.execute(insert(table), rows)
