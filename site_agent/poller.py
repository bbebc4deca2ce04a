"""The poller: keeps each device's last known values, and publishes a device's state when it changes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import structlog

from gateway.protocol.messages import DeviceState, Event, Quality, Value
from gateway.protocol.topics import CHANGED_AT_SITE
from site_agent import clock
from site_agent.device import Device
from site_agent.drivers.port import PlcError, PlcRefused
from site_agent.lane import Lane, LaneFull

#: After a command its device is read again at once, but a busy PLC is not polled more often than this.
LEAST_GAP_S = 0.1
#: A cause is told in so many characters.
_LONGEST_CAUSE: Final = 500

log = structlog.get_logger(__name__)


class Poller:
    """Reads the devices of one PLC, every ``poll_s`` and soon after a command."""

    def __init__(
        self,
        lane: Lane,
        devices: Sequence[Device],
        *,
        poll_s: float,
        refresh_s: float,
        on_state: Callable[[str, DeviceState], None],
        on_event: Callable[[str, str, Event], None],
        doubtful: Callable[[str], bool],
    ) -> None:
        self._lane = lane
        self._devices = devices
        self._poll_s = poll_s
        self._on_state = on_state
        self._on_event = on_event
        #: Whether a command of ours may have changed the device's settings, and nobody knows yet.
        self._doubtful = doubtful
        self._poked = asyncio.Event()
        self._states: dict[str, DeviceState] = {
            device.id: _state(Quality.STALE, device, dict.fromkeys(device.description.properties)) for device in devices
        }
        #: The last values read, which the next poll publishes if they are new.
        self._held: dict[str, Mapping[str, Value | None]] = {
            name: state.properties for name, state in self._states.items()
        }
        self._reporting = {device.id: device.reporting(refresh_s) for device in devices}

    @property
    def states(self) -> Mapping[str, DeviceState]:
        """The last known state of each device."""
        return self._states

    def held(self, device: str) -> Mapping[str, Value | None]:
        """The values last read from the device; empty where they are not fresh enough to be evidence."""
        return self._held[device] if self._states[device].quality is Quality.GOOD else {}

    def learn(self, device: str, values: Mapping[str, Value | None]) -> None:
        """Take over values that a command has just read; the next poll, soon, reads the rest and publishes all.

        The next command's evidence is compared with what was held before it, so that must not be older than this.
        """
        self._held[device] = {**self._held[device], **values}
        self._poked.set()

    async def run(self) -> None:
        """Poll until cancelled; no trouble of a PLC ends it."""
        while True:
            self._poked.clear()
            for device in self._devices:
                await self._poll(device)
            await asyncio.sleep(LEAST_GAP_S)
            try:
                async with asyncio.timeout(max(0.0, self._poll_s - LEAST_GAP_S)):
                    await self._poked.wait()
            except TimeoutError:
                continue

    async def _poll(self, device: Device) -> None:
        try:
            words = await self._lane.poll_job(lambda lane: lane.read(device.read_blocks()))
        except LaneFull:
            return
        except PlcError as error:
            # A PLC that answers with an exception lives, but this map does not fit it.
            quality = Quality.BAD if isinstance(error, PlcRefused) else Quality.STALE
            self._note(device, quality, self._states[device.id].properties, str(error)[:_LONGEST_CAUSE])
        else:
            before, self._held[device.id] = self._held[device.id], device.decode(words)
            self._note(device, Quality.GOOD, self._held[device.id])
            if not self._doubtful(device.id):
                self._tell_of_edits(device, before)

    def _note(self, device: Device, quality: Quality, values: Mapping[str, Value | None], cause: str = "") -> None:
        before, now_s, reporting = self._states[device.id], clock.elapsed_s(), self._reporting[device.id]
        turned = before.quality is not quality
        state = _state(quality, device, values, cause)
        self._states[device.id] = state
        if turned:
            log.info("device-quality", device=device.id, quality=quality.value, cause=cause)
        if turned or reporting.due(values, now_s):
            reporting.tell(values, now_s)
            self._on_state(device.id, state)

    def _tell_of_edits(self, device: Device, before: Mapping[str, Value | None]) -> None:
        """What a command of ours changed is in ``before`` already; the rest somebody at the site did."""
        for name in sorted(device.settings):
            old, new = before.get(name), self._held[device.id][name]
            if old is not None and new is not None and old != new:
                detail = f"{name} was changed at the site"
                data: dict[str, Value] = {"property": name, "old": old, "new": new}
                self._on_event(device.id, CHANGED_AT_SITE, Event(at=clock.wall(), detail=detail, data=data))


def _state(quality: Quality, device: Device, values: Mapping[str, Value | None], cause: str = "") -> DeviceState:
    return DeviceState(
        at=clock.wall(), quality=quality, cause=cause, revision=device.revision(values), properties=dict(values)
    )
