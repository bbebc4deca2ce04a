"""What was found at a PLC. Frozen, and as JSON what a report file keeps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from gateway.protocol.messages import Value
from site_agent.registers import Space


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueFound:
    """One property: the words as they lie there, and what they mean in the order of the file and in the others."""

    device: str
    name: str
    table: Space
    register: int
    bit: int | None
    type: str
    words: tuple[int, ...]
    value: Value | None
    unit: str | None
    #: Order of words and bytes -> value, for those other than the file's; only where there is a doubt.
    others: Mapping[str, Value | None] = field(default_factory=dict)
    fault: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Milliseconds between request and answer."""

    requests: int
    least_ms: float
    median_ms: float
    most_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PlcFound:
    """One PLC; ``faults`` are what keeps an agent from working with it as the file says."""

    name: str
    address: str
    marker: str | None = None
    timing: Timing | None = None
    #: Registers that it answered in one request.
    largest_read: int | None = None
    echoes_transactions: bool | None = None
    requests_per_poll: int = 0
    values: tuple[ValueFound, ...] = ()
    faults: tuple[str, ...] = ()

    @property
    def right(self) -> bool:
        """Whether nothing is wrong."""
        return not self.faults and all(each.fault is None for each in self.values)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "right": self.right}
