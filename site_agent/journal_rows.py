"""The journal's tables and statements; called by :mod:`site_agent.journal`'s own thread, inside its transactions."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from gateway.protocol.codec import decode, encode
from gateway.protocol.messages import Ack
from site_agent.clock import Stamp

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS commands (
    id TEXT PRIMARY KEY,
    requester TEXT NOT NULL,
    device TEXT NOT NULL,
    intent BLOB NOT NULL,      -- an ack in state accepted; its result holds the values before the write
    outcome BLOB,              -- the last ack that says how it ended; NULL while it may be under way
    final INTEGER NOT NULL DEFAULT 0,
    committed INTEGER NOT NULL DEFAULT 0,
    touched_s INTEGER NOT NULL -- Unix time, only for forgetting old ends
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS commands_open ON commands (committed, final);
-- The epochs in which this file was in use; anything of another epoch it cannot know.
CREATE TABLE IF NOT EXISTS epochs (first INTEGER PRIMARY KEY, last INTEGER NOT NULL);
-- One row: Unix time of the youngest end that was forgotten.
CREATE TABLE IF NOT EXISTS forgotten (until_s INTEGER NOT NULL);
"""
#: What was asked of the PLC for an action; files of earlier versions get it on opening.
_ATTEMPT: Final = "ALTER TABLE commands ADD COLUMN attempt TEXT"
_ATTEMPTED: Final = "CREATE INDEX IF NOT EXISTS commands_attempted ON commands (touched_s) WHERE attempt IS NOT NULL"
_BOOT, _ELAPSED_S = "json_extract(attempt, '$.stamp.boot')", "json_extract(attempt, '$.stamp.elapsed_s')"
#: Where the PLC was to show what became of it; likewise.
_PLACE: Final = "ALTER TABLE commands ADD COLUMN place TEXT"
_ENTRY: Final = "SELECT requester, intent, outcome, attempt, place FROM commands"
#: Ends looked at to know what a device has held.
_RESULTS: Final = 50
_DAY_S: Final = 86_400
#: Runs of the agent whose epochs are remembered.
_RUNS: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What a PLC was about to be asked: the mailbox's words (None where there is no mailbox), and how much."""

    cmd_seq: int | None
    last_seq: int | None
    fence: int | None
    op: int | None
    arg_1: int | None
    arg_2: int | None
    #: The PLC's own count before, where it has one.
    counter_before: int | None
    #: The argument that limits are about; 0 where there is none.
    amount: float
    stamp: Stamp


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A command in the journal.

    ``intent``: an ack in state accepted that carries what was asked; its ``result`` holds the values that the PLC
    had before, the evidence by which a lost write is told from a done one. ``attempt``: what an action was about to ask
    of the PLC; None if it never came so far. ``outcome``: the last ack about its end. ``place``: Device.place() when
    it came; None in files of earlier versions.
    """

    requester: str
    intent: Ack
    outcome: Ack | None = None
    attempt: Attempt | None = None
    place: str | None = None

    @property
    def id(self) -> str:
        """The command's id."""
        return self.intent.id


def connect(path: Path) -> sqlite3.Connection:
    """Open the file, and bring an older one up to date; raises sqlite3.Error."""
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.executescript(_SCHEMA)
    columns = {column[1] for column in db.execute("PRAGMA table_info(commands)")}
    for name, statement in (("attempt", _ATTEMPT), ("place", _PLACE)):
        if name not in columns:
            db.execute(statement)
    db.execute(_ATTEMPTED)
    return db


def begin(db: sqlite3.Connection, entry: Entry, unix_s: int) -> Entry | None:
    """Insert; or what is there already."""
    outcome = entry.outcome
    values = (
        entry.id,
        entry.requester,
        entry.intent.device,
        encode(entry.intent),
        encode(outcome) if outcome else None,
        bool(outcome and outcome.final),
        unix_s,
        entry.place,
    )
    added = db.execute(
        "INSERT INTO commands (id, requester, device, intent, outcome, final, touched_s, place)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        values,
    )
    return None if added.rowcount else find(db, entry.id)


def find(db: sqlite3.Connection, command_id: str) -> Entry | None:
    """One command."""
    row = db.execute(f"{_ENTRY} WHERE id = ?", (command_id,)).fetchone()
    return None if row is None else _entry(row)


def attempt(db: sqlite3.Connection, command_id: str, made: Attempt) -> None:
    """Note what the PLC is about to be asked."""
    db.execute("UPDATE commands SET attempt = ? WHERE id = ?", (json.dumps(asdict(made)), command_id))


def note(db: sqlite3.Connection, intent: Ack) -> None:
    """Note what is known directly before a write."""
    db.execute("UPDATE commands SET intent = ? WHERE id = ?", (encode(intent), intent.id))


