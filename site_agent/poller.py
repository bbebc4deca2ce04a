"""The poller: keeps each device's last known values, tells what is worth it, and notices who changed a setting.

Each property belongs to a group of those that are read at the same period. By default a device is one group.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from gateway.protocol.messages import DeviceState, Event, Quality, Value
from gateway.protocol.topics import CHANGED_AT_SITE
from site_agent import clock
from site_agent.device import Device
from site_agent.drivers.port import PlcError, PlcRefused
from site_agent.lane import Lane, LaneFull
from site_agent.sampling import Point

#: After a command its device is read again at once, but a busy PLC is not polled more often than this.
LEAST_GAP_S = 0.1
#: A cause is told in so many characters.
_LONGEST_CAUSE: Final = 500
#: The worst of its groups is the quality of a device.
_WORST: Final = (Quality.BAD, Quality.STALE, Quality.GOOD)

Values = Mapping[str, Value | None]

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Group:
    """Properties of one device that are read together; ``due_s`` is when next."""

    device: Device
    names: tuple[str, ...]
    period_s: float
    due_s: float
    #: Where its values are read.
    addresses: frozenset[int]
    quality: Quality = Quality.STALE
    cause: str = ""

    def postpone(self, now_s: float, period_s: float) -> None:
        """By one period; those that were missed are not made up for."""
        on_time_s = self.due_s + period_s
        self.due_s = on_time_s if on_time_s > now_s else now_s + period_s


class Poller:
    """Reads the devices of one PLC, each group of properties at its period, and a device soon after a command."""

    def __init__(
        self,
        lane: Lane,
        devices: Sequence[Device],
        *,
        poll_s: float,
        refresh_s: float,
        on_state: Callable[[str, DeviceState], None],
        on_event: Callable[[str, str, Event], None],
        on_values: Callable[[str, Values], None],
        on_lost: Callable[[str, Sequence[str]], None],
        on_samples: Callable[[Sequence[Point]], None],
        doubtful: Callable[[str], bool],
    ) -> None:
        self._lane = lane
        self._on_state = on_state
        self._on_event = on_event
        #: Hears of every good read, whether it is told or not.
        self._on_values = on_values
        #: Hears of every read that failed.
        self._on_lost = on_lost
        self._on_samples = on_samples
        #: Whether a command of ours may have changed the device's settings, and nobody knows yet.
        self._doubtful = doubtful
        self._poked = asyncio.Event()
        self._groups = [
            _Group(device, names, period_s, due_s=0.0, addresses=device.addresses(names))
            for device in devices
            for period_s, names in device.periods(poll_s).items()
        ]
        self._by_device: defaultdict[str, list[_Group]] = defaultdict(list)
        for group in self._groups:
            self._by_device[group.device.id].append(group)
        self._states: dict[str, DeviceState] = {
            device.id: _state(Quality.STALE, device, dict.fromkeys(device.description.properties), "")
            for device in devices
        }
        #: The last values read, which the next poll tells if they are new.
        self._held: dict[str, Values] = {name: state.properties for name, state in self._states.items()}
        #: The last value of each setting that meant something.
        self._settings: dict[str, dict[str, Value]] = {device.id: {} for device in devices}
        self._devices = {device.id: device for device in devices}
        self._usual_s = poll_s
        self._refresh_s = refresh_s
        self._reporting = {device.id: device.reporting(refresh_s) for device in devices}
        self._sampling = {device.id: device.sampling(refresh_s, poll_s) for device in devices}

    @property
    def states(self) -> Mapping[str, DeviceState]:
        """The last known state of each device."""
        return self._states

    def held(self, device: str) -> Values:
        """The values last read from the device; without those that are not fresh enough to be evidence."""
        if self._states[device].quality is not Quality.GOOD:
            return {}
        groups = self._by_device[device]
        fresh = {name for group in groups if group.period_s <= self._usual_s for name in group.names}
        return {name: value for name, value in self._held[device].items() if name in fresh}

    def learn(self, device: str, values: Values) -> None:
        """Take over values that a command has just read; the next poll, soon, reads the rest and tells all.

        The next command's evidence is compared with what was held before it, so that must not be older than this.
        """
        held = self._held[device]
        # The result of a refused command may hold more than values of the device.
        known = {name: value for name, value in values.items() if name in held}
        self._held[device] = {**held, **known}
        self._remember(device, known)
        for group in self._by_device[device]:
            group.due_s = 0.0
        self._poked.set()

    def notice(self, device: str, values: Values) -> None:
        """As :meth:`learn`, but nobody of us has written yet: what differs was changed at the site."""
        if not self._doubtful(device):
            self._tell_of_edits(self._devices[device], values)
        self.learn(device, values)

    def touch(self, address: int) -> None:
        """The PLC says that the value at this address has changed: read what it is now."""
        for group in self._groups:
            if address in group.addresses:
                group.due_s = 0.0
        self._poked.set()

    def _trust(self, group: _Group) -> None:
        """A PLC that tells of changes is read without one now and then only; one that has just told, soon again."""
        if self._lane.watching and group.due_s:
            group.due_s = clock.elapsed_s() + max(group.period_s, self._refresh_s)

    async def run(self) -> None:
        """Poll until cancelled; no trouble of a PLC ends it."""
        while self._groups:
            self._poked.clear()
            for group in self._groups:
                if group.due_s <= clock.elapsed_s():
                    group.postpone(clock.elapsed_s(), group.period_s)
                    await self._poll_safely(group)
                    self._trust(group)
            await asyncio.sleep(LEAST_GAP_S)
            wait_s = min(group.due_s for group in self._groups) - clock.elapsed_s()
            try:
                async with asyncio.timeout(max(0.0, wait_s)):
                    await self._poked.wait()
            except TimeoutError:
                continue

    async def _poll_safely(self, group: _Group) -> None:
        try:
            await self._poll(group)
        except Exception as error:
            # A fault of ours about one device must not end the polls of the others, or the agent.
            log.exception("poll-broke", device=group.device.id)
            group.quality, group.cause = Quality.BAD, f"a fault of ours: {type(error).__name__}"

    async def _poll(self, group: _Group) -> None:
        device = group.device
        try:
            words = await self._lane.poll_job(lambda lane: lane.read(device.read_blocks(group.names)))
        except LaneFull:
            return
        except PlcError as error:
            # A PLC that answers with an exception lives, but this map does not fit it.
            group.quality = Quality.BAD if isinstance(error, PlcRefused) else Quality.STALE
            group.cause = str(error)[:_LONGEST_CAUSE]
            self._keep(group, {})
            self._on_lost(device.id, group.names)
            self._note(device)
        else:
            group.quality, group.cause = Quality.GOOD, ""
            read = device.decode(words, group.names)
            self._held[device.id] = {**self._held[device.id], **read}
            self._keep(group, read)
            self._note(device)
            if not self._doubtful(device.id):
                self._tell_of_edits(device, read)
            self._remember(device.id, read)
            self._on_values(device.id, read)

    def _keep(self, group: _Group, read: Values) -> None:
        """Hand over what of a read is worth keeping."""
        sampling, at, now_s = self._sampling[group.device.id], clock.wall(), clock.elapsed_s()
        points = sampling.read(read, at=at, now_s=now_s)
        if group.quality is not Quality.GOOD:
            points = sampling.failed(group.names, group.quality, at=at, now_s=now_s)
        if points:
            self._on_samples(points)

    def _note(self, device: Device) -> None:
        """Tell the device's state, if that is worth it; what cannot be read keeps its last value."""
        groups, now_s = self._by_device[device.id], clock.elapsed_s()
        worst = min(groups, key=lambda group: _WORST.index(group.quality))
        turned = self._states[device.id].quality is not worst.quality
        values, reporting = self._held[device.id], self._reporting[device.id]
        self._states[device.id] = _state(worst.quality, device, values, worst.cause)
        if turned:
            log.info("device-quality", device=device.id, quality=worst.quality.value, cause=worst.cause)
        if turned or reporting.due(values, now_s):
            reporting.tell(values, now_s)
            self._on_state(device.id, self._states[device.id])

    def _remember(self, device: str, read: Values) -> None:
        settings = self._devices[device].settings
        self._settings[device].update(
            {name: value for name, value in read.items() if name in settings and value is not None}
        )

    def _tell_of_edits(self, device: Device, read: Values) -> None:
        """What a command of ours changed is remembered already; the rest somebody at the site did."""
        for name in sorted(device.settings & read.keys()):
            old, new = self._settings[device.id].get(name), read[name]
            if old is not None and new is not None and old != new:
                data: dict[str, Value] = {"property": name, "old": old, "new": new}
                event = Event(at=clock.wall(), detail=f"{name} was changed at the site", data=data)
                self._on_event(device.id, CHANGED_AT_SITE, event)


def _state(quality: Quality, device: Device, values: Values, cause: str) -> DeviceState:
    return DeviceState(
        at=clock.wall(), quality=quality, cause=cause, revision=device.revision(values), properties=dict(values)
    )
