"""What a simulated feeder's registers hold when its PLC is switched on. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from gateway.protocol.messages import Value
from site_agent.simulator import block

DEFAULTS: Final[dict[str, Value]] = {
    "portion_g": 120,
    "interval_min": 30,
    "enabled": True,
    "hopper_kg": 25.0,
    "fed_today_g": 0,
    "oxygen_mg_l": 8.0,
}


def at_power_up(kept: Sequence[int], *, same_day: bool) -> list[int]:
    """The words that were kept, or fresh ones; a memory from before a feeder had more registers is filled up.

    The watchdog's word is not retentive: nobody has counted since the power came back.
    """
    words = [*kept, *_fresh()[len(kept) :]]
    words[block.WATCHDOG] = 0
    if not same_day:
        _put(words, "fed_today_g", 0)
    return words


def _fresh() -> list[int]:
    words = [0] * block.SIZE
    for name, value in DEFAULTS.items():
        _put(words, name, value)
    return words


def _put(words: list[int], name: str, value: Value) -> None:
    offset, fresh = block.encode(name, value)
    words[offset : offset + len(fresh)] = fresh
