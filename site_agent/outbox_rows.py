"""The outbox's tables and statements; called by :mod:`site_agent.outbox`'s own thread, inside its transactions."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter

from gateway.protocol.codec import decode, encode
from gateway.protocol.history import Happening
from gateway.protocol.messages import Alarm
from site_agent import outbox_samples
from site_agent.meal_watch import Feeding

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS events (number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS alarms (
    device TEXT NOT NULL, name TEXT NOT NULL, body BLOB NOT NULL, PRIMARY KEY (device, name)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS feedings (device TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID;
"""
_FEEDING: Final = TypeAdapter(Feeding)


def connect(path: Path) -> sqlite3.Connection:
    """Open the file; raises sqlite3.Error."""
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.executescript(_SCHEMA)
    db.executescript(outbox_samples.SCHEMA)
    return db


def add(db: sqlite3.Connection, event: Happening, most: int) -> int:
    """Keep an event; how many of the oldest had to go for it."""
    db.execute("INSERT INTO events (id, body) VALUES (?, ?)", (event.id, encode(event)))
    (over,) = db.execute("SELECT count(*) - ? FROM events", (most,)).fetchone()
    if over > 0:
        db.execute("DELETE FROM events WHERE number IN (SELECT number FROM events ORDER BY number LIMIT ?)", (over,))
    return max(0, int(over))


def oldest(db: sqlite3.Connection, limit: int) -> tuple[Happening, ...]:
    """What waits for longest."""
    rows = db.execute("SELECT body FROM events ORDER BY number LIMIT ?", (limit,))
    return tuple(decode(Happening, "outbox", row[0]) for row in rows)


def count(db: sqlite3.Connection) -> int:
    """How many wait."""
    return int(db.execute("SELECT count(*) FROM events").fetchone()[0])


def forget(db: sqlite3.Connection, ids: Iterable[str]) -> None:
    """The centre has these."""
    db.executemany("DELETE FROM events WHERE id = ?", [(each,) for each in ids])


def put_alarm(db: sqlite3.Connection, device: str, name: str, alarm: Alarm | None) -> None:
    """An alarm was raised, or is over."""
    if alarm is None:
        db.execute("DELETE FROM alarms WHERE device = ? AND name = ?", (device, name))
    else:
        db.execute("INSERT OR REPLACE INTO alarms VALUES (?, ?, ?)", (device, name, encode(alarm)))


def alarms(db: sqlite3.Connection) -> dict[tuple[str, str], Alarm]:
    """Those that are active."""
    rows = db.execute("SELECT device, name, body FROM alarms")
    return {(device, name): decode(Alarm, "outbox", body) for device, name, body in rows}


def put_feeding(db: sqlite3.Connection, device: str, feeding: Feeding | None) -> None:
    """What is known of a device's meals; None: nothing any more."""
    if feeding is None:
        db.execute("DELETE FROM feedings WHERE device = ?", (device,))
        return
    db.execute("INSERT OR REPLACE INTO feedings VALUES (?, ?)", (device, _FEEDING.dump_json(feeding)))


def feedings(db: sqlite3.Connection) -> dict[str, Feeding]:
    """All of it."""
    return {device: _FEEDING.validate_json(body) for device, body in db.execute("SELECT device, body FROM feedings")}
