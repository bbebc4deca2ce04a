"""The counters and settings of many feeders in few questions, however many sites they are at."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cache
from typing import Any, Final

from sqlalchemy import Engine, Select, and_, bindparam, func, literal_column, select

from gateway.counters import Step, begun
from gateway.course import SeriesRecord
from gateway.database.engine import reading
from gateway.database.sample_tables import samples, series
from gateway.sample_reads import SampleReads
from gateway.samples import HOUR_US

#: Site and device.
Feeder = tuple[str, str]
#: Series that are asked about at once: a statement has two seconds, and others may have the interpreter in between.
_AT_ONCE: Final = 64
QUARTER_US: Final = HOUR_US // 4


class CounterReads:
    """Safe from any thread; every method raises Unavailable if the database does not answer."""

    def __init__(self, engine: Engine, reads: SampleReads) -> None:
        self._engine = engine
        self._reads = reads

    def series(self, names: Collection[str]) -> Mapping[tuple[Feeder, str], SeriesRecord]:
        """Those series that have one of these names, of every device."""
        query = select(series).where(series.c.name.in_(sorted(names)))
        with reading(self._engine) as connection:
            rows = connection.execute(query).all()
        return {((row.site, row.device), row.name): SeriesRecord(row.id, row.every_s) for row in rows}

    def lasts(self, starts_us: Mapping[SeriesRecord, int], end_us: int, *, now_us: int) -> Mapping[int, Sequence[Step]]:
        """As :meth:`gateway.sample_reads.SampleReads.lasts`, of each from its own start, by its number.

        One by one if samples are not kept for so long.
        """
        start_us = min(starts_us.values())
        if self._reads.finest_us(start_us, now_us):
            return {
                each.id: list(self._reads.lasts(each, from_us, end_us, now_us=now_us))
                for each, from_us in starts_us.items()
            }
        own = {each.id: from_us - from_us % QUARTER_US for each, from_us in starts_us.items()}
        stretch = {"start": min(own.values()), "end": end_us + -end_us % QUARTER_US}
        found: dict[int, list[tuple[int, float, float]]] = {id: [] for id in own}
        ids = list(found)
        for first in range(0, len(ids), _AT_ONCE):
            with reading(self._engine) as connection:
                rows = connection.execute(_lasts(), {**stretch, "ids": ids[first : first + _AT_ONCE]})
                for id, at_us, number, least in rows:
                    if at_us >= own[id]:
                        found[id].append((at_us, number, least))
        return {id: list(begun(steps)) for id, steps in found.items()}


@cache
def _lasts() -> Select[Any]:
    """The last sample of each quarter of an hour, if it has a number, and the least of that quarter."""
    at = samples.c.at_us
    # Spelt out: PostgreSQL does not see that two parameters of one value make one expression to group by.
    quarter = (at - at % literal_column(str(QUARTER_US))).label("quarter")
    stretch = and_(
        samples.c.series_id.in_(bindparam("ids", expanding=True)), at >= bindparam("start"), at < bindparam("end")
    )
    key, least = func.max(at).label("key"), func.min(samples.c.number).label("least")
    inner = (
        select(samples.c.series_id, quarter, key, least)
        .where(stretch)
        .group_by(samples.c.series_id, quarter)
        .subquery()
    )
    last = samples.alias("last_one")
    is_last = and_(last.c.series_id == inner.c.series_id, last.c.at_us == inner.c.key)
    columns = (last.c.series_id, last.c.at_us, last.c.number, inner.c.least)
    return (
        select(*columns)
        .join_from(inner, last, is_last)
        .where(last.c.number.is_not(None))
        .order_by(last.c.series_id, last.c.at_us)
    )
