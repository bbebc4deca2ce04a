"""Samples on their way to the outbox's file: gathered for a moment, and held in memory while the disk has no room.

What happens if there are too many is stated here: the oldest samples go first, never an event or a command's end; how
many have gone is counted, and told as an event.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Final

import structlog

from gateway.protocol.errors import Unavailable
from gateway.protocol.messages import Event
from site_agent import clock
from site_agent import outbox_samples as rows
from site_agent.outbox_samples import Lost
from site_agent.sampling import Point

#: One flush of the disk for all that came meanwhile; a kill costs the readings of this time at most.
GATHER_S: Final = 0.25
#: While the disk takes nothing.
MEMORY: Final = 50_000
RETRY_S: Final = 5.0
#: Rows that one transaction removes.
DROP: Final = 5_000
#: A sample that seems to be older than this was taken under a wrong clock, or is looked at under one.
PLAUSIBLE: Final = timedelta(days=366)
#: Between two events that tell of losses.
REPORT_S: Final = 600.0

log = structlog.get_logger(__name__)


class Gathering:
    """Writes samples to the file with ``do``; ``most`` rows, and none older than ``longest``, wait there."""

    def __init__(
        self,
        do: Callable[[Callable[[sqlite3.Connection], Lost | None]], Awaitable[Lost | None]],
        *,
        most: int,
        longest: timedelta,
        on_kept: Callable[[], None],
        on_lost: Callable[[str, Event], None],
    ) -> None:
        self._do = do
        self._most = most
        self._longest = longest
        self._on_kept = on_kept
        self._on_lost = on_lost
        self._points: deque[Point] = deque()
        self._task: asyncio.Task[None] | None = None
        self._lost = 0
        self._told = 0
        self._report_at_s = 0.0

    @property
    def waiting(self) -> int:
        """How many are not on disk yet."""
        return len(self._points)

    def keep(self, points: Sequence[Point]) -> None:
        """Take these; they are on disk soon."""
        self._points += points
        over = len(self._points) - MEMORY
        if over > 0:
            gone = [self._points.popleft() for _ in range(over)]
            self._count(Lost(over, gone[0].at, gone[-1].at), gone[0].device)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._write_soon())

    async def flush(self) -> None:
        """Write what is there, once; at the end."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        await self._write()

    async def _write_soon(self) -> None:
        await asyncio.sleep(GATHER_S)
        while self._points:
            if not await self._write():
                await asyncio.sleep(RETRY_S)

    async def _write(self) -> bool:
        points = tuple(self._points)
        if not points:
            return True
        now = clock.wall()
        before = now - self._longest

        def work(db: sqlite3.Connection) -> Lost | None:
            rows.add(db, points)
            return rows.drop(db, most=self._most, before=before, not_before=now - PLAUSIBLE, at_once=DROP)

        writing = asyncio.ensure_future(self._do(work))
        try:
            lost = await asyncio.shield(writing)
        except asyncio.CancelledError:
            # It is being written all the same; nothing may be written twice.
            await asyncio.wait([writing])
            if writing.exception() is None:
                self._written(points)
            raise
        except Unavailable as error:
            log.error("samples-not-kept-yet", waiting=len(self._points), cause=str(error))
            return False
        self._written(points)
        if lost is not None:
            self._count(lost, points[0].device)
        self._on_kept()
        return True

    def _written(self, points: Sequence[Point]) -> None:
        # Some of the oldest may have been given up meanwhile; what was added stands behind them.
        written = set(map(id, points))
        while self._points and id(self._points[0]) in written:
            self._points.popleft()

    def _count(self, lost: Lost, device: str) -> None:
        self._lost += lost.count
        now_s = clock.elapsed_s()
        if now_s >= self._report_at_s:
            self._report_at_s = now_s + REPORT_S
            count, self._told = self._lost - self._told, self._lost
            log.error("samples-lost", count=count, first=lost.first.isoformat(), last=lost.last.isoformat())
            detail = f"{count} samples, up to {lost.last:%Y-%m-%dT%H:%M:%SZ}, had to go: too much waits for the centre"
            self._on_lost(device, Event(at=clock.wall(), detail=detail, data={"count": count}))
