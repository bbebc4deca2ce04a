"""Connections and transactions. One rule for both engines: whatever goes wrong is ``Unavailable("database", …)``."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError

from gateway.database.hypertables import adopt
from gateway.protocol.errors import Unavailable

#: How long a statement waits for another writer before it gives up.
BUSY_MS: Final = 1_000
#: A migration may keep others waiting for longer.
MIGRATION_BUSY_MS: Final = 60_000
#: Any number will do, as long as it is ours and stays the same.
_MIGRATION_LOCK: Final = 7_411_823_604
_WRITE: Final = "tidegate_write"
_TRIAL: Final = text("UPDATE alembic_version SET version_num = version_num")
#: Between two looks whether another process still holds SQLite's one write lock.
_LOOK_S: Final = 0.0003


def open_engine(url: str | URL, *, durable: bool = True) -> Engine:
    """An engine for ``url``; connects on first use.

    SQLite runs with a write-ahead log and ``synchronous=FULL``: what is committed survives a power cut. Without
    ``durable`` it survives every crash of ours but not that, and costs no disk flush: for mirrors of what agents
    repeat anyway. PostgreSQL's
    statements are bounded in time, so that a hanging server cannot hold up what does not need it.
    """
    target = make_url(url)
    if target.get_backend_name() == "sqlite":
        if target.database:
            Path(target.database).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(target, pool_size=8, max_overflow=24, pool_timeout=BUSY_MS / 1_000)
        event.listen(engine, "connect", _prepare_sqlite if durable else _prepare_sqlite_mirror)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    limits = f"-c statement_timeout={2 * BUSY_MS} -c lock_timeout={BUSY_MS}"
    return create_engine(
        target,
        pool_size=8,
        max_overflow=24,
        pool_timeout=BUSY_MS / 1_000,
        pool_pre_ping=True,
        connect_args={"connect_timeout": 2, "tcp_user_timeout": 2 * BUSY_MS, "options": limits},
    )


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    # The driver's own transactions begin deferred and late; we begin them ourselves, see _begin_sqlite.
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout={BUSY_MS}")
    connection.execute("PRAGMA synchronous=FULL")
    _set_wal(connection)


def _prepare_sqlite_mirror(connection: sqlite3.Connection, record: object) -> None:
    _prepare_sqlite(connection, record)
    connection.execute("PRAGMA synchronous=NORMAL")


def _set_wal(connection: sqlite3.Connection) -> None:
    # Two processes that open a new file at once: this one switch does not wait as busy_timeout says.
    give_up_s = time.monotonic() + BUSY_MS / 1_000
    while connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > give_up_s:
                raise
            time.sleep(0.01)


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that reads first and writes later fails at once if another wrote in between, whatever
    # busy_timeout says; one that takes the write lock at its beginning waits in line.
    if connection.get_execution_options().get(_WRITE, False):
        raw = connection.connection.dbapi_connection
        assert isinstance(raw, sqlite3.Connection)  # noqa: S101 # this listener is on SQLite's engines only
        _take_write_lock(raw)
    else:
        connection.exec_driver_sql("BEGIN")


def _take_write_lock(connection: sqlite3.Connection) -> None:
    # SQLite's own waiting sleeps for 1, 2, 5, 10, ... ms, though the other writer is done within one.
    (patience_ms,) = connection.execute("PRAGMA busy_timeout").fetchone()
    give_up_s = time.monotonic() + patience_ms / 1_000
    connection.execute("PRAGMA busy_timeout=0")
    try:
        while True:
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                # The low byte: just after a file was made, others look through its log, which is busy as well.
                busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
                if not busy or time.monotonic() > give_up_s:
                    # SQLAlchemy does not wrap what the driver raises under its feet.
                    raise OperationalError("BEGIN IMMEDIATE", None, error) from error
                time.sleep(_LOOK_S)
            else:
                return
    finally:
        connection.execute(f"PRAGMA busy_timeout={patience_ms}")


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """One consistent view.

    Raises:
        Unavailable: the database does not answer.
    """
    try:
        with engine.connect() as connection, connection.begin():
            yield connection
    except SQLAlchemyError as error:
        raise _unavailable(error) from error


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One transaction, committed at the end of the block; on SQLite it holds the write lock from its beginning.

    Raises:
        Unavailable: nothing was committed, or at a commit that broke, nobody can tell.
    """
    try:
        with engine.connect().execution_options(**{_WRITE: True}) as connection, connection.begin():
            yield connection
    except SQLAlchemyError as error:
        raise _unavailable(error) from error


def _unavailable(error: SQLAlchemyError) -> Unavailable:
    cause: Any = error.orig if isinstance(error, DBAPIError) else error
    lines = str(cause).strip().splitlines()
    return Unavailable("database", lines[0] if lines else type(cause).__name__)


def upgrade(engine: Engine) -> None:
    """Bring the tables to what this version needs; processes that start at once wait for each other.

    Raises:
        Unavailable: the database does not answer, or another process holds it for too long.
    """
    from alembic import command  # noqa: PLC0415 # costs a third of a second, and only here
    from alembic.config import Config  # noqa: PLC0415 # same

    logging.getLogger("alembic").setLevel(logging.WARNING)  # it tells every plug-in it loads
    with _migrating(engine) as connection:
        config = Config()
        config.set_main_option("script_location", "gateway.database:migrations")
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        adopt(connection)


@contextmanager
def _migrating(engine: Engine) -> Iterator[Connection]:
    sqlite = engine.dialect.name == "sqlite"
    try:
        with engine.connect().execution_options(**{_WRITE: True}) as connection:
            if sqlite:
                driver: Any = connection.connection.driver_connection
                driver.execute(f"PRAGMA busy_timeout={MIGRATION_BUSY_MS}")
            try:
                with connection.begin():
                    if not sqlite:
                        connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
                        connection.exec_driver_sql(f"SET LOCAL lock_timeout = {MIGRATION_BUSY_MS}")
                        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})")
                    yield connection
            finally:
                if sqlite:
                    driver.execute(f"PRAGMA busy_timeout={BUSY_MS}")
    except SQLAlchemyError as error:
        raise _unavailable(error) from error


@contextmanager
def upgraded(url: str) -> Iterator[Engine]:
    """For a command: an engine whose tables are up to date, inside the block; raises Unavailable."""
    engine = open_engine(url)
    try:
        upgrade(engine)
        yield engine
    finally:
        engine.dispose()


def try_write(engine: Engine) -> bool:
    """Write what changes nothing: a full disk reads well. False if there are no tables yet; raises Unavailable."""
    with writing(engine) as connection:
        return connection.execute(_TRIAL).rowcount > 0
