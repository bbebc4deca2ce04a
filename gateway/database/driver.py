"""Statements that run often, compiled once and handed to the driver as text.

For a lone command, SQLAlchemy's own way of executing a statement costs more than the disk flush; for many rows at once,
several times what the database takes. Reading for people stays with SQLAlchemy.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import ClauseElement, Connection, Dialect
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.exc import DBAPIError

Columns = Mapping[str, Any]


def dialect_of(name: str) -> Dialect:
    """SQLite's or PostgreSQL's, with named parameters."""
    if name == "sqlite":
        return sqlite.dialect(paramstyle="named")
    return postgresql.dialect(paramstyle="pyformat")  # type: ignore[no-untyped-call]  # SQLAlchemy's own gap


def inserts_of(name: str) -> Any:  # noqa: ANN401 # a module of SQLAlchemy's; both have insert() with on_conflict
    """The module whose ``insert`` knows what to do in a conflict."""
    return sqlite if name == "sqlite" else postgresql


def text_of(statement: ClauseElement, dialect: Dialect, columns: Sequence[str] | None = None) -> str:
    """The statement as the driver takes it."""
    return str(statement.compile(dialect=dialect, column_keys=columns))


def run(connection: Connection, sql: str, values: Sequence[Columns] | Columns) -> DBAPICursor:
    """Run it inside the transaction of ``connection``; errors are SQLAlchemy's."""
    cursor = connection.connection.cursor()
    with errors_of(connection, sql):
        if isinstance(values, Mapping):
            cursor.execute(sql, values)
        else:
            cursor.executemany(sql, values)
    return cursor


@contextmanager
def errors_of(connection: Connection, sql: str) -> Iterator[None]:
    """What the driver raises inside, as SQLAlchemy's own error about ``sql``."""
    try:
        yield
    except connection.dialect.loaded_dbapi.Error as error:
        base: Any = connection.dialect.loaded_dbapi.Error
        raise DBAPIError.instance(sql, None, error, base, dialect=connection.dialect) from error
