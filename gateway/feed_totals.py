"""What fell on each day: grams asked of doses, counted, planned as meals, and what is short of it.

Doses come from the ledger, each with what the PLC counted for it. All that fell, meals included, is how far the PLC's
own counter rose over the day. Planned are the meals of the settings as they stood at the end of the day.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Engine, Row, select

from gateway.database.engine import reading
from gateway.database.tables import commands, microseconds
from gateway.days import Day
from gateway.protocol.description import Description
from gateway.protocol.lifecycle import State
from gateway.protocol.meals import MealPlan, interval_of, meals_of, portion_of
from gateway.protocol.messages import Value
from gateway.protocol.topics import WRITE
from gateway.sample_reads import SampleReads
from gateway.sites import DeviceRecord

#: A counter that falls from so near its end has wrapped; from elsewhere it began anew at 0.
_WRAP: Final = 2**32
_NEAR_WRAP: Final = _WRAP - 10_000_000
_GRAMS: Final = {"g": 1.0, "kg": 1_000.0}
#: Of these nobody knows yet, or ever, whether the dose fell.
_OPEN: Final = frozenset({State.PENDING, State.ACCEPTED, State.UNKNOWN})
#: Rows that are in memory at a time.
_AT_ONCE: Final = 1_000
#: Before the first day, to know where the counter stood.
_LEAD: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Doses:
    """What came of the commands of a day, in grams: ``unknown_g`` was asked, and nobody knows whether it fell."""

    count: int = 0
    asked_g: float = 0.0
    counted_g: float = 0.0
    unknown_g: float = 0.0
    refused_g: float = 0.0

    @property
    def short_g(self) -> float:
        """Asked of the PLC, and known not to have fallen."""
        return max(0.0, self.asked_g - self.counted_g - self.unknown_g)


@dataclass(frozen=True, slots=True)
class Rise:
    """How far a counter rose in a stretch; ``whole``: it was known where it stood before, so nothing is left out."""

    grams: float
    whole: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """The meals of a day, and of these the grams that are due by now."""

    whole_g: float
    due_g: float


@dataclass(frozen=True, slots=True)
class DayFed:
    """One feeder's day. ``fed`` is None where its counter was not read, ``plan`` where its settings were not."""

    date: date
    device: str
    doses: Doses
    fed: Rise | None
    plan: Plan | None

    @property
    def shortfall_g(self) -> float | None:
        """Due and asked, and not counted; None if nobody can know."""
        if self.fed is None or not self.fed.whole or self.plan is None:
            return None
        return max(0.0, self.plan.due_g + self.doses.asked_g - self.fed.grams)


class FeedTotals:
    """Safe from any thread; raises Unavailable if the database does not answer."""

    def __init__(self, engine: Engine, samples: SampleReads) -> None:
        self._engine = engine
        self._samples = samples

    def of(self, site: str, devices: Sequence[DeviceRecord], days: Sequence[Day], now: datetime) -> Sequence[DayFed]:
        """Each feeder's days, by date and then by name; devices that feed nothing are left out."""
        feeders = {each.device: each.description for each in devices if each.description and feeds(each.description)}
        doses = self._doses(site, feeders, days)
        fed = {name: self._fed(site, name, about.meals, days, now) for name, about in feeders.items()}
        return [
            DayFed(
                day.date,
                name,
                doses.get((day.date, name), Doses()),
                fed[name][number],
                self._planned(site, name, about.meals, day, now),
            )
            for number, day in enumerate(days)
            if day.start < now
            for name, about in feeders.items()
        ]

    def _doses(
        self, site: str, feeders: Mapping[str, Description], days: Sequence[Day]
    ) -> Mapping[tuple[date, str], Doses]:
        query = select(commands).where(
            commands.c.site == site,
            commands.c.name != WRITE,
            commands.c.created_at >= days[0].start,
            commands.c.created_at < days[-1].end,
        )
        found: dict[tuple[date, str], Doses] = {}
        with reading(self._engine) as connection:
            for row in connection.execute(query, execution_options={"yield_per": _AT_ONCE}):
                about = feeders.get(row.device)
                factor = None if about is None else grams_of(about, row.name)
                if about is not None and factor is not None:
                    key = (_date_of(days, row.created_at), row.device)
                    found[key] = _with_dose(
                        found.get(key, Doses()), row, factor, about.actions[row.name].argument or ""
                    )
        return found

    def _fed(
        self, site: str, device: str, plan: MealPlan | None, days: Sequence[Day], now: datetime
    ) -> Sequence[Rise | None]:
        series = None if plan is None else self._samples.series(site, device, plan.counter)
        if series is None:
            return [None] * len(days)
        start_us, end_us = microseconds(days[0].start - _LEAD), microseconds(min(days[-1].end, now))
        steps = self._samples.lasts(series, start_us, end_us, now_us=microseconds(now))
        return rises(steps, [(microseconds(day.start), microseconds(day.end)) for day in days])

    def _planned(self, site: str, device: str, plan: MealPlan | None, day: Day, now: datetime) -> Plan | None:
        if plan is None:
            return None
        until_us = microseconds(min(day.end, now))
        values: dict[str, Value | None] = {}
        for name in plan.settings:
            series = self._samples.series(site, device, name)
            values[name] = None if series is None else self._samples.value_before(series, until_us)
        return planned(plan, values, day, now)


