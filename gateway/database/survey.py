"""What there is to say of a database: its tables' version, whether it is sound, how large it is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, func, inspect, select

from gateway.database.engine import reading
from gateway.database.tables import metadata


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """``version`` is of the tables, None if there are none; ``faults`` are what is wrong, in plain words."""

    engine: str
    version: str | None
    needed: str
    size_bytes: int
    rows: dict[str, int]
    faults: tuple[str, ...]


def survey(engine: Engine) -> Survey:
    """Look through the whole database; only reads.

    Raises:
        Unavailable: the database does not answer.
    """
    with reading(engine) as connection:
        if engine.dialect.name != "sqlite":
            connection.exec_driver_sql("SET LOCAL statement_timeout = 0")  # to count all rows may take long
        found = set(inspect(connection).get_table_names())
        version, needed = _versions(connection)
        known = [table for name, table in sorted(metadata.tables.items()) if name in found]
        rows = {table.name: connection.execute(select(func.count()).select_from(table)).scalar_one() for table in known}
        return Survey(
            engine=_engine(connection),
            version=version,
            needed=needed,
            size_bytes=_size(connection, engine),
            rows=rows,
            faults=(*_version_faults(version, needed), *_damage(connection), *_drift(connection, version == needed)),
        )


def version_of(engine: Engine) -> str | None:
    """The version of the tables; None if there are none. Raises Unavailable."""
    with reading(engine) as connection:
        return _versions(connection)[0]


def _versions(connection: Connection) -> tuple[str | None, str]:
    from alembic.config import Config  # noqa: PLC0415 # costs a third of a second, and only here
    from alembic.migration import MigrationContext  # noqa: PLC0415 # same
    from alembic.script import ScriptDirectory  # noqa: PLC0415 # same

    config = Config()
    config.set_main_option("script_location", "gateway.database:migrations")
    needed = ScriptDirectory.from_config(config).get_current_head()
    return MigrationContext.configure(connection).get_current_revision(), str(needed)


def _version_faults(version: str | None, needed: str) -> list[str]:
    if version is None:
        return ["there are no tables; type: tidegate db upgrade"]
    if version < needed:
        return [f"the tables are of version {version}, and {needed} is needed; type: tidegate db upgrade"]
    if version > needed:
        return [f"the tables are of version {version}, and this program knows {needed}; install a newer Tidegate"]
    return []


def _engine(connection: Connection) -> str:
    dialect = connection.dialect
    version = ".".join(str(part) for part in dialect.server_version_info or ())
    return f"{'SQLite' if dialect.name == 'sqlite' else 'PostgreSQL'} {version}"


def _size(connection: Connection, engine: Engine) -> int:
    if connection.dialect.name != "sqlite":
        return int(connection.exec_driver_sql("SELECT pg_database_size(current_database())").scalar_one())
    file = Path(engine.url.database or "")
    return sum(path.stat().st_size for path in (file, Path(f"{file}-wal")) if path.exists())


def _damage(connection: Connection) -> list[str]:
    if connection.dialect.name != "sqlite":
        return []  # its pages carry checksums of their own, if the cluster was made with them
    found = [str(row[0]) for row in connection.exec_driver_sql("PRAGMA integrity_check(10)")]
    orphans = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchmany(3)
    return [each for each in found if each != "ok"] + [
        f"{row[0]}, row {row[1]}: its {row[2]} is missing" for row in orphans
    ]


def _drift(connection: Connection, current: bool) -> list[str]:
    """Tables that somebody has changed by hand."""
    if not current:
        return []
    from alembic.autogenerate import compare_metadata  # noqa: PLC0415 # as above
    from alembic.migration import MigrationContext  # noqa: PLC0415 # same

    found: list[Any] = compare_metadata(MigrationContext.configure(connection), metadata)
    return [f"the tables are not as this version made them: {_difference(each)}" for each in found]


def _difference(found: Any) -> str:  # noqa: ANN401 # alembic's tuples, of many shapes
    while isinstance(found, list):
        found = found[0]
    return " ".join(str(getattr(part, "name", part)) for part in found if part is not None)
