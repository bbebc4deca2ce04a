"""Which cells does a PLC have? Asked in large steps, and in small ones where it refuses. Nothing is written."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, Final

from site_agent.drivers.port import Driver, PlcRefused
from site_agent.registers import Space

#: Cells of one question at first.
STEP: Final = 64


@dataclass(frozen=True, slots=True)
class Range:
    """Cells that can be read, and how many of them are not zero."""

    space: Space
    first: int
    last: int
    used: int

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"table": self.space, "first": self.first, "last": self.last, "used": self.used}


async def scan(driver: Driver, space: Space, last: int, tell: Callable[[int], None]) -> tuple[Range, ...]:
    """The readable ranges of one table from 0 to ``last``; ``tell`` hears how far it is.

    Raises:
        PlcError: the PLC does not answer, or not rightly.
    """
    found: list[Range] = []
    for first in range(0, last + 1, STEP):
        tell(first)
        async for part in _readable(driver, space, first, min(first + STEP - 1, last)):
            before = found[-1] if found else None
            if before is not None and before.last + 1 == part.first:
                found[-1] = Range(space, before.first, part.last, before.used + part.used)
            else:
                found.append(part)
    return tuple(found)


async def _readable(driver: Driver, space: Space, first: int, last: int) -> AsyncIterator[Range]:
    """The readable parts of a range, by halves: a PLC without any of it is asked about each end once."""
    try:
        words = await driver.read(first, last - first + 1, space)
    except PlcRefused:
        if first == last:
            return
        middle = (first + last) // 2
        for half in ((first, middle), (middle + 1, last)):
            async for part in _readable(driver, space, *half):
                yield part
    else:
        yield Range(space, first, last, sum(1 for word in words if word))
