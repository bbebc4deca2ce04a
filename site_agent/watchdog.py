"""The watchdog word: as long as it counts, the PLC knows that somebody watches over what it was told to do (I16)."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final

from gateway.protocol.messages import PlcLink
from site_agent.drivers.port import PlcError
from site_agent.lane import Lane, LaneFull
from site_agent.mailbox import WATCHDOG_OFFSET

#: Between two looks whether the PLC is there.
RETRY_S: Final = 0.1


class Watchdog:
    """Counts the word of one mailbox on, every ``every_s``; never before a command, and never to a lost PLC."""

    def __init__(self, lane: Lane, mailbox: int, every_s: float) -> None:
        self._lane = lane
        self._register = mailbox + WATCHDOG_OFFSET
        self._every_s = every_s
        self._count = 0

    async def run(self) -> None:
        """Count until cancelled; no trouble of a PLC ends it."""
        while True:
            counted = False
            if self._lane.link is PlcLink.OK:
                with suppress(PlcError, LaneFull):
                    await self._lane.poll_job(self._count_on)
                    counted = True
            # A PLC that has just come up waits for nobody until it has been counted once, so that must be soon.
            await asyncio.sleep(self._every_s if counted else min(self._every_s, RETRY_S))

    async def _count_on(self, lane: Lane) -> None:
        self._count = (self._count + 1) % 0x1_0000
        await lane.write(self._register, (self._count,))
