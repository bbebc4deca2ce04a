"""Samples in the database: one row per sample, however often it was sent (I9), and which hours must be rolled up anew.

Many rows go in at once, on the driver itself: SQLAlchemy's own way costs several times what the database takes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import IntEnum
from itertools import repeat
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Engine

from gateway.database.driver import errors_of, inserts_of
from gateway.database.engine import writing
from gateway.database.sample_tables import series
from gateway.database.tables import microseconds, storable
from gateway.protocol.history import Series
from gateway.protocol.messages import Quality, Value

HOUR_US: Final = 3_600_000_000
#: Series whose numbers are remembered; beyond that all are looked up again (I15).
REMEMBERED: Final = 200_000
#: A float holds every integer up to here.
_EXACT: Final = 2**53
QUALITIES: Final = (Quality.GOOD, Quality.STALE, Quality.BAD)
_QUALITY_NUMBERS: Final = {quality: number for number, quality in enumerate(QUALITIES)}

_ADD_SQLITE: Final = "INSERT INTO samples VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
_TOUCH_SQLITE: Final = (
    "INSERT INTO stale_hours (series_id, start_us, touched_us) VALUES (?, ?, ?)"
    " ON CONFLICT (series_id, start_us) DO UPDATE SET touched_us = excluded.touched_us"
)
#: All in one statement: each would be a message of its own.
_TOUCH: Final = (
    "INSERT INTO stale_hours (series_id, start_us, touched_us) SELECT series_id, start_us, %s"
    " FROM unnest(%s::bigint[], %s::bigint[]) AS hour (series_id, start_us)"
    " ON CONFLICT (series_id, start_us) DO UPDATE SET touched_us = excluded.touched_us"
)
_ASIDE: Final = "CREATE TEMPORARY TABLE IF NOT EXISTS incoming_samples (LIKE samples) ON COMMIT DELETE ROWS"
_MOVE: Final = "INSERT INTO samples SELECT * FROM incoming_samples ON CONFLICT DO NOTHING"

_COLUMN_TYPES: Final = ("int8", "int8", "float8", "text", "int2", "int2")

Row = tuple[int, int, float | None, str | None, int, int]


class Kind(IntEnum):
    """What a sample's value was."""

    NONE = 0
    BOOLEAN = 1
    NUMBER = 2
    TEXT = 3
    #: Beyond what a float holds exactly: ``number`` is near it, ``text`` has its digits.
    LARGE = 4


_NUMBER: Final = Kind.NUMBER.value


class SeriesSeen(NamedTuple):
    """A series of a site's outbox."""

    site: str
    series: Series


