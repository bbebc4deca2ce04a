"""The search for evidence about writes of unknown fate: by reading, in the PLC's lane, until there is some (I3, I7)."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import structlog

from gateway.protocol.codes import AckCode
from gateway.protocol.lifecycle import State
from site_agent import clock
from site_agent.device import Device
from site_agent.journal import Entry
from site_agent.lane import Lane, LaneFull
from site_agent.writing import Outcome, Values, prove

#: Pause between two looks at a PLC that does not answer.
EVERY_S: Final = 2.0
_LATER: Final = "a later command has written since; what the PLC holds now proves nothing"

log = structlog.get_logger(__name__)


class Evidence:
    """The searches under way; ``begun`` counts the writes begun for each device, and grows while they run."""

    def __init__(
        self,
        *,
        devices: Mapping[str, Device],
        lanes: Mapping[str, Lane],
        begun: Counter[str],
        on_read: Callable[[str, Values], None],
        on_found: Callable[[Entry, Outcome], Awaitable[None]],
    ) -> None:
        self._devices = devices
        self._lanes = lanes
        self._begun = begun
        self._on_read = on_read
        self._on_found = on_found
        self._searches: set[asyncio.Task[None]] = set()

    def seek(self, entry: Entry, former: Values, turn: int) -> None:
        """Begin to look; ``turn`` is the count of writes begun when this one was, ``former`` what was held before."""
        task = asyncio.create_task(self._search(entry, former, turn), name=f"evidence {entry.id}")
        self._searches.add(task)
        task.add_done_callback(self._searches.discard)

    async def stop(self) -> None:
        """End all searches; the journal remembers what they were looking for."""
        for search in self._searches:
            search.cancel()
        await asyncio.gather(*self._searches, return_exceptions=True)

    async def _search(self, entry: Entry, former: Values, turn: int) -> None:
        device = self._devices.get(entry.intent.device)
        if device is None or not set(entry.intent.input) <= device.settings:
            log.error("no-evidence-possible", command=entry.id, cause="the device is not configured any more")
            return
        # From now on, not from its turn in the lane on: many commands left open must not hold it up one by one.
        settled_at_s = clock.elapsed_s() + self._lanes[device.plc].settle_s

        async def job(lane: Lane) -> Outcome:
            found = await prove(lane, device, entry.intent.input, former, settled_at_s)
            self._on_read(device.id, found.result)
            if found.state is State.FAILED and self._begun[device.id] != turn:
                # The PLC may hold the former value because the later command restored it.
                return Outcome(state=State.UNKNOWN, code=AckCode.NO_EVIDENCE, detail=_LATER, result=found.result)
            return found

        await self._on_found(entry, await self._look(self._lanes[device.plc], job))

    async def _look(self, lane: Lane, job: Callable[[Lane], Awaitable[Outcome]]) -> Outcome:
        while True:
            try:
                # Before newer commands, if it can be: they wipe out the evidence.
                found = await lane.write_job(job)
            except LaneFull:
                await asyncio.sleep(EVERY_S)
                continue
            if found.code is not AckCode.PLC_SILENT:
                return found
            await asyncio.sleep(EVERY_S)
