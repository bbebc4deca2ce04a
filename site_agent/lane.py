"""A lane: everything that is said to one PLC, one request at a time, writes before polls.

A slow or dead PLC holds up its own lane and nothing else. After a silence or a wrong reply the connection is
closed and a new one opened, so that a late answer can never be taken for the answer to a later request (I17).
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial
from typing import Any, TypeVar

import structlog

from gateway.protocol.errors import TidegateError
from gateway.protocol.messages import PlcLink
from site_agent.device import Words
from site_agent.drivers.port import Driver, PlcConfused, PlcError, PlcMistaken, PlcSilent, PlcUnreachable
from site_agent.marker import Marker
from site_agent.reading import Block
from site_agent.registers import Space

R = TypeVar("R")
Job = Callable[["Lane"], Awaitable[R]]

#: Jobs of each kind that may wait for one PLC.
QUEUE_LIMIT = 500
_WRITE, _POLL = 0, 1

log = structlog.get_logger(__name__)


class LaneFull(TidegateError):
    """Too many commands wait for this PLC already (I15)."""

    code = "overloaded"


class Lane:
    """The one way to a PLC. ``run`` serves it until cancelled; ``write_job`` and ``poll_job`` queue work."""

    def __init__(
        self,
        name: str,
        driver: Driver,
        *,
        settle_s: float,
        on_link: Callable[[], None],
        marker: Marker | None = None,
    ) -> None:
        self.name = name
        self._marker = marker
        #: After a lost reply, the PLC may still act on the request for this long.
        self.settle_s = settle_s
        self.link = PlcLink.LOST
        self._cause: str | None = None
        #: Connections made so far: after a new one, the PLC may have been without power.
        self.connections = 0
        self._driver = driver
        self._on_link = on_link
        self._order = itertools.count()
        self._jobs: asyncio.PriorityQueue[tuple[int, int, Job[Any], asyncio.Future[Any]]] = asyncio.PriorityQueue()
        self._waiting = {_WRITE: 0, _POLL: 0}

    async def write_job(self, job: Job[R]) -> R:
        """Run ``job`` before all polls, after the commands that came earlier (I10).

        Raises:
            LaneFull: the queue is at its bound; the job was not taken.
        """
        return await self.submit_write(job)

    def submit_write(self, job: Job[R]) -> asyncio.Future[R]:
        """As :meth:`write_job`, but only take the place in the queue; wait for the future."""
        return self._submit(_WRITE, job)

    async def poll_job(self, job: Job[R]) -> R:
        """Run ``job`` when no command waits.

        Raises:
            LaneFull: the queue is at its bound; the job was not taken.
        """
        return await self._submit(_POLL, job)

    def _submit(self, rank: int, job: Job[R]) -> asyncio.Future[R]:
        if self._waiting[rank] >= QUEUE_LIMIT:
            raise LaneFull(f"{QUEUE_LIMIT} jobs wait for {self.name} already")
        future: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting[rank] += 1
        self._jobs.put_nowait((rank, next(self._order), job, future))
        return future

    async def run(self) -> None:
        """Serve the queue until cancelled; then close the connection, once a request under way has ended."""
        try:
            while True:
                rank, _, job, future = await self._jobs.get()
                self._waiting[rank] -= 1
                await self._finish(job, future)
        finally:
            await self._driver.close()

    async def _finish(self, job: Job[R], future: asyncio.Future[R]) -> None:
        if future.cancelled():
            return
        try:
            result = await job(self)
        except Exception as error:  # it belongs to the one who asked, not to the lane
            if not future.done():
                future.set_exception(error)
        else:
            if not future.done():
                future.set_result(result)

    @property
    def watching(self) -> bool:
        """Whether the PLC tells of changes by itself."""
        return self._driver.watching

    # For jobs.

    async def ready(self) -> None:
        """Make sure that there is a connection.

        Raises:
            PlcUnreachable: there is none, or not with the right PLC; nothing was sent.
        """
        if not self._driver.connected:
            await self._open()

    async def read(self, blocks: Iterable[Block]) -> Words:
        """Read cells.

        Raises:
            PlcError: as the driver says; after a silence or a wrong reply the connection is closed.
        """
        words: dict[tuple[Space, int], int] = {}
        for block in blocks:
            answer = await self._ask(partial(self._driver.read, block.address, block.count, block.space))
            cells = enumerate(answer, start=block.address)
            words.update({(block.space, address): word for address, word in cells if word is not None})
        return words

    async def write(
        self, address: int, words: Sequence[int], space: Space = Space.HOLDING, function: int | None = None
    ) -> None:
        """Write cells in one request, once.

        Raises:
            PlcError: as the driver says; only PlcUnreachable and PlcRefused prove that nothing happened.
        """
        await self._ask(partial(self._driver.write, address, words, space, function))

    async def _ask(self, request: Callable[[], Awaitable[R]]) -> R:
        await self.ready()
        try:
            answer = await request()
        except (PlcSilent, PlcConfused, PlcUnreachable) as error:
            await self._driver.close()
            self._linked(PlcLink.LOST, error)
            raise
        self._linked(PlcLink.OK, None)
        return answer

    async def _open(self) -> None:
        try:
            await self._driver.open()
        except PlcUnreachable as error:
            self._linked(PlcLink.LOST, error)
            raise
        self.connections += 1
        if self._marker is not None:
            await self._recognise(self._marker)

    async def _recognise(self, marker: Marker) -> None:
        """Make sure that it is the PLC of the site's file, before anything else is said to it."""
        block = marker.block
        try:
            found = marker.fault(await self._driver.read(block.address, block.count, block.space))
        except PlcError as error:
            found = f"the marker cannot be read: {error}"
        if found is not None:
            mistaken = PlcMistaken(found)
            await self._driver.close()
            self._linked(PlcLink.LOST, mistaken)
            raise mistaken

    def _linked(self, link: PlcLink, error: PlcError | None) -> None:
        cause = None if error is None else error.code
        if link is self.link and cause == self._cause:
            return
        changed, self.link, self._cause = link is not self.link, link, cause
        log.warning("plc-link", plc=self.name, link=link.value, cause=str(error) if error else "")
        if changed:
            self._on_link()