def feeds(about: Description) -> bool:
    """Whether a device gives food: by meals, or by an action that counts grams."""
    return about.meals is not None or any(grams_of(about, name) is not None for name in about.actions)


def grams_of(about: Description, action: str) -> float | None:
    """How many grams one of the action's argument is; None if it does not give anything that is weighed."""
    found = about.actions.get(action)
    schema = None if found is None or found.argument is None else found.input.properties.get(found.argument)
    return None if schema is None else _GRAMS.get(schema.unit or "")


def planned(plan: MealPlan, values: Mapping[str, Value | None], day: Day, now: datetime) -> Plan | None:
    """The meals of a day; None if too little is known of the settings. A meal is due when its window is over."""
    if all(value is None for value in values.values()):
        return None
    due_until = min(day.end, max(day.start, now - plan.window))
    interval = interval_of(plan, values)
    if interval is not None:
        per_day = portion_of(plan, values) / interval.total_seconds()
        return Plan(*(per_day * (until - day.start).total_seconds() for until in (day.end, due_until)))
    meals = meals_of(plan, values, day.start - plan.window, day.end + plan.window)
    today = [meal for meal in meals if day.start <= meal.at < day.end]
    return Plan(sum(meal.grams for meal in today), sum(meal.grams for meal in today if meal.at <= due_until))


def rises(steps: Iterable[tuple[int, float]], stretches: Sequence[tuple[int, int]]) -> Sequence[Rise | None]:
    """How far a counter rose in each stretch, of its last values over time; None where it was not read."""
    found: list[Rise | None] = [None] * len(stretches)
    before: float | None = None
    for at_us, value in steps:
        place = next((n for n, (start, end) in enumerate(stretches) if start <= at_us < end), None)
        if place is not None:
            so_far = found[place] or Rise(0.0, before is not None)
            risen = 0.0 if before is None else _rise(before, value)
            found[place] = Rise(so_far.grams + risen, so_far.whole)
        before = value
    return found


def _rise(before: float, after: float) -> float:
    if after >= before:
        return after - before
    return after + _WRAP - before if before >= _NEAR_WRAP else after


def _with_dose(doses: Doses, row: Row[Any], factor: float, argument: str) -> Doses:
    result: dict[str, Any] = json.loads(row.result or "{}")
    asked_g = factor * _number(result.get(f"{argument}_asked", json.loads(row.input).get(argument)))
    state, counted = State(row.state), result.get(f"{argument}_counted")
    open_ = state in _OPEN
    reached = open_ or counted is not None or state is State.APPLIED
    return Doses(
        count=doses.count + 1,
        asked_g=doses.asked_g + (asked_g if reached else 0.0),
        counted_g=doses.counted_g + factor * _number(counted),
        unknown_g=doses.unknown_g + (asked_g if open_ else 0.0),
        refused_g=doses.refused_g + (0.0 if reached else asked_g),
    )


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0.0


def _date_of(days: Sequence[Day], at: datetime) -> date:
    return next(day.date for day in days if day.start <= at < day.end)
