"""The outbox: what happened at the site, on disk until the centre has it.

Beside the events it keeps what they follow from: which alarms are active, and what is known of each feeder's meals.
"""

from __future__ import annotations

import asyncio
import secrets
import sqlite3
import time
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Final, TypeVar

import structlog

from gateway.protocol.errors import Unavailable
from gateway.protocol.ids import command_id
from gateway.protocol.messages import MAX_PAYLOAD_BYTES, Alarm, Event, Happening, History
from gateway.protocol.topics import EVENTS_LOST
from site_agent import clock
from site_agent import outbox_rows as rows
from site_agent.disk import DiskFile
from site_agent.meal_watch import Feeding

#: Events that wait while the centre is away; beyond that the oldest go.
EVENTS: Final = 50_000
#: Of one batch; far below what a message may hold.
BATCH: Final = 200
_BATCH_BYTES: Final = MAX_PAYLOAD_BYTES // 2
#: A batch that the centre has not named by then is sent again.
PATIENCE_S: Final = 20.0

R = TypeVar("R")

log = structlog.get_logger(__name__)


class Outbox:
    """``open`` before use, ``close`` at the end. What cannot be kept is logged, never raised: it was told live."""

    def __init__(self, path: Path) -> None:
        self._disk = DiskFile("outbox", path, rows.connect)
        self._tasks: set[asyncio.Task[None]] = set()
        self._filled = asyncio.Event()
        self._committed = asyncio.Event()
        self._sent: str | None = None
        self._lost = 0
        #: Events that wait.
        self.waiting = 0

    async def open(self) -> tuple[Mapping[tuple[str, str], Alarm], Mapping[str, Feeding]]:
        """Start; the active alarms and what was known of meals.

        Raises:
            Unavailable: the file cannot be opened or read.
        """
        await self._disk.open()
        self.waiting = await self._disk.do(rows.count)
        self._filled.set()
        return await self._disk.do(rows.alarms), await self._disk.do(rows.feedings)

    async def close(self) -> None:
        """Write what is under way and close the file."""
        if self._tasks:
            await asyncio.wait(self._tasks)
        await self._disk.close()

    def add(self, device: str, name: str, event: Event) -> None:
        """Keep an event until the centre has it."""
        fresh = command_id(time.time_ns() // 1_000_000, secrets.randbits(80))
        happening = Happening(id=fresh, device=device, name=name, **event.model_dump())
        self._begin(self._add(happening))

    def put_alarm(self, device: str, name: str, alarm: Alarm | None) -> None:
        """Keep that an alarm is active, or (None) is over."""
        self._begin(self._do(lambda db: rows.put_alarm(db, device, name, alarm)))

    def put_feeding(self, device: str, feeding: Feeding) -> None:
        """Keep what is known of a device's meals."""
        self._begin(self._do(lambda db: rows.put_feeding(db, device, feeding)))

    def settle(self, batches: tuple[str, ...]) -> None:
        """The centre has these batches."""
        if self._sent in batches:
            self._committed.set()

    async def deliver(self, send: Callable[[History], None]) -> None:
        """Hand over batch after batch, one at a time, for as long as a connection lasts.

        Raises:
            Unavailable: the link was lost.
        """
        while True:
            await self._filled.wait()
            batch = await self._batch()
            if batch is None:
                continue
            if await self._confirmed(batch, send):
                await self._forget(batch)

    async def _confirmed(self, batch: History, send: Callable[[History], None]) -> bool:
        self._sent = batch.batch
        self._committed.clear()
        send(batch)
        try:
            async with asyncio.timeout(PATIENCE_S):
                await self._committed.wait()
        except TimeoutError:
            return False
        finally:
            self._sent = None
        return True

    async def _forget(self, batch: History) -> None:
        try:
            await self._do(lambda db: rows.forget(db, [event.id for event in batch.events]))
        except Unavailable as error:  # it is sent once more, which changes nothing
            log.error("outbox-unavailable", cause=str(error))
            await asyncio.sleep(PATIENCE_S)

    async def _batch(self) -> History | None:
        self._filled.clear()
        try:
            events = await self._disk.do(lambda db: rows.oldest(db, BATCH))
        except Unavailable as error:
            log.error("outbox-unavailable", cause=str(error))
            await asyncio.sleep(PATIENCE_S)
            self._filled.set()
            return None
        if not events:
            return None
        self._filled.set()  # until it is found empty
        return History(batch=command_id(time.time_ns() // 1_000_000, secrets.randbits(80)), events=_fitting(events))

    async def _add(self, happening: Happening) -> None:
        lost = await self._do(lambda db: rows.add(db, happening, EVENTS))
        self._filled.set()
        if lost and happening.name != EVENTS_LOST:
            if not self._lost:
                detail = f"{EVENTS} events wait for the centre already, so the oldest have to go"
                self.add(happening.device, EVENTS_LOST, Event(at=clock.wall(), detail=detail))
            self._lost += lost
            log.error("events-lost", count=self._lost)

    async def _do(self, run: Callable[[sqlite3.Connection], R]) -> R:
        def work(db: sqlite3.Connection) -> tuple[R, int]:
            return run(db), rows.count(db)

        result, self.waiting = await self._disk.do(work)
        return result

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        """Tasks begin in this order, so the file sees them in it too."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._end)

    def _end(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            log.error("outbox-unavailable", cause=str(error))


def _fitting(events: tuple[Happening, ...]) -> tuple[Happening, ...]:
    """As many of the oldest as one message may hold; one at least."""
    size, fitting = 0, list[Happening]()
    for each in events:
        size += len(each.model_dump_json())
        if fitting and size > _BATCH_BYTES:
            break
        fitting.append(each)
    return tuple(fitting)
