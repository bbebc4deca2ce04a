"""What a changed site's file means for an agent that runs: which PLCs are to be replaced. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from gateway.protocol.errors import Fault
from site_agent.action_tables import Table
from site_agent.configuration import DeviceTable, SiteConfiguration
from site_agent.plc_table import PlcTable

#: Parts of the file that only a new run can take over.
_FIXED: Final = ("site", "broker", "agent")


def restart_faults(old: SiteConfiguration, new: SiteConfiguration) -> tuple[Fault, ...]:
    """What has changed that a running agent cannot take over."""
    return tuple(
        Fault(f"/{place}", "needs-restart", "this has changed; stop and start the agent to take the file over")
        for name in _FIXED
        for place in _changed(name, getattr(old, name), getattr(new, name))
    )


def _changed(name: str, old: object, new: object) -> Iterator[str]:
    """The keys that differ; the part itself if it is no table."""
    if not isinstance(old, Table):
        if old != new:
            yield name
        return
    fields = type(old).model_fields.items()
    yield from (f"{name}/{field.alias or key}" for key, field in fields if getattr(old, key) != getattr(new, key))


def changed_plcs(old: SiteConfiguration, new: SiteConfiguration) -> tuple[frozenset[str], ...]:
    """PLCs that have changed, with their devices: in groups that must be replaced together, by a device that moves."""
    before, after = _parts(old), _parts(new)
    names = [name for name in sorted({*before, *after}) if before.get(name) != after.get(name)]
    groups = [frozenset([name]) for name in names]
    for source, target in _moves(old, new):
        joined = [group for group in groups if source in group or target in group]
        groups = [group for group in groups if group not in joined] + [frozenset[str]().union(*joined)]
    return tuple(groups)


def _parts(configuration: SiteConfiguration) -> dict[str, tuple[PlcTable, list[DeviceTable], str]]:
    return {
        plc.name: (plc, [each for each in configuration.devices if each.plc == plc.name], configuration.time_zone)
        for plc in configuration.plcs
    }


def _moves(old: SiteConfiguration, new: SiteConfiguration) -> Iterator[tuple[str, str]]:
    before = {device.id: device.plc for device in old.devices}
    for device in new.devices:
        if before.get(device.id, device.plc) != device.plc:
            yield before[device.id], device.plc