def conclude(db: sqlite3.Connection, outcome: Ack, unix_s: int) -> None:
    """Note an end, unless a final one is there."""
    db.execute(
        "UPDATE commands SET outcome = ?, final = ?, touched_s = ? WHERE id = ? AND NOT final",
        (encode(outcome), outcome.final, unix_s, outcome.id),
    )


def settle(db: sqlite3.Connection, ids: list[str]) -> None:
    """The centre has these."""
    db.executemany("UPDATE commands SET committed = 1 WHERE id = ? AND final", [(each,) for each in ids])


def forget(db: sqlite3.Connection, before_s: int, recent: Stamp) -> None:
    """Drop old ends that the centre has, and remember how far back memory reaches now; nothing since ``recent``."""
    # A clock that was set on makes a dose of this morning look old; the machine's uptime knows better.
    ours = (before_s, recent.boot or None, recent.elapsed_s)
    old = (
        "FROM commands WHERE committed AND final AND touched_s < ?"
        f" AND (attempt IS NULL OR {_BOOT} IS NOT ? OR {_ELAPSED_S} < ?)"
    )
    (youngest_s,) = db.execute(f"SELECT max(touched_s) {old}", ours).fetchone()
    if youngest_s is None:
        return
    known = db.execute("SELECT max(until_s) FROM forgotten").fetchone()[0]
    db.execute("DELETE FROM forgotten")
    db.execute("INSERT INTO forgotten VALUES (?)", (max(youngest_s, known or 0),))
    db.execute(f"DELETE {old}", ours)


def load(db: sqlite3.Connection) -> tuple[Entry, ...]:
    """Everything that the centre is not known to have."""
    return tuple(_entry(row) for row in db.execute(f"{_ENTRY} WHERE NOT committed ORDER BY id"))


def recent_attempts(db: sqlite3.Connection, since: Stamp) -> tuple[Entry, ...]:
    """Commands with an attempt since then, by the machine's uptime or by the time of day."""
    query = (
        f"{_ENTRY} WHERE attempt IS NOT NULL AND (touched_s >= ? OR ({_BOOT} = ? AND {_ELAPSED_S} >= ?))"
        " ORDER BY touched_s"
    )
    return tuple(_entry(row) for row in db.execute(query, (since.unix_s, since.boot or None, since.elapsed_s)))


def results(db: sqlite3.Connection, device: str) -> tuple[Ack, ...]:
    """The latest ends of a device."""
    query = "SELECT outcome FROM commands WHERE device = ? AND final ORDER BY touched_s DESC, id DESC LIMIT ?"
    return tuple(decode(Ack, "journal", row[0]) for row in db.execute(query, (device, _RESULTS)))


def serve_epoch(db: sqlite3.Connection, epoch: int, *, same_run: bool) -> None:
    """Add to the epochs in which this file was in use; those of one run of the agent are one range."""
    first = db.execute("SELECT max(first) FROM epochs").fetchone()[0] if same_run else None
    if first is None:
        db.execute("INSERT INTO epochs VALUES (?, ?) ON CONFLICT DO NOTHING", (epoch, epoch))
        db.execute(
            "DELETE FROM epochs WHERE first NOT IN (SELECT first FROM epochs ORDER BY first DESC LIMIT ?)", (_RUNS,)
        )
    else:
        db.execute("UPDATE epochs SET last = ? WHERE first = ?", (epoch, first))


def disown_epochs(db: sqlite3.Connection) -> None:
    """Somebody else was at work under our name: what this file does not know may have been done all the same."""
    db.execute("DELETE FROM epochs")


def covers(db: sqlite3.Connection, epoch: int | None, issued_s: float | None) -> bool:
    """Whether a command of that epoch and time would be here."""
    if epoch is None or not _serves(db, epoch):
        return False
    until_s = db.execute("SELECT max(until_s) FROM forgotten").fetchone()[0]
    return until_s is None or (issued_s is not None and issued_s > until_s + _DAY_S)


def _serves(db: sqlite3.Connection, epoch: int) -> bool:
    return db.execute("SELECT 1 FROM epochs WHERE first <= ? AND last >= ?", (epoch, epoch)).fetchone() is not None


def _entry(row: tuple[str, bytes, bytes | None, str | None, str | None]) -> Entry:
    requester, intent, outcome, made, place = row
    return Entry(
        requester=requester,
        intent=decode(Ack, "journal", intent),
        outcome=decode(Ack, "journal", outcome) if outcome else None,
        attempt=None if made is None else _attempt(json.loads(made)),
        place=place,
    )


def _attempt(fields: dict[str, object]) -> Attempt:
    stamp = fields.pop("stamp")
    assert isinstance(stamp, dict)  # noqa: S101 # written by attempt() alone
    return Attempt(**fields, stamp=Stamp(**stamp))  # type: ignore[arg-type]  # same
