"""The outbox: what happened at the site, and what was read there, on disk until the centre has it.

Beside the events it keeps what they follow from: which alarms are active, and what is known of each feeder's meals.
A batch takes events first, then samples, the oldest of each; so a week of samples keeps no event waiting.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import sqlite3
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Final, TypeVar

import structlog

from gateway.protocol.errors import Unavailable
from gateway.protocol.history import Happening, History
from gateway.protocol.ids import command_id
from gateway.protocol.messages import MAX_PAYLOAD_BYTES, Alarm, Event
from gateway.protocol.topics import EVENTS_LOST, SAMPLES_LOST
from site_agent import clock, outbox_samples
from site_agent import outbox_rows as rows
from site_agent.disk import DiskFile, set_aside
from site_agent.gathering import Gathering
from site_agent.meal_watch import Feeding
from site_agent.outbox_samples import Chunk
from site_agent.pace import Pace
from site_agent.sampling import Point

#: Events that wait while the centre is away; beyond that the oldest go.
EVENTS: Final = 50_000
#: Events of one batch; far below what a message may hold.
BATCH: Final = 200
_BATCH_BYTES: Final = MAX_PAYLOAD_BYTES // 2
#: Samples of one batch. On a slow line a beat or an ack waits for the message before it: 0.3 s at 1 Mbit/s.
SAMPLES: Final = 1_000
_SAMPLES_BYTES: Final = 32 * 1024
#: Changes of the file that wait while the disk fails, those of one transaction, and between two attempts.
WORKS: Final = 10_000
AT_ONCE: Final = 256
RETRY_S: Final = 1.0
#: At the end.
CLOSE_S: Final = 2.0
#: Samples wait for company; events do not.
LINGER_S: Final = 2.0
#: A batch that the centre has not named by then is sent again.
PATIENCE_S: Final = 10.0

R = TypeVar("R")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What waits at most, and how fast it goes once the centre is back."""

    samples: int
    longest: timedelta
    per_s: float


def _nothing() -> None:
    """For who need not know."""


@dataclass(slots=True)
class _Work:
    """One change of the file; ``then`` runs once, whether it was written or is to be tried again."""

    run: Callable[[sqlite3.Connection], int | None]
    then: Callable[[], None] = _nothing
    happening: Happening | None = None
    told: bool = False

    def tell(self) -> None:
        """Now it may be said."""
        if not self.told:
            self.told = True
            self.then()


@dataclass(frozen=True, slots=True)
class _Batch:
    history: History
    chunk: Chunk


