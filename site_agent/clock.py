"""The agent's two clocks: one for people, one for deadlines."""

from __future__ import annotations

import time
from datetime import UTC, datetime

# CLOCK_BOOTTIME goes on while the machine sleeps. Where it is missing, the platform's monotonic clock does
# so already (macOS' CLOCK_MONOTONIC) or is the best there is.
_CLOCK_ID: int | None = getattr(time, "CLOCK_BOOTTIME", getattr(time, "CLOCK_MONOTONIC", None))


def elapsed_s() -> float:
    """Seconds on a clock that nobody can set and that counts through sleep; only differences mean anything."""
    return time.clock_gettime(_CLOCK_ID) if _CLOCK_ID is not None else time.monotonic()


def wall() -> datetime:
    """The time of day, UTC; for people only, never for a decision."""
    return datetime.now(UTC)
