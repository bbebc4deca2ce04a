"""Which feeder is where on the simulated farm, and where its PLCs listen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from site_agent.simulator.plc import UNIT

#: PLC -> feeder -> base register.
LAYOUT: Final = {
    "plc-1": {"feeder-1": 0, "feeder-2": 100},
    "plc-2": {"feeder-3": 0, "feeder-4": 100},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a simulated PLC listens."""

    host: str
    port: int
    unit: int = UNIT


def all_feeders() -> list[tuple[str, str, int]]:
    """PLC, name and base register of each feeder, in their order."""
    return [(plc, name, base) for plc, feeders in LAYOUT.items() for name, base in feeders.items()]
