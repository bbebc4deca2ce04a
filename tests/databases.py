"""For tests of what must hold on both kinds of database; ``conftest`` runs them on each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Engine

from gateway.database import writing
from gateway.database.tables import metadata

#: On a test or a whole module.
each_database = pytest.mark.each_database
#: On a test of such a module that is about SQLite itself.
only_sqlite = pytest.mark.only_sqlite
#: On a test of such a module about writers that wait for each other's rows; SQLite lets in one at a time.
not_sqlite = pytest.mark.not_sqlite


@contextmanager
def locked(engine: Engine) -> Iterator[None]:
    """Nobody else can write meanwhile; reading goes on."""
    with writing(engine) as connection:
        if engine.dialect.name != "sqlite":
            names = ", ".join(metadata.tables)
            connection.exec_driver_sql(f"LOCK TABLE {names} IN EXCLUSIVE MODE")
        yield
