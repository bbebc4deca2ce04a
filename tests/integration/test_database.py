"""Engine, transactions and migrations on a real file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Engine, insert

from gateway.database import open_engine, reading, upgrade, writing
from gateway.database.tables import metadata, sites
from gateway.ledger import Ledger
from gateway.protocol.errors import Unavailable
from tests.entries import NOON, asked, new_id


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


def _migrate(engine: Engine, migrate: Callable[[Config, str], None], revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", "gateway.database:migrations")
    with writing(engine) as connection:
        config.attributes["connection"] = connection
        migrate(config, revision)


@pytest.fixture
def filled(engine: Engine) -> str:
    """A database as the first version left it, with one applied command; its id."""
    _migrate(engine, command.upgrade, "0001")
    command_id = new_id()
    with writing(engine) as connection:
        connection.exec_driver_sql(
            "INSERT INTO commands (id, site, device, name, requester, actor, input, deadline_at, state, created_at,"
            " updated_at) VALUES (?, 'arava-1', 'feeder-1', 'write', '@facade', 'dana', '{}', 9, 'applied', 1, 2)",
            (command_id,),
        )
        connection.exec_driver_sql(
            "INSERT INTO command_steps (command_id, state, at, recorded_at, source) VALUES (?, ?, ?, 1, '@facade')",
            [(command_id, state, number) for number, state in enumerate(["pending", "accepted", "applied"])],
        )
    return command_id


def test_upgrade_of_a_filled_database_keeps_commands_and_time_lines(engine: Engine, filled: str) -> None:
    """What the first version wrote is read as it was; it has no key, evidence or epoch."""
    upgrade(engine)
    record = Ledger(engine).get(filled)
    assert record is not None
    assert [step.what for step in record.steps] == ["pending", "accepted", "applied"]
    assert (record.key, record.fingerprint, record.evidence, record.asked_epoch) == (None, None, None, None)


def test_downgrade_of_a_filled_database_keeps_states_and_drops_deeds(engine: Engine, filled: str) -> None:
    """The first version finds its columns, and only what it knows."""
    upgrade(engine)
    newer = asked(key="k", fingerprint="f", asked_epoch=7, published_at=NOON)
    Ledger(engine).record([newer])
    _migrate(engine, command.downgrade, "0001")
    with reading(engine) as connection:
        steps = connection.exec_driver_sql("SELECT command_id, state FROM command_steps ORDER BY recorded_at, at").all()
        columns = set(connection.exec_driver_sql("SELECT * FROM commands").keys())
        tables = connection.exec_driver_sql("SELECT sql FROM sqlite_master WHERE name = 'command_steps'").scalar_one()
    assert [tuple(step) for step in steps] == [
        *[(filled, state) for state in ("pending", "accepted", "applied")],
        (newer.id, "pending"),
    ]
    assert not columns & {"key", "fingerprint", "evidence", "asked_epoch"}
    assert "WITHOUT ROWID" in tables


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
