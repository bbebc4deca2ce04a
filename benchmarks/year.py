"""A year of one property, a value every 10 s: how long a chart of it takes, and what a sample weighs."""

from __future__ import annotations

import math
import statistics
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from sqlalchemy import Engine

from benchmarks.databases import SQLITE, databases, tables
from gateway.course import SeriesRecord
from gateway.database import reading, writing
from gateway.database.tables import microseconds
from gateway.protocol.history import MAX_BATCH, Series
from gateway.roll_ups import QUIET, RollUps
from gateway.sample_reads import SampleReads
from gateway.samples import Samples, SeriesSeen

STEP_S: Final = 10
SAMPLES: Final = 365 * 86_400 // STEP_S
POINTS: Final = 1_000
_END: Final = datetime(2027, 1, 1, tzinfo=UTC)
_TIMES: Final = 21


@dataclass(frozen=True, slots=True)
class Year:
    """Medians in milliseconds, and bytes of the database per sample, its roll-ups and indices included."""

    year_ms: float
    day_ms: float
    sample_bytes: float


def measure(folder: Path) -> dict[str, Year]:
    """On each kind of database."""
    found = {}
    with databases(folder / "year") as urls:
        for kind, url in urls.items():
            with tables(url) as engine:
                before = _size(engine)
                fill(engine, site="site-1", device="pond-1", name="water_c", end=_END)
                found[kind] = Year(
                    _chart_ms(engine, timedelta(days=365)),
                    _chart_ms(engine, timedelta(days=1)),
                    (_size(engine) - before) / SAMPLES,
                )
    return found


def fill(engine: Engine, *, site: str, device: str, name: str, end: datetime) -> None:
    """A year until ``end``, with its roll-ups."""
    store, begin = Samples(engine), end - timedelta(days=365)
    offsets = tuple(STEP_S * 1_000_000 * index for index in range(MAX_BATCH))
    for first in range(0, SAMPLES, MAX_BATCH):
        count = min(MAX_BATCH, SAMPLES - first)
        series = Series(
            device=device,
            name=name,
            start=begin + timedelta(seconds=STEP_S * first),
            offset_us=offsets[:count],
            values=tuple(round(24 + 3 * math.sin((first + index) / 1_375), 2) for index in range(count)),
            every_s=60.0,
        )
        seen = [SeriesSeen(site, series)]
        store.know(seen)
        with writing(engine) as connection:
            store.save_in(connection, seen, end)
    roll_ups = RollUps(engine, now=lambda: end + 2 * QUIET)
    while roll_ups.step():
        pass


def _chart_ms(engine: Engine, span: timedelta) -> float:
    reads = SampleReads(engine)
    of = reads.series("site-1", "pond-1", "water_c")
    assert isinstance(of, SeriesRecord)
    end_us = microseconds(_END)
    start_us, times = end_us - int(span.total_seconds() * 1_000_000), []
    for _ in range(_TIMES):
        began_s = time.perf_counter()
        reads.course(of, start_us, end_us, points=POINTS, now_us=end_us)
        times.append(time.perf_counter() - began_s)
    return statistics.median(times) * 1e3


def _size(engine: Engine) -> int:
    if engine.dialect.name != SQLITE:
        with reading(engine) as connection:
            return int(connection.exec_driver_sql("SELECT pg_database_size(current_database())").scalar_one())
    with engine.connect() as connection:
        raw = connection.connection.driver_connection
        assert raw is not None
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return Path(engine.url.database or "").stat().st_size
