"""The water of a pond and the scale of a hopper, as functions of time. Pure, and the same for the same seed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import cos, exp, pi, sin
from random import Random
from typing import Final

from site_agent.simulator.schedule import DAY_S

#: Seconds of the day at which algae have made the most oxygen; the least is half a day later, before dawn.
_BEST_S: Final = 17 * 3600
#: After so many seconds all but a third (1/e) of what a meal cost has come back from the air.
_RECOVERY_S: Final = 2_400
_SCALE_STEP_G: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Climate:
    """Oxygen in mg/l around ``mean`` by up to ``swing``, less ``per_kg`` for each kilogram just fed."""

    mean: float
    swing: float
    per_kg: float = 1.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Pond:
    """The water at ``now_s``; ``demand_mg_l`` is what fish and food take of its oxygen."""

    now_s: float
    seed: str = ""
    demand_mg_l: float = 0.0

    def later(self, climate: Climate, now_s: float, fed_g: int) -> Pond:
        """At ``now_s``, after so many grams; a clock that is set back changes nothing."""
        passed_s = max(0.0, now_s - self.now_s)
        demand = self.demand_mg_l * exp(-passed_s / _RECOVERY_S) + climate.per_kg * fed_g / 1000
        return replace(self, now_s=self.now_s + passed_s, demand_mg_l=demand)

    def oxygen_mg_l(self, climate: Climate) -> float:
        """High in the afternoon, low before dawn, lower after meals, and never quite still."""
        day = cos(2 * pi * (self.now_s - _BEST_S) / DAY_S)
        ripple = 0.06 * _wave(self.seed, self.now_s, 1_700)
        return round(max(0.0, climate.mean + climate.swing * day + ripple - self.demand_mg_l), 2)


def drift_g(seed: str, now_s: float, most_g: int) -> int:
    """By how much a load cell has wandered: slowly, both ways, in the steps of its display."""
    wandered = (_wave(seed, now_s, 31_000) + _wave(f"{seed}/slow", now_s, 83_000)) / 2
    return round(most_g * wandered / _SCALE_STEP_G) * _SCALE_STEP_G


def _wave(seed: str, now_s: float, period_s: float) -> float:
    phase = Random(f"{seed}/{period_s}").uniform(0, 2 * pi)  # noqa: S311 # not for secrets: the seed shall tell
    return sin(2 * pi * now_s / period_s + phase)
