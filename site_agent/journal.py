"""The journal: which commands this agent has seen and what became of them, on disk before anything happens.

One SQLite file in synchronous=FULL. One thread owns it and commits whatever waits in one transaction, so that
many commands share an fsync and a slow disk never stops the heartbeat. The intent is durable before the PLC
is touched, the result before the ack leaves (I1, I3); a repeated command is answered from here.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Generic, TypeVar

from gateway.protocol.codec import decode, encode
from gateway.protocol.errors import TidegateError, Unavailable
from gateway.protocol.messages import Ack

R = TypeVar("R")

#: Ids are remembered this long after their end: no repeat of a command can be older than its ttl by then.
KEEP_S = 7 * 86_400
_QUEUE_LIMIT = 10_000
_NOTES_EVERY_S = 2.0

_SCHEMA = """
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
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A command in the journal.

    ``intent``: an ack in state accepted that carries what was asked; its ``result`` holds the values that the PLC
    had before, the evidence by which a lost write is told from a done one. ``outcome``: the last ack about its end.
    """

    requester: str
    intent: Ack
    outcome: Ack | None = None

    @property
    def id(self) -> str:
        """The command's id."""
        return self.intent.id


@dataclass(slots=True)
class _Operation(Generic[R]):
    run: Callable[[sqlite3.Connection], R]
    future: asyncio.Future[R] | None


class Journal:
    """The agent's memory of commands; ``open`` before use, ``close`` at the end."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._waiting: queue.Queue[_Operation[Any] | None] = queue.Queue(_QUEUE_LIMIT)
        # Notes ride along with the next commit, since they are not worth a disk flush of their own.
        self._settled: deque[str] = deque(maxlen=_QUEUE_LIMIT)
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def open(self) -> tuple[Entry, ...]:
        """Start, and return the commands that are not yet known to be committed at the centre, oldest first.

        Raises:
            Unavailable: the file cannot be opened; the agent must not act without it.
        """
        self._loop = asyncio.get_running_loop()
        started: asyncio.Future[None] = self._loop.create_future()
        self._thread = threading.Thread(target=self._serve, args=(started,), name="journal", daemon=True)
        self._thread.start()
        await started
        return await self._do(_load)

    async def close(self) -> None:
        """Commit what waits and close the file."""
        if self._thread is not None:
            self._waiting.put(None)
            await asyncio.to_thread(self._thread.join)
            self._thread = None

    async def begin(self, entry: Entry, unix_s: int) -> Entry | None:
        """Make the command durable unless its id is there already; then return what is there.

        Raises:
            Unavailable: the journal cannot be written; nothing may be done for this command.
        """
        return await self._do(lambda db: _begin(db, entry, unix_s))

    async def conclude(self, outcome: Ack, unix_s: int) -> None:
        """Make the command's end durable; a final one is never overwritten (I6).

        Raises:
            Unavailable: the journal cannot be written; try again, and do not ack before.
        """
        await self._do(lambda db: _conclude(db, outcome, unix_s))

    def settle(self, ids: Iterable[str]) -> None:
        """Note, with some later commit, that the centre has these; losing the note costs one more ack."""
        self._settled.extend(ids)

    async def forget(self, unix_s: int) -> None:
        """Drop what ended and was committed more than :data:`KEEP_S` ago.

        Raises:
            Unavailable: the journal cannot be written.
        """
        await self._do(lambda db: _forget(db, unix_s - KEEP_S))

    async def _do(self, run: Callable[[sqlite3.Connection], R]) -> R:
        future: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        try:
            self._waiting.put_nowait(_Operation(run, future))
        except queue.Full:
            raise Unavailable("journal", f"{_QUEUE_LIMIT} operations wait already") from None
        return await future

    # The thread's side.

    def _serve(self, started: asyncio.Future[None]) -> None:
        try:
            db = _connect(self._path)
        except sqlite3.Error as error:
            self._reply([(started, None, Unavailable("journal", f"{self._path}: {error}"))])
            return
        self._reply([(started, None, None)])
        running = True
        while running:
            batch, running = self._gather()
            notes = [self._settled.popleft() for _ in range(len(self._settled))]
            if notes:
                batch.append(_Operation(partial(_settle, ids=notes), None))
            if batch:
                self._reply(_commit(db, batch))
        db.close()

    def _gather(self) -> tuple[list[_Operation[Any]], bool]:
        try:
            first = self._waiting.get(timeout=_NOTES_EVERY_S)
        except queue.Empty:
            return [], True
        if first is None:
            return [], False
        batch = [first]
        while len(batch) < 256:
            try:
                following = self._waiting.get_nowait()
            except queue.Empty:
                break
            if following is None:
                return batch, False
            batch.append(following)
        return batch, True

    def _reply(self, answers: list[tuple[asyncio.Future[Any] | None, Any, Exception | None]]) -> None:
        assert self._loop is not None  # noqa: S101 # the thread starts in open()
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(_resolve, answers)


def _resolve(answers: list[tuple[asyncio.Future[Any] | None, Any, Exception | None]]) -> None:
    for future, result, error in answers:
        if future is None or future.done():
            continue
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)


def _commit(
    db: sqlite3.Connection, batch: list[_Operation[Any]]
) -> list[tuple[asyncio.Future[Any] | None, Any, Exception | None]]:
    try:
        db.execute("BEGIN IMMEDIATE")
        results = [operation.run(db) for operation in batch]
        db.execute("COMMIT")
    except (sqlite3.Error, TidegateError) as error:
        if db.in_transaction:
            db.execute("ROLLBACK")
        failure = Unavailable("journal", str(error))
        return [(operation.future, None, failure) for operation in batch]
    return [(operation.future, result, None) for operation, result in zip(batch, results, strict=True)]


def _connect(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.executescript(_SCHEMA)
    return db


def _begin(db: sqlite3.Connection, entry: Entry, unix_s: int) -> Entry | None:
    outcome = entry.outcome
    values = (
        entry.id,
        entry.requester,
        entry.intent.device,
        encode(entry.intent),
        encode(outcome) if outcome else None,
        bool(outcome and outcome.final),
        unix_s,
    )
    added = db.execute(
        "INSERT INTO commands (id, requester, device, intent, outcome, final, touched_s)"
        " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        values,
    )
    if added.rowcount:
        return None
    row = db.execute("SELECT requester, intent, outcome FROM commands WHERE id = ?", (entry.id,)).fetchone()
    return _entry(row)


def _conclude(db: sqlite3.Connection, outcome: Ack, unix_s: int) -> None:
    db.execute(
        "UPDATE commands SET outcome = ?, final = ?, touched_s = ? WHERE id = ? AND NOT final",
        (encode(outcome), outcome.final, unix_s, outcome.id),
    )


def _settle(db: sqlite3.Connection, ids: list[str]) -> None:
    db.executemany("UPDATE commands SET committed = 1 WHERE id = ? AND final", [(each,) for each in ids])


def _forget(db: sqlite3.Connection, before_s: int) -> None:
    db.execute("DELETE FROM commands WHERE committed AND final AND touched_s < ?", (before_s,))


def _load(db: sqlite3.Connection) -> tuple[Entry, ...]:
    rows = db.execute("SELECT requester, intent, outcome FROM commands WHERE NOT committed ORDER BY id")
    return tuple(_entry(row) for row in rows)


def _entry(row: tuple[str, bytes, bytes | None]) -> Entry:
    requester, intent, outcome = row
    return Entry(
        requester=requester,
        intent=decode(Ack, "journal", intent),
        outcome=decode(Ack, "journal", outcome) if outcome else None,
    )
