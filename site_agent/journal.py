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
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Generic, TypeVar

from gateway.protocol.errors import Unavailable
from gateway.protocol.messages import Ack
from site_agent import journal_rows as rows
from site_agent.clock import Stamp, stamp
from site_agent.journal_rows import Attempt, Entry

__all__ = ["KEEP_S", "Attempt", "Entry", "Journal"]

R = TypeVar("R")

#: Ids are remembered this long after their end: no repeat of a command can be older than its ttl by then.
KEEP_S = 7 * 86_400
#: How far back the limits of a day may look, with room for a clock that was set.
RECENT_S = 26 * 3_600
_QUEUE_LIMIT = 10_000
_NOTES_EVERY_S = 2.0


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
        #: Whether an epoch of this run is noted already.
        self._serving = False
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
        return await self._do(rows.load)

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
        return await self._do(lambda db: rows.begin(db, entry, unix_s))

    async def attempt(self, command_id: str, attempt: Attempt) -> None:
        """Make durable that the PLC is about to be asked for this action.

        Raises:
            Unavailable: the journal cannot be written; the PLC must not be asked.
        """
        await self._do(lambda db: rows.attempt(db, command_id, attempt))

    async def note(self, intent: Ack) -> None:
        """Make durable what is known of a command directly before its write.

        Raises:
            Unavailable: the journal cannot be written; nothing may be written to the PLC.
        """
        await self._do(lambda db: rows.note(db, intent))

    async def find(self, command_id: str) -> Entry | None:
        """What is known of a command; None if nothing is.

        Raises:
            Unavailable: the journal cannot be read.
        """
        return await self._do(lambda db: rows.find(db, command_id))

    async def recent_attempts(self, unix_s: int) -> tuple[Entry, ...]:
        """Every command with an attempt within :data:`RECENT_S`, committed or not.

        By the time of day, ``unix_s`` now, or by the machine's uptime, which nobody can set: either is enough.

        Raises:
            Unavailable: the journal cannot be read.
        """
        since = replace(_recently(), unix_s=unix_s - RECENT_S)
        return await self._do(lambda db: rows.recent_attempts(db, since))

    async def results(self, device: str) -> tuple[Ack, ...]:
        """The latest ends of writes to a device that were read back.

        Raises:
            Unavailable: the journal cannot be read.
        """
        return await self._do(lambda db: rows.results(db, device))

    async def serve_epoch(self, epoch: int) -> None:
        """Make durable that this journal is in use in ``epoch``.

        Raises:
            Unavailable: the journal cannot be written; the epoch must not begin.
        """
        same_run = self._serving
        await self._do(lambda db: rows.serve_epoch(db, epoch, same_run=same_run))
        self._serving = True

    async def disown_epochs(self) -> None:
        """Another agent was at work under our name: be sure of nothing that is not here, up to now.

        Raises:
            Unavailable: the journal cannot be written.
        """
        self._serving = False
        await self._do(rows.disown_epochs)

    async def covers(self, epoch: int | None, issued_at: datetime | None) -> bool:
        """Whether a command of that epoch and time would be here if the agent had ever seen it.

        Not so for epochs in which another file was in use (a new disk, a restored image), and not for what may have
        been forgotten.

        Raises:
            Unavailable: the journal cannot be read.
        """
        issued_s = None if issued_at is None else issued_at.timestamp()
        return await self._do(lambda db: rows.covers(db, epoch, issued_s))

    async def conclude(self, outcome: Ack, unix_s: int) -> None:
        """Make the command's end durable; a final one is never overwritten (I6).

        Raises:
            Unavailable: the journal cannot be written; try again, and do not ack before.
        """
        await self._do(lambda db: rows.conclude(db, outcome, unix_s))

    def settle(self, ids: Iterable[str]) -> None:
        """Note, with some later commit, that the centre has these; losing the note costs one more ack."""
        self._settled.extend(ids)

    async def forget(self, unix_s: int) -> None:
        """Drop what ended and was committed more than :data:`KEEP_S` ago.

        Raises:
            Unavailable: the journal cannot be written.
        """
        await self._do(lambda db: rows.forget(db, unix_s - KEEP_S, _recently()))

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
            db = rows.connect(self._path)
        except sqlite3.Error as error:
            self._reply([(started, None, Unavailable("journal", f"{self._path}: {error}"))])
            return
        self._reply([(started, None, None)])
        running = True
        while running:
            batch, running = self._gather()
            notes = [self._settled.popleft() for _ in range(len(self._settled))]
            if notes:
                batch.append(_Operation(partial(rows.settle, ids=notes), None))
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


def _recently() -> Stamp:
    now = stamp()
    return replace(now, elapsed_s=now.elapsed_s - RECENT_S, unix_s=now.unix_s - RECENT_S)


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
    except Exception as error:  # whatever it is, it must not end the thread that everybody waits for
        if db.in_transaction:
            db.execute("ROLLBACK")
        failure = Unavailable("journal", str(error))
        return [(operation.future, None, failure) for operation in batch]
    return [(operation.future, result, None) for operation, result in zip(batch, results, strict=True)]
