"""Samples in TimescaleDB, where this machine has it: the same answers, from chunks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from gateway.ages import Ages
from gateway.course import Buckets
from gateway.database import open_engine, reading, upgrade, writing
from gateway.database.backup import backup, restore
from gateway.database.survey import survey
from gateway.retention import Retention
from tests.entries import NOON
from tests.running_postgres import PostgresProcess, has_extension
from tests.sample_store import SampleStore, series

DAY_S = 86_400.0


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresProcess]:
    """A PostgreSQL that has loaded it."""
    if not has_extension("timescaledb"):
        # Not a failure in CI either: Debian has no package of it.
        pytest.skip("TimescaleDB is not installed; see docs/history.md")
    running = PostgresProcess("shared_preload_libraries=timescaledb", "timescaledb.telemetry_level=off")
    running.start()
    yield running
    running.stop()


@pytest.fixture
def engine(server: PostgresProcess) -> Iterator[Engine]:
    """An empty database without tables, and without the extension."""
    made = open_engine(server.new_database().replace("postgresql://", "postgresql+psycopg://"))
    yield made
    made.dispose()


def _extend(engine: Engine) -> None:
    with writing(engine) as connection:
        connection.execute(text("CREATE EXTENSION timescaledb"))


def _chunks(engine: Engine, table: str = "samples") -> int:
    query = text("SELECT count(*) FROM timescaledb_information.chunks WHERE hypertable_name = :table")
    with reading(engine) as connection:
        return int(connection.execute(query, {"table": table}).scalar_one())


def _fill(engine: Engine) -> SampleStore:
    """Sixty days, a sample an hour."""
    store = SampleStore(engine)
    store.save(series(*(float(number) for number in range(60 * 24)), start_s=-60 * DAY_S, step_s=3_600))
    return store


def _year(store: SampleStore) -> list[tuple[int, float | None] | None]:
    course = store.course(-365 * DAY_S, 0, points=400)
    assert isinstance(course, Buckets)
    return [None if each is None else (each.count, each.total) for each in course.buckets]


@pytest.mark.invariant("I9")
def test_samples_lie_in_chunks_and_are_there_once(engine: Engine) -> None:
    """However often they come; charts do not show the difference."""
    _extend(engine)
    upgrade(engine)
    store = _fill(engine)
    _fill(engine)
    assert store.count() == 60 * 24
    assert _chunks(engine) >= 8
    before = _year(store)
    store.roll()
    assert _year(store) == before
    assert sum(each[0] for each in before if each is not None) == 60 * 24
    assert survey(engine).faults == ()


def test_extension_that_comes_later_takes_over_what_is_there(engine: Engine) -> None:
    """At the next start; a third start finds nothing to do."""
    upgrade(engine)
    store = _fill(engine)
    store.roll()
    before = _year(store)
    _extend(engine)
    for _ in range(2):
        upgrade(engine)
        assert (_year(store), store.count(), _chunks(engine) >= 8) == (before, 60 * 24, True)
    assert _chunks(engine, "sample_minutes") >= 1


def test_old_samples_go_from_chunks_too(engine: Engine) -> None:
    """Step by step, as from a plain table."""
    _extend(engine)
    upgrade(engine)
    store = _fill(engine)
    ages = Ages(samples=timedelta(days=10), minutes=None, hours=None, events=None, commands=None)
    retention = Retention(engine, ages, now=lambda: NOON)
    while retention.step():
        pass
    assert store.count() == 10 * 24


def test_backup_of_chunks_comes_back(engine: Engine, server: PostgresProcess, tmp_path: Path) -> None:
    """Into an empty database of a server that has the extension as well."""
    _extend(engine)
    upgrade(engine)
    before = _year(_fill(engine))
    backup(engine, tmp_path / "copy", lambda _done, _all: None)
    other = open_engine(server.new_database().replace("postgresql://", "postgresql+psycopg://"))
    try:
        restore(other.url, tmp_path / "copy", lambda _done, _all: None)
        store = SampleStore(other)
        assert (_year(store), _chunks(other) >= 8, survey(other).faults) == (before, True, ())
        store.save(series(1.5, start_s=100 * DAY_S))
        assert store.count() == 60 * 24 + 1
    finally:
        other.dispose()
