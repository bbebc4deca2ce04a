"""Meal times of a feeder: registers in, moments out. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import Final

from site_agent.simulator import block

DAY_S: Final = 86_400
_MINUTES: Final = 1440


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A meal of every day."""

    minute: int
    grams: int


def slots(words: Sequence[int]) -> tuple[Slot, ...] | None:
    """The meals in a feeder's registers, or None while its schedule is off.

    No meal are 0 grams, and a minute that no day has, which only a panel can leave there.
    """
    if words[block.SCHEDULE] != 1:
        return None
    pairs = words[block.SCHEDULE + 1 : block.SCHEDULE + block.SCHEDULE_SIZE]
    found = (Slot(minute=minute, grams=grams) for minute, grams in zip(pairs[::2], pairs[1::2], strict=True))
    return tuple(slot for slot in found if slot.grams and slot.minute < _MINUTES)


def next_slot_s(meals: Sequence[Slot], now_s: float) -> float:
    """When the next meal after ``now_s`` comes."""
    midnight_s = now_s // DAY_S * DAY_S
    times = (midnight_s + day * DAY_S + 60 * slot.minute for slot in meals for day in (0, 1))
    return min((at_s for at_s in times if at_s > now_s), default=inf)


def slot_g(meals: Sequence[Slot], at_s: float) -> int:
    """Grams of the meals that come at this moment."""
    return sum(slot.grams for slot in meals if 60 * slot.minute == at_s % DAY_S)
