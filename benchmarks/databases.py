"""Fresh databases for measuring: SQLite in a file, and PostgreSQL of this machine if there is one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import Engine

from gateway.database import open_engine, upgrade
from tests.running_postgres import PostgresProcess

SQLITE: Final = "sqlite"
POSTGRESQL: Final = "postgresql"


@contextmanager
def databases(folder: Path) -> Iterator[dict[str, str]]:
    """Kind -> URL of an empty database."""
    urls = {SQLITE: f"sqlite:///{folder / 'samples' / 'tidegate.db'}"}
    try:
        server = PostgresProcess()
    except pytest.skip.Exception:
        yield urls
        return
    server.start()
    try:
        yield urls | {POSTGRESQL: server.new_database().replace("postgresql://", "postgresql+psycopg://")}
    finally:
        server.stop()


@contextmanager
def tables(url: str) -> Iterator[Engine]:
    """With all tables."""
    engine = open_engine(url)
    upgrade(engine)
    yield engine
    engine.dispose()
