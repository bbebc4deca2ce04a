"""How an auger moves food, and what a PLC concludes when it does not. Pure.

A PLC counts what the turns of its auger should give. What really falls is that, more or less: the ``scatter``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntFlag
from math import inf, isinf
from random import Random
from typing import Final, TypeVar

#: An auger that stands for so long while it should turn is called jammed.
STALL_S: Final = 5.0
#: Grams; a portion that is due but for this is due: times are floats of a calendar.
_TOLERANCE_G: Final = 0.001


class Alarm(IntFlag):
    """The bits of the alarm word; the last two stay until the next portion that is whole."""

    JAM = 1
    MOTOR_FAULT = 2
    DOSE_OVER_TIME = 4
    DOSE_SHORT = 8


NO_ALARM: Final = Alarm(0)
_UNTIL_WHOLE: Final = Alarm.DOSE_OVER_TIME | Alarm.DOSE_SHORT


@dataclass(frozen=True, slots=True, kw_only=True)
class Auger:
    """One feeder's auger; ``scatter`` is a share (0.03: up to 3 % more or less), ``pace`` the share of its speed.

    A meal of an auger with endless ``meal_g_per_s`` takes no time. While ``held``, meals wait for a dose.
    """

    meal_g_per_s: float = inf
    dose_g_per_s: float = 100.0
    scatter: float = 0.0
    seed: str = ""
    jammed: bool = False
    tripped: bool = False
    pace: float = 1.0
    held: bool = False

    def share(self, began_s: float) -> float:
        """How much really falls of each counted gram of the portion that begins then."""
        if not self.scatter:
            return 1.0
        # Not for secrets: the same seed must give the same farm.
        return 1 + Random(f"{self.seed}/{began_s:.3f}").uniform(-self.scatter, self.scatter)  # noqa: S311 # see above

    def repaired(self) -> Auger:
        """After somebody worked at it."""
        return replace(self, jammed=False, tripped=False, pace=1.0)


SOUND: Final = Auger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Portion:
    """A meal or a dose under way: grams asked for, counted, and really fallen."""

    asked_g: int
    given_g: int = 0
    fell_g: int = 0
    share: float = 1.0
    turned_s: float = 0.0
    stalled_s: float = 0.0
    elapsed_s: float = 0.0


P = TypeVar("P", bound=Portion)


def turn(portion: P, auger: Auger, flow_g_per_s: float, seconds: float, hopper_g: int) -> P:
    """The portion after so many seconds more, out of a hopper that really holds ``hopper_g``."""
    # A PLC switches off what is over time; a farm whose clock jumped must not count the rest.
    seconds = min(seconds, max(0.0, longest_s(portion.asked_g, flow_g_per_s) + 1 - portion.elapsed_s))
    elapsed_s = portion.elapsed_s + seconds
    if auger.jammed or auger.tripped:
        return replace(portion, elapsed_s=elapsed_s, stalled_s=portion.stalled_s + seconds)
    turned_s = portion.turned_s + seconds * auger.pace
    given_g = portion.asked_g
    if not isinf(flow_g_per_s):
        given_g = min(given_g, max(portion.given_g, int(turned_s * flow_g_per_s + _TOLERANCE_G)))
    fell_g, left_g = round(given_g * portion.share), portion.fell_g + max(hopper_g, 0)
    if fell_g > left_g:
        given_g, fell_g = portion.given_g + int((left_g - portion.fell_g) / portion.share), left_g
    return replace(portion, given_g=given_g, fell_g=fell_g, turned_s=turned_s, stalled_s=0.0, elapsed_s=elapsed_s)


def longest_s(asked_g: int, flow_g_per_s: float) -> float:
    """After so long a PLC gives up: twice what it should take, and five seconds."""
    return 5 + 2 * asked_g / flow_g_per_s


def verdict(portion: Portion, auger: Auger, flow_g_per_s: float, hopper_g: int) -> Alarm | None:
    """Whether a portion is over: None if not, else the alarms that it leaves."""
    if portion.given_g == portion.asked_g:
        return NO_ALARM
    if hopper_g <= 0:
        return Alarm.DOSE_SHORT
    if auger.tripped:
        return Alarm.DOSE_SHORT | Alarm.MOTOR_FAULT
    if portion.stalled_s >= STALL_S:
        return Alarm.DOSE_SHORT | Alarm.JAM
    if portion.elapsed_s > longest_s(portion.asked_g, flow_g_per_s):
        return Alarm.DOSE_SHORT | Alarm.DOSE_OVER_TIME
    return None


def latched(alarms: Alarm, left: Alarm) -> Alarm:
    """The alarm word after a portion that ended leaving these alarms."""
    return alarms & ~_UNTIL_WHOLE | left


def present(alarms: Alarm, auger: Auger) -> Alarm:
    """The alarm word as the auger is now: a motor tells its fault by a contact, and a cleared auger is seen to turn."""
    if not auger.jammed:
        alarms &= ~Alarm.JAM
    return alarms | Alarm.MOTOR_FAULT if auger.tripped else alarms & ~Alarm.MOTOR_FAULT