class Outbox:
    """``open`` before use, ``close`` at the end. What cannot be kept is logged, never raised: it was told live."""

    def __init__(self, path: Path, bounds: Bounds) -> None:
        self._path = path
        self._disk = DiskFile("outbox", path, rows.connect)
        #: What is to be written, in its order, until it is.
        self._works: deque[_Work] = deque()
        self._worker: asyncio.Task[None] | None = None
        self._filled = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        #: The batch under way, until the centre names it.
        self._sent: str | None = None
        self._answered = asyncio.Event()
        self._lost = 0
        self._pace = Pace(bounds.per_s)
        self._gathering = Gathering(
            self._work,
            most=bounds.samples,
            longest=bounds.longest,
            on_kept=self._fill_soon,
            on_lost=lambda device, event: self.add(device, SAMPLES_LOST, event),
        )
        self._stored = 0

    @property
    def waiting(self) -> int:
        """Events and samples that the centre does not have yet."""
        return self._stored + self._gathering.waiting

    async def open(self) -> tuple[Mapping[tuple[str, str], Alarm], Mapping[str, Feeding]]:
        """Start; the active alarms and what was known of meals.

        Raises:
            Unavailable: the file cannot be opened or read.
        """
        await self._open_disk()
        self._stored = await self._disk.do(_count)
        self._filled.set()
        return await self._disk.do(rows.alarms), await self._disk.do(rows.feedings)

    async def _open_disk(self) -> None:
        try:
            await self._disk.open()
            await self._disk.do(_count)
        except Unavailable as error:
            # A spoilt file must not keep the agent from its work; what it held is set aside for a person to look at.
            log.error("outbox-set-aside", cause=str(error))
            await self._disk.close()
            set_aside(self._path)
            await self._disk.open()

    async def close(self) -> None:
        """Write what is under way and close the file."""
        if self._timer is not None:
            self._timer.cancel()
        await self._gathering.flush()
        if self._worker is not None:
            _, late = await asyncio.wait([self._worker], timeout=CLOSE_S)
            for task in late:
                log.error("events-not-kept", count=len(self._works))
                task.cancel()
        await self._disk.close()

    def add(self, device: str, name: str, event: Event, then: Callable[[], None] = _nothing) -> None:
        """Keep an event until the centre has it; ``then`` runs once it is on disk, or the disk has failed."""
        fresh = command_id(time.time_ns() // 1_000_000, secrets.randbits(80))
        happening = Happening(id=fresh, device=device, name=name, **event.model_dump())
        self._put(_Work(lambda db: rows.add(db, happening, EVENTS), then, happening))

    def keep(self, points: Sequence[Point]) -> None:
        """Keep samples until the centre has them."""
        self._gathering.keep(points)

    def put_alarm(self, device: str, name: str, alarm: Alarm | None, then: Callable[[], None] = _nothing) -> None:
        """Keep that an alarm is active, or (None) is over; ``then`` as in :meth:`add`."""
        self._put(_Work(lambda db: rows.put_alarm(db, device, name, alarm), then))

    def put_feeding(self, device: str, feeding: Feeding | None) -> None:
        """Keep what is known of a device's meals, or (None) forget it."""
        self._put(_Work(lambda db: rows.put_feeding(db, device, feeding)))

    def repeat(self) -> None:
        """A gateway has just begun: what an older one was given, nobody may have any more."""
        self._answered.set()

    def settle(self, batches: tuple[str, ...]) -> None:
        """The centre has these batches."""
        if self._sent in batches:
            self._sent = None
            self._answered.set()

    async def deliver(self, send: Callable[[History], None]) -> None:
        """Hand over batch after batch, one at a time, for as long as a connection lasts.

        Raises:
            Unavailable: the link was lost.
        """
        self._filled.set()  # the last connection may have ended in the middle of a batch
        while True:
            await self._filled.wait()
            batch = await self._batch()
            if batch is None:
                continue
            await asyncio.sleep(self._pace.wait_s(batch.history.samples, clock.elapsed_s()))
            if await self._confirmed(batch.history, send):
                await self._forget(batch)

    async def _confirmed(self, batch: History, send: Callable[[History], None]) -> bool:
        self._sent = batch.batch
        self._answered.clear()
        send(batch)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_S):
                await self._answered.wait()
        confirmed, self._sent = self._sent is None, None
        if not confirmed:
            self._filled.set()
        return confirmed

    async def _forget(self, batch: _Batch) -> None:
        ids, last = [event.id for event in batch.history.events], batch.chunk.last

        def work(db: sqlite3.Connection) -> None:
            rows.forget(db, ids)
            outbox_samples.forget(db, last)

        try:
            await self._work(work)
        except Unavailable as error:  # it is sent once more, which changes nothing
            log.error("outbox-unavailable", cause=str(error))
            await asyncio.sleep(PATIENCE_S)
            self._filled.set()

    async def _batch(self) -> _Batch | None:
        self._filled.clear()

        def work(db: sqlite3.Connection) -> tuple[tuple[Happening, ...], Chunk]:
            return rows.oldest(db, BATCH), outbox_samples.oldest(db, SAMPLES, _SAMPLES_BYTES)

        try:
            events, chunk = await self._disk.do(work)
        except Unavailable as error:
            log.error("outbox-unavailable", cause=str(error))
            await asyncio.sleep(PATIENCE_S)
            self._filled.set()
            return None
        fitting = _fitting(events)
        if chunk.more or len(events) == BATCH or len(fitting) < len(events):
            self._filled.set()
        if not fitting and not chunk.series:
            return None
        batch = command_id(time.time_ns() // 1_000_000, secrets.randbits(80))
        return _Batch(History(batch=batch, events=fitting, series=chunk.series), chunk)

    def _put(self, work: _Work) -> None:
        """In this order, one after the other; what the disk refuses is tried again, within bounds (I15)."""
        if len(self._works) >= WORKS:
            self._works.popleft()
            log.error("events-not-kept", count=1)
        self._works.append(work)
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._work_off())

    async def _work_off(self) -> None:
        while self._works:
            some = list(islice(self._works, AT_ONCE))
            try:
                lost = await self._work(lambda db, some=some: [each.run(db) or 0 for each in some])  # type: ignore[misc]  # mypy cannot infer a lambda with a default
            except Unavailable as error:
                log.error("outbox-unavailable", waiting=len(self._works), cause=str(error))
                for each in some:
                    each.tell()
                await asyncio.sleep(RETRY_S)
                continue
            for each in some:
                if self._works and self._works[0] is each:
                    self._works.popleft()
                each.tell()
            kept = [each.happening for each in some if each.happening is not None]
            if kept:
                self._filled.set()
                self._mourn(sum(lost), kept)

    def _mourn(self, lost: int, kept: Sequence[Happening]) -> None:
        """Tell that events had to go, once; the log tells how many."""
        if lost and any(each.name != EVENTS_LOST for each in kept):
            if not self._lost:
                detail = f"{EVENTS} events wait for the centre already, so the oldest have to go"
                self.add(kept[0].device, EVENTS_LOST, Event(at=clock.wall(), detail=detail))
            self._lost += lost
            log.error("events-lost", count=self._lost)

    def _fill_soon(self) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(LINGER_S, self._fill)

    def _fill(self) -> None:
        self._timer = None
        self._filled.set()

    async def _work(self, run: Callable[[sqlite3.Connection], R]) -> R:
        def work(db: sqlite3.Connection) -> tuple[R, int]:
            return run(db), _count(db)

        result, self._stored = await self._disk.do(work)
        return result


def _count(db: sqlite3.Connection) -> int:
    return rows.count(db) + outbox_samples.count(db)


def _fitting(events: tuple[Happening, ...]) -> tuple[Happening, ...]:
    """As many of the oldest as one message may hold; one at least."""
    size, fitting = 0, list[Happening]()
    for each in events:
        size += len(each.model_dump_json())
        if fitting and size > _BATCH_BYTES:
            break
        fitting.append(each)
    return tuple(fitting)
