"""The poller: keeps each device's last known values, and publishes a device's state when it changes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence

import structlog

from gateway.protocol.messages import DeviceState, Quality, Value
from site_agent import clock
from site_agent.device import Device
from site_agent.drivers.port import PlcError, PlcRefused
from site_agent.lane import Lane, LaneFull

#: After a command its device is read again at once, but a busy PLC is not polled more often than this.
LEAST_GAP_S = 0.1
#: A state that does not change is published again this often, so that its age says something.
REFRESH_S = 60.0

log = structlog.get_logger(__name__)


class Poller:
    """Reads the devices of one PLC, every ``poll_s`` and soon after a command."""

    def __init__(
        self, lane: Lane, devices: Sequence[Device], *, poll_s: float, on_state: Callable[[str, DeviceState], None]
    ) -> None:
        self._lane = lane
        self._devices = devices
        self._poll_s = poll_s
        self._on_state = on_state
        self._poked = asyncio.Event()
        self._states: dict[str, DeviceState] = {
            device.id: _state(Quality.STALE, device, dict.fromkeys(device.description.properties)) for device in devices
        }
        #: The last values read, which the next poll publishes if they are new.
        self._held: dict[str, Mapping[str, Value | None]] = {
            name: state.properties for name, state in self._states.items()
        }
        self._published_s = dict.fromkeys(self._states, 0.0)

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
            self._note(device, quality, self._states[device.id].properties)
        else:
            self._held[device.id] = device.decode(words)
            self._note(device, Quality.GOOD, self._held[device.id])

    def _note(self, device: Device, quality: Quality, values: Mapping[str, Value | None]) -> None:
        before, now_s = self._states[device.id], clock.elapsed_s()
        unchanged = before.quality is quality and before.properties == values
        if unchanged and now_s - self._published_s[device.id] < REFRESH_S:
            return
        if before.quality is not quality:
            log.info("device-quality", device=device.id, quality=quality.value)
        state = _state(quality, device, values)
        self._states[device.id] = state
        self._published_s[device.id] = now_s
        self._on_state(device.id, state)


def _state(quality: Quality, device: Device, values: Mapping[str, Value | None]) -> DeviceState:
    return DeviceState(at=clock.wall(), quality=quality, revision=device.revision(values), properties=dict(values))
