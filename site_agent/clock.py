"""The agent's two clocks: one for people, one for deadlines."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

# CLOCK_BOOTTIME goes on while the machine sleeps. Where it is missing, the platform's monotonic clock does
# so already (macOS' CLOCK_MONOTONIC) or is the best there is.
_CLOCK_ID: int | None = getattr(time, "CLOCK_BOOTTIME", getattr(time, "CLOCK_MONOTONIC", None))


def elapsed_s() -> float:
    """Seconds on a clock that nobody can set and that counts through sleep; only differences mean anything."""
    return time.clock_gettime(_CLOCK_ID) if _CLOCK_ID is not None else time.monotonic()


def wall() -> datetime:
    """The time of day, UTC; for people only, never for a decision."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Stamp:
    """A moment that can be told from another one after a restart too: by the machine's boot, or else by wall time."""

    boot: str
    elapsed_s: float
    unix_s: float


def stamp() -> Stamp:
    """Now."""
    return Stamp(boot=_boot(), elapsed_s=elapsed_s(), unix_s=time.time())


def age_s(earlier: Stamp, now: Stamp) -> float:
    """Seconds from ``earlier`` to ``now``, never below 0.

    Within one boot of the machine nobody can set the clock that tells them. Across boots only wall time is left; set
    back, it makes ``earlier`` look more recent than it is, which is the safe side of a limit.
    """
    if earlier.boot and earlier.boot == now.boot:
        return max(0.0, now.elapsed_s - earlier.elapsed_s)
    return max(0.0, now.unix_s - earlier.unix_s)


@cache
def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return secrets.token_hex(16)  # not Linux: within one process at least, nobody can set the clock