class Samples:
    """For one thread; several processes may write at once."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._sqlite = engine.dialect.name == "sqlite"
        add = inserts_of(engine.dialect.name).insert(series)
        self._learn = add.on_conflict_do_update(
            index_elements=["site", "device", "name"], set_={"every_s": add.excluded.every_s}
        ).returning(series.c.id)
        #: (site, device, name) -> number and every_s.
        self._known: dict[tuple[str, str, str], tuple[int, float]] = {}

    def know(self, seen: Sequence[SeriesSeen]) -> None:
        """Give every series that is new, or is read at another pace than before, its number; before :meth:`save_in`.

        Raises:
            Unavailable: nothing was committed.
        """
        news = self._news(seen)
        if not news:
            return
        if len(self._known) + len(news) > REMEMBERED:
            self._known.clear()
            news = self._news(seen)  # those of this batch that were known as well
        found = {}
        with writing(self._engine) as connection:
            # In one order, so that two gateways cannot wait for each other.
            for (site, device, name), every_s in sorted(news.items()):
                columns = {"site": site, "device": device, "name": name, "every_s": every_s}
                number = connection.execute(self._learn, columns).scalar_one()
                found[site, device, name] = number, every_s
        self._known |= found

    def _news(self, seen: Iterable[SeriesSeen]) -> dict[tuple[str, str, str], float]:
        return {
            _key(each): each.series.every_s
            for each in seen
            if self._known.get(_key(each), (0, None))[1] != each.series.every_s
        }

    def save_in(self, connection: Connection, seen: Sequence[SeriesSeen], now: datetime) -> None:
        """Keep those that are not there yet, inside a transaction of :func:`gateway.database.engine.writing`."""
        if not seen:
            return
        numbered = [(self._known[_key(each)][0], each.series) for each in seen]
        # In one order, so that two gateways that keep the same batches cannot wait for each other.
        numbered.sort(key=lambda each: (each[0], each[1].start))
        rows = [row for number, each in numbered for row in _rows(number, each)]
        touched = sorted({hour for number, each in numbered for hour in _hours(number, each)})
        cursor: Any = connection.connection.cursor()
        with errors_of(connection, "samples"):
            self._insert(connection, cursor, rows)
            self._touch(cursor, touched, microseconds(now))

    def _touch(self, cursor: Any, hours: Sequence[tuple[int, int]], now_us: int) -> None:  # noqa: ANN401 # a driver's own
        if self._sqlite:
            cursor.executemany(_TOUCH_SQLITE, [(*hour, now_us) for hour in hours])
        else:
            cursor.execute(_TOUCH, (now_us, [number for number, _ in hours], [start_us for _, start_us in hours]))

    def _insert(self, connection: Connection, cursor: Any, rows: Sequence[Row]) -> None:  # noqa: ANN401 # a driver's own
        if self._sqlite:
            cursor.executemany(_ADD_SQLITE, rows)
            return
        # What comes again is rare, and costs more: everything is copied once, straight into the table, and only if a
        # row is there already, aside first.
        psycopg: Any = connection.dialect.loaded_dbapi
        cursor.execute("SAVEPOINT fresh")
        try:
            _copy(cursor, "samples", rows)
        except psycopg.errors.UniqueViolation:
            cursor.execute("ROLLBACK TO SAVEPOINT fresh")
            cursor.execute(_ASIDE)
            _copy(cursor, "incoming_samples", rows)
            cursor.execute(_MOVE)
        cursor.execute("RELEASE SAVEPOINT fresh")


def _copy(cursor: Any, table: str, rows: Sequence[Row]) -> None:  # noqa: ANN401 # psycopg's
    with cursor.copy(f"COPY {table} FROM STDIN (FORMAT BINARY)") as copying:
        copying.set_types(_COLUMN_TYPES)
        for row in rows:
            copying.write_row(row)


def _key(seen: SeriesSeen) -> tuple[str, str, str]:
    return seen.site, seen.series.device, seen.series.name


def _hours(number: int, each: Series) -> Iterable[tuple[int, int]]:
    """The hours that the series touches; most lie in one, which two of its times tell."""
    start_us, offsets = microseconds(each.start), each.offset_us
    first_us, last_us = start_us + min(offsets), start_us + max(offsets)
    if first_us // HOUR_US == last_us // HOUR_US:
        return ((number, first_us - first_us % HOUR_US),)
    return {(number, at_us - at_us % HOUR_US) for at_us in (start_us + each for each in offsets)}


def _rows(number: int, each: Series) -> Iterable[Row]:
    start_us, quality = microseconds(each.start), _QUALITY_NUMBERS[each.quality]
    if {type(value) for value in each.values} == {float}:  # most are, and this way takes half the time
        times = map(start_us.__add__, each.offset_us)
        return zip(repeat(number), times, each.values, repeat(None), repeat(_NUMBER), repeat(quality), strict=False)
    return [
        (number, start_us + offset_us, *_columns(value), quality)
        for offset_us, value in zip(each.offset_us, each.values, strict=True)
    ]


def _columns(value: Value | None) -> tuple[float | None, str | None, int]:
    match value:
        case None:
            return None, None, Kind.NONE.value
        case bool():
            return float(value), None, Kind.BOOLEAN.value
        case str():
            return None, storable(value), Kind.TEXT.value
        case int() if abs(value) > _EXACT:
            return float(value), str(value), Kind.LARGE.value
        case _:
            return float(value), None, Kind.NUMBER.value
