"""Reading the course of a property: from its samples while they are few, else from roll-ups, and always all of it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import timedelta
from functools import cache
from typing import Any, Final

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Engine,
    FromClause,
    Label,
    Row,
    Select,
    Table,
    and_,
    bindparam,
    func,
    literal_column,
    select,
)

from gateway.ages import FOR_EVER, Ages
from gateway.counters import begun
from gateway.course import Buckets, Course, Sample, SeriesRecord, in_row, merged, parts, width_of, with_gaps
from gateway.database.engine import reading
from gateway.database.sample_tables import hours, minutes, samples, series, stale_hours
from gateway.protocol.messages import Value
from gateway.roll_ups import MINUTE_US, Bucket
from gateway.samples import HOUR_US, QUALITIES, Kind

_MICROSECOND: Final = timedelta(microseconds=1)
#: Samples that a stream takes from the database at once.
PAGE: Final = 5_000
#: Series that are asked about at once.
_AT_ONCE: Final = 1_000


class SampleReads:
    """Safe from any thread; every method raises Unavailable if the database does not answer."""

    def __init__(self, engine: Engine, ages: Ages = FOR_EVER) -> None:
        self._engine = engine
        self._ages = ages

    def series(self, site: str, device: str, name: str) -> SeriesRecord | None:
        """The series of a property; None if no sample of it ever came."""
        query = select(series.c.id, series.c.every_s).where(
            series.c.site == site, series.c.device == device, series.c.name == name
        )
        with reading(self._engine) as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else SeriesRecord(row.id, row.every_s)

    def series_of(self, site: str, names: Mapping[str, Collection[str]]) -> Mapping[tuple[str, str], SeriesRecord]:
        """Those of some devices' properties that have any sample, by device and property."""
        query = select(series).where(series.c.site == site, series.c.device.in_(sorted(names)))
        with reading(self._engine) as connection:
            rows = connection.execute(query).all()
        return {
            (row.device, row.name): SeriesRecord(row.id, row.every_s) for row in rows if row.name in names[row.device]
        }

    def course(self, of: SeriesRecord, start_us: int, end_us: int, *, points: int, now_us: int) -> Course:
        """From ``start_us`` to before ``end_us``: every sample, if there are ``points`` at most, else buckets.

        The first and the last bucket may reach beyond the stretch; nothing is a gap yet that lies after ``now_us``.
        """
        finest_us = self.finest_us(start_us, now_us)
        with reading(self._engine) as connection:
            if not finest_us:
                within = _within(samples.c.at_us, samples, of, start_us, end_us)
                few = select(*_SAMPLE).where(within).order_by(samples.c.at_us).limit(points + 1)
                rows = connection.execute(few).all()
                if len(rows) <= points:
                    return with_gaps(map(_sample, rows), of.every_s, end_us=min(end_us, now_us))
            width_us = width_of(start_us, end_us, points=points, every_s=of.every_s, finest_us=finest_us)
            return _buckets(connection, of, start_us, end_us, width_us)

    def lasts(self, of: SeriesRecord, start_us: int, end_us: int, *, now_us: int) -> Iterator[tuple[int, float]]:
        """The last value of each quarter of an hour that has any, with its time; of hours, once no more is kept.

        What a counter rose within the first of them is told too: see :func:`gateway.counters.begun`.
        """
        width_us = max(self.finest_us(start_us, now_us), HOUR_US // 4)
        with reading(self._engine) as connection:
            found = _buckets(connection, of, start_us, end_us, width_us)
        yield from begun(
            (each.last_at_us, each.last, each.least)
            for each in found.buckets
            if each is not None and each.last is not None
        )

    def values_before(self, ids: Sequence[int], end_us: int) -> Mapping[int, Value]:
        """What of each series was last read before then; a series of which nothing was is left out."""
        former = samples.alias("former")
        last = select(former.c.at_us).where(
            former.c.series_id == series.c.id, former.c.at_us < bindparam("end"), former.c.kind != Kind.NONE.value
        )
        at_us = last.order_by(former.c.at_us.desc()).limit(1).correlate(series).scalar_subquery()
        is_last = and_(samples.c.series_id == series.c.id, samples.c.at_us == at_us)
        query = select(series.c.id, *_SAMPLE).join_from(series, samples, is_last)
        found: dict[int, Value] = {}
        with reading(self._engine) as connection:
            for start in range(0, len(ids), _AT_ONCE):
                some = query.where(series.c.id.in_(ids[start : start + _AT_ONCE]))
                found |= {
                    row.id: _value(row.number, row.text, row.kind) for row in connection.execute(some, {"end": end_us})
                }
        return found

    def finest_us(self, start_us: int, now_us: int) -> int:
        """0 while the samples themselves are kept, then what their roll-ups are wide."""
        age_us = now_us - start_us
        for age, width_us in ((self._ages.minutes, HOUR_US), (self._ages.samples, MINUTE_US)):
            if age is not None and age_us > age // _MICROSECOND:
                return width_us
        return 0

    def stream(self, of: SeriesRecord, start_us: int, end_us: int) -> Iterator[Sample]:
        """Every sample, page after page, however many there are."""
        while True:
            query = select(*_SAMPLE).where(_within(samples.c.at_us, samples, of, start_us, end_us))
            with reading(self._engine) as connection:
                rows = connection.execute(query.order_by(samples.c.at_us).limit(PAGE)).all()
            yield from map(_sample, rows)
            if len(rows) < PAGE:
                return
            start_us = rows[-1].at_us + 1


_SAMPLE: Final[tuple[Column[Any], ...]] = (
    samples.c.at_us,
    samples.c.number,
    samples.c.text,
    samples.c.kind,
    samples.c.quality,
)


def _sample(row: Row[Any]) -> Sample:
    return Sample(row.at_us, _value(row.number, row.text, row.kind), QUALITIES[row.quality])


def _value(number: float | None, text: str | None, kind: int) -> Value | None:
    match Kind(kind):
        case Kind.BOOLEAN:
            return bool(number)
        case Kind.TEXT:
            return text
        case Kind.LARGE if text is not None:
            return int(text)
        case _:
            return int(number) if number is not None and number.is_integer() else number


def _within(
    column: ColumnElement[int], table: Table, of: SeriesRecord, start_us: int, end_us: int
) -> ColumnElement[bool]:
    return and_(table.c.series_id == of.id, column >= start_us, column < end_us)


def _buckets(connection: Connection, of: SeriesRecord, start_us: int, end_us: int, width_us: int) -> Buckets:
    first_us, over_us = start_us - start_us % width_us, end_us + -end_us % width_us
    table = hours if width_us % HOUR_US == 0 else minutes if width_us % MINUTE_US == 0 else None
    column = stale_hours.c.start_us
    stale = select(column).where(_within(column, stale_hours, of, first_us - HOUR_US + 1, over_us)).order_by(column)
    marks = connection.execute(stale).scalars().all()
    found: dict[int, Bucket] = {}
    for part in parts(marks, first_us, over_us):
        query = _of_samples(width_us) if part.stale or table is None else _of_roll_ups(table, width_us)
        values = {"series": of.id, "start": part.start_us, "end": part.end_us}
        for row in connection.execute(query, values):
            bucket = Bucket(*row)
            found[bucket.start_us] = merged(found.get(bucket.start_us), bucket)
    return in_row(found, start_us, end_us, width_us)


@cache
def _of_samples(width_us: int) -> Select[Any]:
    at = samples.c.at_us
    start, number = _start(at, width_us), samples.c.number
    sums = (func.count(number), func.min(number), func.max(number), func.sum(number))
    return _with_last(samples, at, start, sums, lambda last: (last.c.number, last.c.at_us, last.c.quality))


@cache
def _of_roll_ups(table: Table, width_us: int) -> Select[Any]:
    at = table.c.start_us
    start = _start(at, width_us)
    sums = (func.sum(table.c.count), func.min(table.c.least), func.max(table.c.most), func.sum(table.c.total))
    return _with_last(table, at, start, sums, lambda last: (last.c.last, last.c.last_at_us, last.c.last_quality))


def _start(at: Column[int], width_us: int) -> Label[int]:
    # Spelt out: PostgreSQL does not see that two parameters of one value make one expression to group by.
    return (at - at % literal_column(str(width_us))).label("start")


def _with_last(
    table: Table,
    at: Column[int],
    start: Label[int],
    sums: Sequence[ColumnElement[Any]],
    columns: Callable[[FromClause], Sequence[ColumnElement[Any]]],
) -> Select[Any]:
    """The columns of a :class:`Bucket`, of rows of one series in one stretch; the last row is looked up by its key."""
    stretch = and_(table.c.series_id == bindparam("series"), at >= bindparam("start"), at < bindparam("end"))
    named = [each.label(f"sum_{index}") for index, each in enumerate(sums)]
    inner = select(start, *named, func.max(at).label("key")).where(stretch).group_by(start).subquery()
    last = table.alias("last_one")
    is_last = and_(last.c.series_id == bindparam("series"), last.c[at.key] == inner.c.key)
    sums_of_it = [inner.c[each.name] for each in named]
    return select(inner.c.start, *sums_of_it, *columns(last)).join_from(inner, last, is_last)
