"""Samples in TimescaleDB's hypertables, where its extension is in the database.

Rows of one time lie together then, in a chunk of its own, so that old ones cost nobody anything. Whoever wants it types
``CREATE EXTENSION timescaledb`` in the database; the next start of gateway or facade, or ``tidegate db upgrade``, moves
what is there. All statements stay the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sqlalchemy import Connection, text

from gateway.database.sample_tables import minutes, samples

_DAY_US: Final = 86_400_000_000
#: Table -> its column of time, and how long a chunk is. Roll-ups of hours are few.
_CHUNKS: Final[Mapping[str, tuple[str, int]]] = {
    samples.name: (samples.c.at_us.name, 7 * _DAY_US),
    minutes.name: (minutes.c.start_us.name, 180 * _DAY_US),
}
_MAKE: Final = text(
    "SELECT create_hypertable(CAST(:name AS regclass), by_range(CAST(:time AS name), CAST(:width AS bigint)),"
    " create_default_indexes => false, if_not_exists => true, migrate_data => true)"
)
_INSTALLED: Final = text("SELECT count(*) FROM pg_extension WHERE extname = 'timescaledb'")


def has_timescale(connection: Connection) -> bool:
    """Whether the extension is in this database."""
    if connection.dialect.name == "sqlite":
        return False
    return bool(connection.execute(_INSTALLED).scalar_one())


def adopt(connection: Connection) -> None:
    """Make the tables of samples hypertables, if they can be and are not yet; while that takes, nobody else writes."""
    if has_timescale(connection):
        for name, (time, width_us) in _CHUNKS.items():
            connection.execute(_MAKE, {"name": name, "time": time, "width": width_us})
