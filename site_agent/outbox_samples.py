"""The samples in the outbox's file: tables, statements, and how they travel. Called in the file's own thread.

A row costs some 25 bytes, for a site that was silent for a week has millions of them. Rows go in the order in which
they came, so how many wait follows from the first and the last number.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from gateway.protocol.history import MAX_OFFSET_US, Series
from gateway.protocol.messages import Quality, Value
from site_agent.sampling import Point

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS series (
    number INTEGER PRIMARY KEY, device TEXT NOT NULL, name TEXT NOT NULL, every_s REAL NOT NULL, UNIQUE (device, name)
);
CREATE TABLE IF NOT EXISTS samples (
    number INTEGER PRIMARY KEY AUTOINCREMENT, series INTEGER NOT NULL, at INTEGER NOT NULL, value, mark INTEGER NOT NULL
);
"""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_QUALITIES: Final = (Quality.GOOD, Quality.STALE, Quality.BAD)
#: SQLite has no booleans, and no integers beyond 63 bits.
_BOOLEAN: Final = 4
_LARGE: Final = 8
_MAX_INTEGER: Final = 2**63 - 1
#: What a sample takes in a message: its offset, its value and two commas; texts are counted as they are.
_SAMPLE_BYTES: Final = 32
_SERIES_BYTES: Final = 240


@dataclass(frozen=True, slots=True)
class Chunk:
    """The oldest samples as they travel; ``last`` is the number of the last row in them, ``more`` wait behind."""

    series: tuple[Series, ...] = ()
    last: int = 0
    more: bool = False


@dataclass(frozen=True, slots=True)
class Lost:
    """How many of the oldest samples had to go, and of what time."""

    count: int
    first: datetime
    last: datetime


def add(db: sqlite3.Connection, points: Sequence[Point]) -> None:
    """Keep these."""
    numbers = {(device, name): number for number, device, name in db.execute("SELECT number, device, name FROM series")}
    rows = []
    for point in points:
        key = point.device, point.name
        if key not in numbers:
            cursor = db.execute("INSERT INTO series (device, name, every_s) VALUES (?, ?, ?)", (*key, point.every_s))
            numbers[key] = cursor.lastrowid
        value, mark = _packed(point.value)
        at = (point.at - _EPOCH) // _MICROSECOND
        rows.append((numbers[key], at, value, mark + _QUALITIES.index(point.quality)))
    db.executemany("INSERT INTO samples (series, at, value, mark) VALUES (?, ?, ?, ?)", rows)
    known = {(point.every_s, point.device, point.name) for point in points}
    db.executemany("UPDATE series SET every_s = ?1 WHERE device = ?2 AND name = ?3 AND every_s <> ?1", known)


def count(db: sqlite3.Connection) -> int:
    """How many wait."""
    first, last = db.execute("SELECT (SELECT min(number) FROM samples), (SELECT max(number) FROM samples)").fetchone()
    return 0 if first is None else int(last - first + 1)


def oldest(db: sqlite3.Connection, most: int, most_bytes: int) -> Chunk:
    """What waits for longest, within these bounds; one sample at least, if any waits."""
    rows = db.execute(
        "SELECT samples.number, device, name, every_s, at, value, mark FROM samples"
        " JOIN series ON series.number = samples.series ORDER BY samples.number LIMIT ?",
        (most + 1,),
    ).fetchall()
    growing: dict[tuple[str, str, Quality], _Growing] = {}
    done: list[_Growing] = []
    size, last = 0, 0
    for taken, (number, device, name, every_s, at, value, mark) in enumerate(rows):
        key = device, name, _QUALITIES[mark & 3]
        current = growing.get(key)
        fits = current is not None and 0 <= at - current.start <= MAX_OFFSET_US
        size += _SAMPLE_BYTES + (0 if fits else _SERIES_BYTES)
        size += len(json.dumps(value)) if isinstance(value, str) else 0
        if taken == most or (taken and size > most_bytes):
            return Chunk(_finished(done, growing), last, more=True)
        if current is None or not fits:
            done += [] if current is None else [current]
            current = growing[key] = _Growing(device, name, key[2], every_s, at)
        current.offsets.append(at - current.start)
        current.values.append(_unpacked(value, mark))
        last = number
    return Chunk(_finished(done, growing), last)


def forget(db: sqlite3.Connection, last: int) -> None:
    """The centre has all up to this one."""
    db.execute("DELETE FROM samples WHERE number <= ?", (last,))


def drop(db: sqlite3.Connection, *, most: int, before: datetime, not_before: datetime, at_once: int) -> Lost | None:
    """Let the oldest go: those beyond ``most``, and those too old; so many at once at most.

    Too old is a sample taken before ``before``, unless that is before ``not_before``: then a clock was wrong.
    """
    over = count(db) - most
    old_us, wrong_us = ((each - _EPOCH) // _MICROSECOND for each in (before, not_before))
    (first,) = db.execute("SELECT at FROM samples ORDER BY number LIMIT 1").fetchone() or (old_us,)
    if over <= 0 and not wrong_us <= first < old_us:
        return None
    rows = db.execute("SELECT number, at FROM samples ORDER BY number LIMIT ?", (at_once,)).fetchall()
    old = next((index for index, (_, at) in enumerate(rows) if not wrong_us <= at < old_us), len(rows))
    gone = rows[: max(over, old)]
    if not gone:
        return None
    forget(db, gone[-1][0])
    times = [at for _, at in gone]
    return Lost(len(gone), _EPOCH + min(times) * _MICROSECOND, _EPOCH + max(times) * _MICROSECOND)


@dataclass(slots=True)
class _Growing:
    device: str
    name: str
    quality: Quality
    every_s: float
    start: int
    offsets: list[int] = field(default_factory=list)
    values: list[Value | None] = field(default_factory=list)


def _finished(done: Iterable[_Growing], growing: dict[tuple[str, str, Quality], _Growing]) -> tuple[Series, ...]:
    return tuple(
        Series(
            device=each.device,
            name=each.name,
            start=_EPOCH + each.start * _MICROSECOND,
            offset_us=tuple(each.offsets),
            values=tuple(each.values),
            quality=each.quality,
            every_s=each.every_s,
        )
        for each in (*done, *growing.values())
    )


def _packed(value: Value | None) -> tuple[Value | None, int]:
    if isinstance(value, bool):
        return int(value), _BOOLEAN
    if isinstance(value, int) and value > _MAX_INTEGER:
        return str(value), _LARGE
    return value, 0


def _unpacked(value: Value | None, mark: int) -> Value | None:
    if value is None:
        return None
    if mark & _BOOLEAN:
        return bool(value)
    return int(value) if mark & _LARGE else value
