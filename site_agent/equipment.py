"""The PLCs and devices of a site and what serves them: a lane, a poller and watchdogs for each PLC.

All of it can be replaced while the agent runs, PLC by PLC; the mappings stay the same objects for those who hold them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from gateway.protocol.messages import DeviceState, Event, PlcLink
from site_agent.configuration import SiteConfiguration
from site_agent.device import Device
from site_agent.driver_choice import driver_of
from site_agent.lane import Lane
from site_agent.marker import Marker
from site_agent.outcome import Values
from site_agent.plc_table import PlcTable
from site_agent.poller import Poller
from site_agent.sampling import Point
from site_agent.watchdog import Watchdog


@dataclass(frozen=True, slots=True, kw_only=True)
class Listeners:
    """Who hears what the equipment says, and knows what a poller cannot."""

    on_link: Callable[[], None]
    on_state: Callable[[str, DeviceState], None]
    on_event: Callable[[str, str, Event], None]
    on_values: Callable[[str, Values], None]
    #: What could not be read.
    on_lost: Callable[[str, Sequence[str]], None]
    #: What of it is to be kept for good.
    on_samples: Callable[[Sequence[Point]], None]
    #: Whether a command of ours may have changed a device's settings, and nobody knows yet.
    doubtful: Callable[[str], bool]


class Equipment:
    """Of the PLCs in ``configuration``; nothing runs before it is started in a task group."""

    def __init__(self, configuration: SiteConfiguration, listeners: Listeners) -> None:
        self._listeners = listeners
        self.devices: dict[str, Device] = {}
        self.lanes: dict[str, Lane] = {}
        self._pollers: dict[str, Poller] = {}
        self._watchdogs: dict[str, list[Watchdog]] = {}
        self._lane_tasks: dict[str, asyncio.Task[None]] = {}
        self._poll_tasks: dict[str, list[asyncio.Task[None]]] = {}
        self.install(configuration, [plc.name for plc in configuration.plcs])

    # What it knows.

    def states(self) -> Mapping[str, DeviceState]:
        """The last known state of each device."""
        return {name: state for poller in self._pollers.values() for name, state in poller.states.items()}

    def links(self) -> Mapping[str, PlcLink]:
        """Which PLCs answer."""
        return {name: lane.link for name, lane in self.lanes.items()}

    def held(self, device: str) -> Values:
        """The values last read from a device, if they are fresh enough to be evidence."""
        known = self.devices.get(device)
        return self._pollers[known.plc].held(device) if known else {}

    def learn(self, device: str, values: Values) -> None:
        """A command of ours has just read these."""
        self._pollers[self.devices[device].plc].learn(device, values)

    def notice(self, device: str, values: Values) -> None:
        """These were read before anything of ours was written."""
        self._pollers[self.devices[device].plc].notice(device, values)

    # Running it.

    def start_lanes(self, group: asyncio.TaskGroup, plcs: Iterable[str]) -> None:
        """From now on commands reach these PLCs."""
        for name in plcs:
            self._lane_tasks[name] = group.create_task(self.lanes[name].run(), name=name)

    def start_polls(self, group: asyncio.TaskGroup, plcs: Iterable[str]) -> None:
        """From now on these PLCs are read, and their watchdogs counted."""
        for name in plcs:
            served = [self._pollers[name].run(), *(each.run() for each in self._watchdogs[name])]
            self._poll_tasks[name] = [group.create_task(each) for each in served]

    async def stop_polls(self, plcs: Iterable[str]) -> None:
        """Read these no more."""
        await _end([task for name in plcs for task in self._poll_tasks.pop(name, [])])

    async def stop_lanes(self, plcs: Iterable[str]) -> None:
        """Say nothing more to these; a request under way ends first, within its time-out."""
        await _end([self._lane_tasks.pop(name) for name in plcs if name in self._lane_tasks])

    async def stop(self) -> None:
        """All of it."""
        await self.stop_polls([*self._poll_tasks])
        await self.stop_lanes([*self._lane_tasks])

    def install(self, configuration: SiteConfiguration, plcs: Iterable[str]) -> None:
        """Make these PLCs and their devices as ``configuration`` has them, or take them out; they must not run."""
        wanted, tables = frozenset(plcs), {plc.name: plc for plc in configuration.plcs}
        for device in [each for each in self.devices.values() if each.plc in wanted]:
            del self.devices[device.id]
        for table in configuration.devices:
            if table.plc in wanted:
                plc = tables[table.plc]
                self.devices[table.id] = Device(
                    configuration.site, table, plc.reads, time_zone=configuration.time_zone, plc_address=plc.address
                )
        for name in sorted(wanted):
            if name in tables:
                self._install_plc(tables[name], configuration)
            else:
                for held in (self.lanes, self._pollers, self._watchdogs):
                    held.pop(name, None)

    def _told_by(self, plc: str) -> Callable[[int], None]:
        def touch(address: int) -> None:
            self._pollers[plc].touch(address)

        return touch

    def _install_plc(self, plc: PlcTable, configuration: SiteConfiguration) -> None:
        driver = driver_of(plc, configuration.devices, self._told_by(plc.name))
        marker = None if plc.marker is None else Marker.of(plc.marker)
        lane = Lane(plc.name, driver, settle_s=plc.timeout_s, on_link=self._listeners.on_link, marker=marker)
        devices = [device for device in self.devices.values() if device.plc == plc.name]
        self.lanes[plc.name] = lane
        self._pollers[plc.name] = Poller(
            lane,
            devices,
            poll_s=plc.poll_s,
            refresh_s=plc.refresh_s,
            on_state=self._listeners.on_state,
            on_event=self._listeners.on_event,
            on_values=self._listeners.on_values,
            on_lost=self._listeners.on_lost,
            on_samples=self._listeners.on_samples,
            doubtful=self._listeners.doubtful,
        )
        self._watchdogs[plc.name] = [
            Watchdog(lane, device.mailbox.register_, device.mailbox.watchdog_s)
            for device in devices
            if device.mailbox is not None and device.mailbox.watchdog_s
        ]


async def _end(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
