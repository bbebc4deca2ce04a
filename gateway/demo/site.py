"""The demo's site: one agent's configuration for the simulated farm, four feeders on two PLCs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

#: name, title, register type, offset in the feeder's block, the rest of the table
_PROPERTIES: Final = (
    ("portion_g", "Portion", "uint16", 0, 'writable = true\nunit = "g"\nminimum = 0\nmaximum = 2000\nstep = 5'),
    ("interval_min", "Interval", "uint16", 1, 'writable = true\nunit = "min"\nminimum = 1\nmaximum = 1440'),
    ("enabled", "Enabled", "bool", 2, "writable = true"),
    ("hopper_kg", "Hopper", "float32", 4, 'word_order = "big"\nunit = "kg"'),
    ("fed_today_g", "Fed today", "uint16", 6, 'unit = "g"'),
    ("water_c", "Water", "float32", 8, 'word_order = "big"\nunit = "°C"'),
    ("lid_open", "Lid open", "bool", 10, ""),
    ("service_mode", "Service mode", "bool", 11, ""),
    ("oxygen_mg_l", "Oxygen", "float32", 12, 'word_order = "big"\nunit = "mg/L"'),
    ("fed_total_g", "Fed in all", "uint32", 14, 'word_order = "big"\nunit = "g"'),
    ("feeding", "Feeding", "bool", 16, ""),
)
MAILBOX_OFFSET: Final = 20
#: What a device has beside its properties: where its mailbox is, what the site allows, and what forbids it.
_ACTIONS: Final = """\
[devices.mailbox]
register = {mailbox}
watchdog_s = 5

[[devices.interlocks]]
name = "lid-open"
title = "The lid is open"
property = "lid_open"
comparison = "equals"
value = true

[[devices.interlocks]]
name = "service-mode"
title = "Somebody works at the feeder"
property = "service_mode"
comparison = "equals"
value = true

[[devices.interlocks]]
name = "low-oxygen"
title = "Fish that lack oxygen must not be fed"
property = "oxygen_mg_l"
comparison = "below"
value = 4.0

[devices.actions.feed]
title = "Feed now"
effect = "mailbox"
op = 1
argument = "grams"
longest_s = 60

[devices.actions.feed.input.grams]
title = "Dose"
type = "uint16"
slot = 1
unit = "g"
minimum = 5
maximum = 500
step = 5

[devices.actions.feed.limits]
largest = {largest}
least_gap_s = {least_gap_s}
most_per_day = {most_per_day}
"""
#: device -> (PLC, base register), as the simulated farm lays them out
_FEEDERS: Final = {
    "feeder-1": ("plc-1", 0),
    "feeder-2": ("plc-1", 100),
    "feeder-3": ("plc-2", 0),
    "feeder-4": ("plc-2", 100),
}
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


def _device(site: Site, device: str, plc: str, base: int) -> Iterator[str]:
    title = device.replace("-", " ").capitalize()
    yield f'[[devices]]\nid = "{device}"\ntitle = "{title}"\nplc = "{plc}"\n'
    for name, label, kind, offset, rest in _PROPERTIES:
        head = f'title = "{label}"\ntype = "{kind}"\nregister = {base + offset}'
        yield f"[devices.properties.{name}]\n{head}\n{rest}\n"
    yield _ACTIONS.format(mailbox=base + MAILBOX_OFFSET, **asdict(site.limits))


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
    devices = [part for device, (plc, base) in _FEEDERS.items() for part in _device(site, device, plc, base)]
    return "\n".join([head, *plcs, *devices])
