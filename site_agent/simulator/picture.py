"""The farm at one moment, and what changed from one to the next. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from gateway.protocol.messages import Value
from site_agent.mailbox import MailboxStatus, Result
from site_agent.simulator.auger import Alarm
from site_agent.simulator.schedule import DAY_S, Slot

#: What people and clients change; each change is told.
_SETTINGS: Final = ("portion_g", "interval_min", "enabled", "lid_open", "service_mode")
#: Under it fish are in need; the demo's agent refuses doses then.
LOW_OXYGEN_MG_L: Final = 4.0
#: The reading must rise by so much again before it counts as good, so that a ripple is told once.
_BAND_MG_L: Final = 0.1
_REFILL_KG: Final = 0.5
_RESULTS: Final[Mapping[int, str]] = {
    Result.DONE: "done",
    Result.SHORT: "short",
    Result.INTERRUPTED: "interrupted",
    Result.INTERLOCKED: "refused: interlocked",
    Result.BAD_ARGUMENT: "refused: bad argument",
}
ALARM_NAMES: Final = {
    Alarm.JAM: "jam",
    Alarm.MOTOR_FAULT: "motor fault",
    Alarm.DOSE_OVER_TIME: "over time",
    Alarm.DOSE_SHORT: "dose short",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FeederPicture:
    """What a person beside the feeder would see."""

    name: str
    values: Mapping[str, Value | None]
    alarms: Alarm
    meals: tuple[Slot, ...] | None
    status: MailboxStatus

    def number(self, name: str) -> float:
        """A value as a number; what cannot be read is 0."""
        return float(self.values[name] or 0)

    @property
    def rhythm(self) -> str:
        """When it feeds."""
        if not self.values["enabled"]:
            return "rests"
        if self.meals is None:
            return f"{self.number('portion_g'):.0f} g every {self.number('interval_min'):.0f} min"
        told = (f"{clock(60 * slot.minute)[:5]} {slot.grams} g" for slot in self.meals)
        return ", ".join(told) or "no meals"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A line of the farm's diary."""

    at_s: float
    feeder: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """The whole farm; ``told`` is what its scenario has done last."""

    farm_s: float
    speed: float
    scenario: str
    feeders: tuple[FeederPicture, ...]
    told: tuple[Told, ...] = ()


def clock(farm_s: float) -> str:
    """HH:MM:SS of the farm."""
    second = int(farm_s % DAY_S)
    return f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"


@dataclass(slots=True)
class Diary:
    """Turns pictures into lines; it remembers what a single pair of them does not show."""

    _last: Picture | None = None
    _settled_g: dict[str, float] = field(default_factory=dict)
    _low: set[str] = field(default_factory=set)

    def turn(self, picture: Picture) -> list[Told]:
        """What is new since the last picture; of the first one, only what its scenario has done."""
        last, self._last = self._last, picture
        lines = [told for told in picture.told if last is None or told not in last.told]
        befores = {each.name: each for each in last.feeders} if last else {}
        for after in picture.feeders:
            before = befores.get(after.name, after)
            texts = (*_edits(before, after), *self._fed(before, after), *_alarms(before, after), *self._oxygen(after))
            lines += [Told(at_s=picture.farm_s, feeder=after.name, text=text) for text in texts]
        return lines

    def _fed(self, before: FeederPicture, after: FeederPicture) -> Iterator[str]:
        total_g = after.number("fed_total_g")
        grams = total_g - self._settled_g.setdefault(after.name, total_g)
        if not after.values["feeding"]:
            self._settled_g[after.name] = total_g
        if after.status.done_seq != before.status.done_seq:
            dose_g = after.status.counter_after - after.status.counter_before & 0xFFFF_FFFF
            grams -= dose_g
            if dose_g or after.status.result != Result.DONE:  # an agent greets with a command that does nothing
                yield f"dose of {dose_g} g {_RESULTS.get(after.status.result, 'over')}"
        if grams > 0 and not after.values["feeding"]:
            yield f"fed {grams:.0f} g"
        if after.number("hopper_kg") - before.number("hopper_kg") > _REFILL_KG:
            yield f"hopper filled to {after.number('hopper_kg'):.1f} kg"

    def _oxygen(self, after: FeederPicture) -> Iterator[str]:
        oxygen_mg_l, low = after.number("oxygen_mg_l"), after.name in self._low
        if not low and oxygen_mg_l < LOW_OXYGEN_MG_L:
            self._low.add(after.name)
            yield f"oxygen under {LOW_OXYGEN_MG_L:g} mg/l"
        if low and oxygen_mg_l > LOW_OXYGEN_MG_L + _BAND_MG_L:
            self._low.discard(after.name)
            yield f"oxygen over {LOW_OXYGEN_MG_L:g} mg/l again"


def _edits(before: FeederPicture, after: FeederPicture) -> Iterator[str]:
    for name in _SETTINGS:
        if before.values[name] != after.values[name]:
            yield f"{name} {_shown(before.values[name])} -> {_shown(after.values[name])}"
    if before.meals != after.meals:
        yield f"meal times: {after.rhythm if after.meals is not None else 'off'}"


def _alarms(before: FeederPicture, after: FeederPicture) -> Iterator[str]:
    for alarm, name in ALARM_NAMES.items():
        if alarm & after.alarms & ~before.alarms:
            yield f"ALARM {name}"
        if alarm & before.alarms & ~after.alarms:
            yield f"alarm over: {name}"


def _shown(value: Value | None) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
