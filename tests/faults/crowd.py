"""Hundreds of sites in one thread, each as loud as an agent: birth, a beat every second, and back-off when cut off."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count

from gateway.protocol.backoff import delays
from gateway.protocol.errors import Unavailable
from gateway.protocol.messages import Heartbeat, PlcLink, SiteState, Status
from gateway.protocol.topics import HeartbeatTopic, StatusTopic
from site_agent.link import Login, PublishRefused, Will, connected

BEAT_S = 1.0


class Crowd:
    """Use :meth:`of`."""

    def __init__(self, logins: Sequence[Login]) -> None:
        self._logins = logins
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._live()), name="crowd")
        #: Connections so far.
        self.births = 0

    @classmethod
    @contextmanager
    def of(cls, logins: Sequence[Login]) -> Iterator[Crowd]:
        """Alive inside the block."""
        crowd = cls(logins)
        crowd._thread.start()
        try:
            yield crowd
        finally:
            crowd._stopped.set()
            crowd._thread.join(30)

    async def _live(self) -> None:
        tasks = [asyncio.create_task(self._site(login)) for login in self._logins]
        await asyncio.to_thread(self._stopped.wait)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _site(self, login: Login) -> None:
        waits = delays(random.uniform)
        for epoch in count(1):
            try:
                await self._talk(login, epoch)
            except* (Unavailable, PublishRefused):
                await asyncio.sleep(next(waits))
            else:
                waits = delays(random.uniform)

    async def _talk(self, login: Login, epoch: int) -> None:
        site, now = login.username, datetime.now(UTC)
        offline = Status(state=SiteState.OFFLINE, epoch=epoch, boot="c0ffee00", since=now, version="0")
        will = Will(topic=StatusTopic(site), message=offline, delay_s=1)
        async with connected(login, will, lambda _arrival: None) as session, asyncio.TaskGroup() as group:
            group.create_task(session.lost())
            await session.publish(StatusTopic(site), offline.model_copy(update={"state": SiteState.ONLINE}))
            self.births += 1
            for seq in count(1):
                beat = Heartbeat(epoch=epoch, seq=seq, at=datetime.now(UTC), plcs={"plc-1": PlcLink.OK})
                session.send(HeartbeatTopic(site), beat)
                await asyncio.sleep(BEAT_S)
