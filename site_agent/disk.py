"""One SQLite file of the agent, owned by one thread that commits whatever waits in one transaction.

Many operations share an fsync (synchronous=FULL), and a slow disk never stops the event loop, so never a heartbeat.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

from gateway.protocol.errors import Unavailable

R = TypeVar("R")

#: Operations that may wait.
QUEUE_LIMIT: Final = 10_000
_BATCH: Final = 256
_IDLE_S: Final = 2.0


@dataclass(slots=True)
class _Operation(Generic[R]):
    run: Callable[[sqlite3.Connection], R]
    future: asyncio.Future[R] | None


class DiskFile:
    """``open`` before use, ``close`` at the end; ``part`` is what errors call it.

    ``connect`` opens the file and raises sqlite3.Error. ``notes`` gives work that is not worth a flush of its own and
    rides along with the next one; it is asked in the file's thread.
    """

    def __init__(
        self,
        part: str,
        path: Path,
        connect: Callable[[Path], sqlite3.Connection],
        notes: Callable[[], Callable[[sqlite3.Connection], None] | None] = lambda: None,
    ) -> None:
        self._part = part
        self._path = path
        self._connect = connect
        self._notes = notes
        self._waiting: queue.Queue[_Operation[Any] | None] = queue.Queue(QUEUE_LIMIT)
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def open(self) -> None:
        """Start.

        Raises:
            Unavailable: the file cannot be opened.
        """
        self._loop = asyncio.get_running_loop()
        started: asyncio.Future[None] = self._loop.create_future()
        self._thread = threading.Thread(target=self._serve, args=(started,), name=self._part, daemon=True)
        self._thread.start()
        try:
            await started
        except Unavailable:
            await asyncio.to_thread(self._thread.join)
            self._thread = None
            raise

    async def close(self) -> None:
        """Commit what waits and close the file."""
        if self._thread is not None:
            self._waiting.put(None)
            await asyncio.to_thread(self._thread.join)
            self._thread = None

    async def do(self, run: Callable[[sqlite3.Connection], R]) -> R:
        """Run it in a transaction; its result, once that is on disk.

        Raises:
            Unavailable: nothing of it was committed.
        """
        future: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        try:
            self._waiting.put_nowait(_Operation(run, future))
        except queue.Full:
            raise Unavailable(self._part, f"{QUEUE_LIMIT} operations wait already") from None
        return await future

    # The thread's side.

    def _serve(self, started: asyncio.Future[None]) -> None:
        try:
            db = self._connect(self._path)
        except sqlite3.Error as error:
            self._reply([(started, None, Unavailable(self._part, f"{self._path}: {error}"))])
            return
        self._reply([(started, None, None)])
        running = True
        while running:
            batch, running = self._gather()
            notes = self._notes()
            if notes is not None:
                batch.append(_Operation(notes, None))
            if batch:
                self._reply(self._commit(db, batch))
        db.close()

    def _gather(self) -> tuple[list[_Operation[Any]], bool]:
        try:
            first = self._waiting.get(timeout=_IDLE_S)
        except queue.Empty:
            return [], True
        if first is None:
            return [], False
        batch = [first]
        while len(batch) < _BATCH:
            try:
                following = self._waiting.get_nowait()
            except queue.Empty:
                break
            if following is None:
                return batch, False
            batch.append(following)
        return batch, True

    def _commit(
        self, db: sqlite3.Connection, batch: list[_Operation[Any]]
    ) -> list[tuple[asyncio.Future[Any] | None, Any, Exception | None]]:
        try:
            db.execute("BEGIN IMMEDIATE")
            results = [operation.run(db) for operation in batch]
            db.execute("COMMIT")
        except Exception as error:  # whatever it is, it must not end the thread that everybody waits for
            if db.in_transaction:
                db.execute("ROLLBACK")
            failure = Unavailable(self._part, str(error))
            return [(operation.future, None, failure) for operation in batch]
        return [(operation.future, result, None) for operation, result in zip(batch, results, strict=True)]

    def _reply(self, answers: list[tuple[asyncio.Future[Any] | None, Any, Exception | None]]) -> None:
        assert self._loop is not None  # noqa: S101 # the thread starts in open()
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(_resolve, answers)


def set_aside(path: Path) -> None:
    """Give a spoilt file, and what belongs to it, another name; if that cannot be done, nothing happens."""
    for each in (path, path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")):
        with suppress(OSError):
            each.replace(each.with_name(f"{each.name}.spoilt-{int(time.time())}"))


def _resolve(answers: list[tuple[asyncio.Future[Any] | None, Any, Exception | None]]) -> None:
    for future, result, error in answers:
        if future is None or future.done():
            continue
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)
