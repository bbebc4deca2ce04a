"""How a feeder lives: state and time in, state out. Pure; the clock is an argument.

Times are seconds of the farm's local calendar, so that midnight is every multiple of a day.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf, pi, sin
from typing import Final

DAY_S: Final = 86_400
#: ``fed_today_g`` is a uint16; a counter in a PLC stops at its end rather than start anew.
MOST_FED_G: Final = 65_535


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What people may change."""

    portion_g: int
    interval_min: int
    enabled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Feeder:
    """The state of a feeder at ``now_s``; ``timer_s`` is when the current interval began."""

    now_s: float
    timer_s: float
    hopper_kg: float
    fed_today_g: int
    phase: float = 0.0

    @property
    def water_c(self) -> float:
        """Temperature of its pond in °C: warmest in the afternoon, with a slow ripple of its own."""
        day = sin(2 * pi * (self.now_s / DAY_S - 0.4))
        ripple = sin(2 * pi * self.now_s / 2_220 + self.phase)
        return round(18.0 + self.phase / 4 + 1.5 * day + 0.2 * ripple, 2)


def advance(feeder: Feeder, settings: Settings, now_s: float) -> Feeder:
    """The feeder at ``now_s``, after every meal and midnight in between; time that runs backwards changes nothing."""
    if not settings.enabled and now_s > feeder.now_s:
        # A feeder that is switched on again starts a whole interval, it does not make up for missed meals.
        feeder = replace(feeder, timer_s=now_s)
    while feeder.now_s < now_s:
        midnight_s = (feeder.now_s // DAY_S + 1) * DAY_S
        meal_s = _next_meal_s(feeder, settings)
        at_s = min(midnight_s, meal_s, now_s)
        feeder = replace(feeder, now_s=at_s)
        if at_s == midnight_s:
            feeder = replace(feeder, fed_today_g=0)
        if at_s == meal_s:
            feeder = _feed(feeder, settings.portion_g)
    return feeder


def _next_meal_s(feeder: Feeder, settings: Settings) -> float:
    if not settings.enabled:
        return inf
    # A shortened interval may be over already: then the meal is due now.
    return max(feeder.timer_s + 60 * max(settings.interval_min, 1), feeder.now_s)


def _feed(feeder: Feeder, portion_g: int) -> Feeder:
    left_g = round(feeder.hopper_kg * 1000)
    given_g = min(portion_g, max(left_g, 0))
    return replace(
        feeder,
        timer_s=feeder.now_s,
        hopper_kg=(left_g - given_g) / 1000,
        fed_today_g=min(feeder.fed_today_g + given_g, MOST_FED_G),
    )
