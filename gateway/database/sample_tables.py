"""The tables of what was read: samples, and their roll-ups by minute and by hour.

There are millions of rows, so times are plain numbers here, microseconds since 1970, and never become objects.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, Index, Integer, SmallInteger, String, Table, Text, UniqueConstraint

from gateway.database.tables import metadata

#: SQLite counts by itself only in a column that is exactly its INTEGER.
_Number = BigInteger().with_variant(Integer(), "sqlite")

#: A property of a device. ``every_s``: what lies further apart than this is a gap.
series = Table(
    "series",
    metadata,
    Column("id", _Number, primary_key=True),
    Column("site", String(48), nullable=False),
    Column("device", String(48), nullable=False),
    Column("name", String(64), nullable=False),
    Column("every_s", Float, nullable=False),
    UniqueConstraint("site", "device", "name"),
)

#: One row per sample, however often it was sent (I9). ``number`` for what can be drawn, a boolean as 0 or 1; ``text``
#: for a string, and for an integer that a float does not hold exactly. ``kind`` says which it was; see gateway.samples.
samples = Table(
    "samples",
    metadata,
    Column("series_id", BigInteger, primary_key=True, autoincrement=False),
    Column("at_us", BigInteger, primary_key=True, autoincrement=False),
    Column("number", Float),
    Column("text", Text),
    Column("kind", SmallInteger, nullable=False),
    Column("quality", SmallInteger, nullable=False),
    sqlite_with_rowid=False,
)


def _roll_up(name: str) -> Table:
    return Table(
        name,
        metadata,
        Column("series_id", BigInteger, primary_key=True, autoincrement=False),
        Column("start_us", BigInteger, primary_key=True, autoincrement=False),
        # How many samples have a number, and what these come to.
        Column("count", Integer, nullable=False),
        Column("least", Float),
        Column("most", Float),
        Column("total", Float),
        # The last sample of all, which may have none.
        Column("last", Float),
        Column("last_at_us", BigInteger, nullable=False),
        Column("last_quality", SmallInteger, nullable=False),
        sqlite_with_rowid=False,
    )


minutes = _roll_up("sample_minutes")
hours = _roll_up("sample_hours")

#: Hours in which samples have arrived that their roll-ups do not hold yet.
stale_hours = Table(
    "stale_hours",
    metadata,
    Column("series_id", BigInteger, primary_key=True, autoincrement=False),
    Column("start_us", BigInteger, primary_key=True, autoincrement=False),
    Column("touched_us", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
Index(None, stale_hours.c.touched_us)
