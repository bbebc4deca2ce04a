"""Engine, transactions and migrations on a real file."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, insert

from gateway.database import open_engine, reading, upgrade, writing
from gateway.database.tables import metadata, sites
from gateway.protocol.errors import Unavailable
from tests.entries import NOON


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = open_engine(database_url)
    yield engine
    engine.dispose()


def test_migrations_make_exactly_the_tables_of_the_code(engine: Engine) -> None:
    """A table that was changed without its migration is noticed."""
    upgrade(engine)
    with reading(engine) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_upgrade_by_several_at_once_succeeds_for_all(database_url: str) -> None:
    """Gateway and facade may start together on an empty file."""

    def start(_: int) -> None:
        engine = open_engine(database_url)
        upgrade(engine)
        engine.dispose()

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(start, range(4))) == [None] * 4


@pytest.mark.parametrize(("pragma", "value"), [("journal_mode", "wal"), ("synchronous", 2), ("busy_timeout", 1_000)])
def test_sqlite_connection_is_durable_and_waits(engine: Engine, pragma: str, value: object) -> None:
    """Every connection has the write-ahead log, FULL flushes and a bounded wait."""
    with reading(engine) as connection:
        assert connection.exec_driver_sql(f"PRAGMA {pragma}").scalar_one() == value


def test_writing_after_another_commit_does_not_fail_at_once(engine: Engine) -> None:
    """Read, then write, while another commits in between: the write lock is taken first, so it cannot be lost."""
    upgrade(engine)

    def add(number: int) -> None:
        with writing(engine) as connection:
            connection.execute(sites.select()).all()
            connection.execute(insert(sites).values(site=f"s-{number}", epoch=1, updated_at=NOON))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(add, range(40)))
    with reading(engine) as connection:
        assert len(connection.execute(sites.select()).all()) == 40


def test_reading_a_file_that_cannot_be_opened_is_unavailable(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A path that is a folder is a database that does not answer."""
    engine = open_engine(f"sqlite:///{tmp_path_factory.mktemp('folder')}")
    with pytest.raises(Unavailable), reading(engine):
        pass
    engine.dispose()
