"""Writes of settings whose fate is not known yet: found out in order, before anything newer is written (I3, I7).

At most one write of a device begins before the one ahead of it is concluded on disk. So what a PLC holds is what it was
asked for, or what it held before: unless somebody else wrote, and then nobody can tell.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from gateway.protocol.codes import AckCode
from gateway.protocol.lifecycle import State
from site_agent.device import Device
from site_agent.journal import Entry
from site_agent.lane import Lane
from site_agent.outcome import Outcome, Values
from site_agent.writing import prove


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenWrite:
    """A write that may have taken effect; ``formers`` are values that the PLC is known to have held before it."""

    entry: Entry
    formers: Sequence[Values]
    #: Until then the PLC may still act on the request.
    settled_at_s: float


class OpenWrites:
    """Those of one device, oldest first."""

    def __init__(
        self,
        device: Device,
        *,
        on_read: Callable[[str, Values], None],
        conclude: Callable[[Entry, Outcome], Awaitable[None]],
    ) -> None:
        self._device = device
        self._on_read = on_read
        self._conclude = conclude
        self._open: list[OpenWrite] = []

    def __bool__(self) -> bool:
        return bool(self._open)

    def add(self, write: OpenWrite) -> None:
        """Find out about this one after those before it."""
        self._open.append(write)

    async def settle(self, lane: Lane) -> bool:
        """A lane's job: find out about all of them; False if the PLC does not answer."""
        proved: list[Values] = []
        while self._open:
            write = self._open[0]
            asked = write.entry.intent.input
            found = await prove(lane, self._device, asked, [*write.formers, *proved], write.settled_at_s)
            if found.code is AckCode.PLC_SILENT:
                return False
            self._on_read(self._device.id, found.result)
            await self._conclude(write.entry, found)
            if found.state is State.APPLIED:
                proved.append(found.result)
            self._open.remove(write)
        return True
