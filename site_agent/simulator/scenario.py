"""What may happen on the simulated farm: scenarios as data, by name. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from math import ceil, inf
from typing import Final

from gateway.protocol.messages import Value
from site_agent.simulator.auger import SOUND, Auger
from site_agent.simulator.pond import Climate
from site_agent.simulator.schedule import DAY_S

_STEP_S: Final = 600.0
#: A farm that slept for weeks does not live through them minute by minute.
_MOST_STEPS: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Misfortune:
    """What happens to one feeder at ``at`` (HH:MM:SS) of each day of the farm.

    ``panel`` are values that somebody, or something, changes beside the PLC. Of the others, None leaves as it is.
    """

    at: str
    feeder: str
    told: str
    panel: Mapping[str, Value] = field(default_factory=dict)
    jammed: bool | None = None
    tripped: bool | None = None
    pace: float | None = None

    @property
    def second(self) -> int:
        """Of the day."""
        hours, minutes, seconds = map(int, self.at.split(":"))
        return 3600 * hours + 60 * minutes + seconds

    def upon(self, auger: Auger) -> Auger:
        """The auger after it."""
        return replace(
            auger,
            jammed=auger.jammed if self.jammed is None else self.jammed,
            tripped=auger.tripped if self.tripped is None else self.tripped,
            pace=auger.pace if self.pace is None else self.pace,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A farm by name; ``start`` (HH:MM) is a good time for its clock to begin, None the time it is."""

    name: str
    teaches: str
    start: str | None = None
    auger: Auger = SOUND
    #: None: what is in the oxygen's register stays there.
    climate: Climate | None = None
    drift_g: int = 0
    #: What people do every day, and what this day has of its own.
    rounds: tuple[Misfortune, ...] = ()
    happens: tuple[Misfortune, ...] = ()

    @property
    def lively(self) -> bool:
        """Whether meals take time, and come at whole multiples of their interval."""
        return self.auger.meal_g_per_s < inf

    def between(self, after_s: float, until_s: float) -> Iterator[tuple[float, Misfortune]]:
        """What happens after one moment and up to another, in order; of many days, in the last one."""
        after_s = max(after_s, until_s - DAY_S)
        days = {int(after_s // DAY_S), int(until_s // DAY_S)}
        moments = [(float(day * DAY_S + each.second), each) for day in days for each in (*self.rounds, *self.happens)]
        for at_s, each in sorted(moments, key=lambda moment: moment[0]):
            if after_s < at_s <= until_s:
                yield at_s, each

    def steps(self, after_s: float, until_s: float) -> Iterator[float]:
        """Moments up to ``until_s`` at which to look, so that water sees each meal about when it falls."""
        count = min(_MOST_STEPS, max(1, ceil((until_s - after_s) / _STEP_S))) if self.lively else 1
        yield from (after_s + (until_s - after_s) * number / count for number in range(1, count))
        yield until_s


#: Somebody goes round in the morning; else a farm that runs for days at a high speed would end with all hoppers empty.
_FULL_KG: Final = 25.0
_MORNING_ROUND: Final = tuple(
    Misfortune(at="06:00:00", feeder=each, told="somebody fills the hopper", panel={"hopper_kg": _FULL_KG})
    for each in ("feeder-1", "feeder-2", "feeder-3", "feeder-4")
)
_LIVELY: Final = Auger(meal_g_per_s=2, dose_g_per_s=20, scatter=0.03)
_ORDINARY: Final = Scenario(
    name="ordinary-day",
    teaches="Meals take time, doses scatter by 3 %, oxygen falls at night and with food, hoppers are filled at 06:00.",
    auger=_LIVELY,
    climate=Climate(mean=7.8, swing=1.3),
    drift_g=150,
    rounds=_MORNING_ROUND,
)


def _day(name: str, teaches: str, start: str, *happens: Misfortune) -> Scenario:
    return replace(_ORDINARY, name=name, teaches=teaches, start=start, happens=happens)


CALM: Final = Scenario(
    name="calm", teaches="Every dose is exact, meals take no time, nothing jams and nothing drifts. For tests."
)
SCENARIOS: Final = (
    CALM,
    _ORDINARY,
    _day(
        "jam-at-noon",
        "The auger of feeder-1 jams in its meal of 12:00; it feeds nothing until somebody clears it at 12:45.",
        "11:58",
        Misfortune(at="12:00:20", feeder="feeder-1", told="a lump jams the auger", jammed=True),
        Misfortune(at="12:45:00", feeder="feeder-1", told="somebody clears the auger", jammed=False),
    ),
    _day(
        "motor-fault",
        "The motor of feeder-2 trips in its meal of 12:02; an electrician puts it right at 12:40.",
        "12:00",
        Misfortune(at="12:02:20", feeder="feeder-2", told="the motor trips", tripped=True),
        Misfortune(at="12:40:00", feeder="feeder-2", told="an electrician mends the motor", tripped=False),
    ),
    _day(
        "slow-auger",
        "The auger of feeder-3 turns at a fifth of its speed from 12:01 to 13:10: its meals end over time, and short.",
        "11:58",
        Misfortune(at="12:01:00", feeder="feeder-3", told="the auger drags", pace=0.2),
        Misfortune(at="13:10:00", feeder="feeder-3", told="somebody greases the auger", pace=1.0),
    ),
    _day(
        "empty-hopper",
        "The hopper of feeder-2 runs out in its meal of 09:02; it is filled again at 09:45.",
        "07:58",
        Misfortune(at="07:59:00", feeder="feeder-2", told="0.3 kg are left", panel={"hopper_kg": 0.3}),
        Misfortune(at="09:45:00", feeder="feeder-2", told="somebody fills the hopper", panel={"hopper_kg": _FULL_KG}),
    ),
    _day(
        "panel-edit",
        "Somebody turns the portion of feeder-1 to 80 g at 08:00, and the interval of feeder-3 to 20 min at 08:05.",
        "07:58",
        Misfortune(at="08:00:00", feeder="feeder-1", told="somebody is at the panel", panel={"portion_g": 80}),
        Misfortune(at="08:05:00", feeder="feeder-3", told="somebody is at the panel", panel={"interval_min": 20}),
    ),
    _day(
        "lid-left-open",
        "Somebody leaves the lid of feeder-4 open from 09:00 to 09:30: doses are refused, and meals go on.",
        "08:58",
        Misfortune(at="09:00:00", feeder="feeder-4", told="somebody opens the lid", panel={"lid_open": True}),
        Misfortune(at="09:30:00", feeder="feeder-4", told="somebody closes the lid", panel={"lid_open": False}),
    ),
    replace(
        _ORDINARY,
        name="night-oxygen",
        teaches="Oxygen falls under 4 mg/l in the hours before dawn: doses are refused, until the sun is up.",
        start="01:30",
        climate=Climate(mean=6.1, swing=2.6),
    ),
)
BY_NAME: Final = {scenario.name: scenario for scenario in SCENARIOS}


def scenario_list() -> str:
    """All of them for people, as plain text."""
    lines = (f"{each.name:<14} {'from ' + each.start if each.start else '':<11} {each.teaches}" for each in SCENARIOS)
    return "\n".join(line.rstrip() for line in lines)
