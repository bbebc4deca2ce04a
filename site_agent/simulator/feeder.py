"""How a feeder lives: state and time in, state out. Pure; the clock is an argument.

Times are seconds of the farm's local calendar, so that midnight is every multiple of a day.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf, pi, sin
from typing import Final

from site_agent.simulator.auger import NO_ALARM, SOUND, Alarm, Auger, Portion, latched, present, turn, verdict
from site_agent.simulator.schedule import DAY_S, Slot, next_slot_s, slot_g

__all__ = ["DAY_S", "MOST_FED_G", "Feeder", "Settings", "advance"]

#: ``fed_today_g`` is a uint16; a counter in a PLC stops at its end rather than start anew.
MOST_FED_G: Final = 65_535


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What people may change; with ``meals`` the interval rests."""

    portion_g: int
    interval_min: int
    enabled: bool
    meals: tuple[Slot, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Feeder:
    """The state of a feeder at ``now_s``; ``timer_s`` is when the current interval began.

    ``hopper_kg`` is what the hopper really holds, ``given_g`` what its meals have given in this life.
    """

    now_s: float
    timer_s: float
    hopper_kg: float
    fed_today_g: int
    phase: float = 0.0
    meal: Portion | None = None
    given_g: int = 0
    alarms: Alarm = NO_ALARM

    @property
    def water_c(self) -> float:
        """Temperature of its pond in °C: warmest in the afternoon, with a slow ripple of its own."""
        day = sin(2 * pi * (self.now_s / DAY_S - 0.4))
        ripple = sin(2 * pi * self.now_s / 2_220 + self.phase)
        return round(18.0 + self.phase / 4 + 1.5 * day + 0.2 * ripple, 2)


def advance(feeder: Feeder, settings: Settings, now_s: float, auger: Auger = SOUND) -> Feeder:
    """The feeder at ``now_s``, after every meal and midnight in between; time that runs backwards changes nothing."""
    feeder = replace(feeder, alarms=present(feeder.alarms, auger))
    if now_s > feeder.now_s and (not settings.enabled or settings.meals is not None):
        # A feeder that is switched on again starts a whole interval, it does not make up for missed meals.
        feeder = replace(feeder, timer_s=now_s)
    if not settings.enabled:
        feeder = replace(feeder, meal=None)
    feeder = _spread(feeder, auger, feeder.now_s)  # a meal that was held, and takes no time
    while feeder.now_s < now_s:
        midnight_s = (feeder.now_s // DAY_S + 1) * DAY_S
        meal_s = _next_meal_s(feeder, settings)
        at_s = min(midnight_s, meal_s, now_s)
        feeder = _spread(feeder, auger, at_s)
        if at_s == midnight_s:
            feeder = replace(feeder, fed_today_g=0)
        if at_s == meal_s:
            feeder = _begin(feeder, settings, auger)
    return feeder


def _next_meal_s(feeder: Feeder, settings: Settings) -> float:
    if not settings.enabled:
        return inf
    if settings.meals is not None:
        return next_slot_s(settings.meals, feeder.now_s)
    # A shortened interval may be over already: then the meal is due now.
    return max(feeder.timer_s + 60 * max(settings.interval_min, 1), feeder.now_s)


def _begin(feeder: Feeder, settings: Settings, auger: Auger) -> Feeder:
    """A meal; one that is due while another is under way makes that larger."""
    grams = settings.portion_g if settings.meals is None else slot_g(settings.meals, feeder.now_s)
    feeder = replace(feeder, timer_s=feeder.now_s)
    if not grams:
        return feeder
    meal = feeder.meal or Portion(asked_g=0, share=auger.share(feeder.now_s))
    return _spread(replace(feeder, meal=replace(meal, asked_g=meal.asked_g + grams)), auger, feeder.now_s)


def _spread(feeder: Feeder, auger: Auger, at_s: float) -> Feeder:
    """Time up to ``at_s``, in which a meal under way goes on."""
    seconds, before = at_s - feeder.now_s, feeder.meal
    feeder = replace(feeder, now_s=at_s)
    if before is None or auger.held:
        return feeder
    left_g = round(feeder.hopper_kg * 1000)
    meal = turn(before, auger, auger.meal_g_per_s, seconds, left_g)
    left_g -= meal.fell_g - before.fell_g
    given_g = meal.given_g - before.given_g
    over = verdict(meal, auger, auger.meal_g_per_s, left_g)
    return replace(
        feeder,
        hopper_kg=left_g / 1000,
        fed_today_g=min(feeder.fed_today_g + given_g, MOST_FED_G),
        given_g=feeder.given_g + given_g,
        meal=meal if over is None else None,
        alarms=feeder.alarms if over is None else latched(feeder.alarms, over),
    )
