"""The demo's site: one agent's configuration for the simulated farm, four feeders on two PLCs."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

#: The type of all its devices; the simulated PLCs are laid out like that.
PROFILE: Final = "fish-feeder-mailbox"
#: device -> (PLC, base register), as the simulated farm lays them out
_FEEDERS: Final = {
    "feeder-1": ("plc-1", 0),
    "feeder-2": ("plc-1", 100),
    "feeder-3": ("plc-2", 0),
    "feeder-4": ("plc-2", 100),
}
#: Feeders that also know four meal times; the schedule's registers begin so far behind the base.
_WITH_MEALS: Final = frozenset({"feeder-2", "feeder-4"})
_SCHEDULE: Final = 50
_MEALS: Final = range(1, 5)
#: One writable uint16 setting, for whoever wants to see that the PLC really holds what was written.
PROBE_DEVICE: Final = "feeder-1"
PROBE_PROPERTY: Final = "portion_g"
PROBE_REGISTER: Final = 0
UNIT: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedLimits:
    """What the site allows of ``feed``, in grams and seconds."""

    largest: int = 300
    least_gap_s: float = 10.0
    most_per_day: int = 3_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What differs from one agent's configuration to the next; ``modbus_port`` is PLC 1's, PLC 2 has the next."""

    name: str
    broker_host: str
    broker_port: int
    password_file: Path
    folder: Path
    modbus_port: int
    modbus_host: str = "127.0.0.1"
    heartbeat_s: float = 20.0
    poll_s: float = 1.0
    limits: FeedLimits = field(default_factory=FeedLimits)


def _plc(site: Site, index: int) -> str:
    return f"""\
[[plcs]]
name = "plc-{index + 1}"
host = "{site.modbus_host}"
port = {site.modbus_port + index}
unit = {UNIT}
timeout_s = 1.0
poll_s = {site.poll_s}
"""


def _device(site: Site, device: str, plc: str, base: int) -> str:
    limits = "\n".join(f"{name} = {value}" for name, value in asdict(site.limits).items())
    return f"""\
[[devices]]
id = "{device}"
title = "{device.replace("-", " ").capitalize()}"
plc = "{plc}"
profile = "{PROFILE}"
base = {base}

[devices.actions.feed.limits]
{limits}
{_meals() if device in _WITH_MEALS else ""}"""


def _meals() -> str:
    """The settings of ``fish-feeder-schedule``, for a device whose profile does not know them."""
    slots = ", ".join(f'{{ minute = "meal_{meal}_min", grams = "meal_{meal}_g" }}' for meal in _MEALS)
    head = f"""
[devices.meals]
schedule = "schedule_on"
slots = [{slots}]

[devices.properties.schedule_on]
title = "Feed by meal times"
type = "bool"
register = {_SCHEDULE}
writable = true
"""
    minutes = [(f"meal_{meal}_min", f"Meal {meal}, minute of the day", "min", 1_439, 1) for meal in _MEALS]
    grams = [(f"meal_{meal}_g", f"Meal {meal}, amount", "g", 2_000, 5) for meal in _MEALS]
    pairs = (each for pair in zip(minutes, grams, strict=True) for each in pair)
    return head + "".join(
        f"""
[devices.properties.{name}]
title = "{title}"
type = "uint16"
register = {register}
writable = true
unit = "{unit}"
minimum = 0
maximum = {maximum}
step = {step}
"""
        for register, (name, title, unit, maximum, step) in enumerate(pairs, _SCHEDULE + 1)
    )


def site_toml(site: Site) -> str:
    """The agent's configuration file."""
    head = f"""\
# The simulated farm's agent.
site = "{site.name}"

[broker]
host = "{site.broker_host}"
port = {site.broker_port}
password_file = '{site.password_file.as_posix()}'

[agent]
folder = '{site.folder.as_posix()}'
heartbeat_s = {site.heartbeat_s:g}
"""
    plcs = [_plc(site, index) for index in range(2)]
    devices = [_device(site, device, plc, base) for device, (plc, base) in _FEEDERS.items()]
    return "\n".join([head, *plcs, *devices])
