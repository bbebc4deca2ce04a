"""What fell on each day: grams asked of doses, counted, planned as meals, and what is short of it.

Doses come from the ledger, each with what the PLC counted for it. All that fell, meals included, is how far the PLC's
own counter rose over the day. Planned are the meals of the settings as they stood at the end of the day.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, TypeVar

from sqlalchemy import Engine, select

from gateway.counters import Rise, rises
from gateway.course import SeriesRecord
from gateway.database.engine import reading
from gateway.database.tables import commands, microseconds
from gateway.days import Day
from gateway.doses import Doses, dose_of, feeds
from gateway.protocol.description import Description
from gateway.protocol.meals import MealPlan, interval_of, is_known, meals_of, portion_of
from gateway.protocol.messages import Value
from gateway.protocol.topics import WRITE
from gateway.sample_reads import SampleReads
from gateway.samples import HOUR_US
from gateway.sites import DeviceRecord

#: Rows that are in memory at a time.
_AT_ONCE: Final = 1_000
#: Before the first day and behind the last one, to know where the counter stood.
LEAD: Final = timedelta(days=1)
#: A counter that was read so short a time before midnight has hardly moved by then; it is looked at every quarter.
_NEAR_US: Final = HOUR_US // 2

K = TypeVar("K")


@dataclass(frozen=True, slots=True)
class Plan:
    """The meals of a day, and of these the grams that are due by now."""

    whole_g: float
    due_g: float


@dataclass(frozen=True, slots=True)
class DayFed:
    """One feeder's day. ``fed`` is None where its counter was not read, ``plan`` where its settings are not known."""

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
        return max(0.0, self.plan.due_g + self.doses.asked_g - self.fed.amount)


class FeedTotals:
    """Safe from any thread; raises Unavailable if the database does not answer."""

    def __init__(self, engine: Engine, samples: SampleReads) -> None:
        self._engine = engine
        self._samples = samples

    def of(self, site: str, devices: Sequence[DeviceRecord], days: Sequence[Day], now: datetime) -> Sequence[DayFed]:
        """Each feeder's days, by date and then by name; devices that feed nothing are left out."""
        begun = [day for day in days if day.start < now]
        feeders = {each.device: each.description for each in devices if each.description and feeds(each.description)}
        plans = {name: about.meals for name, about in feeders.items() if about.meals is not None}
        if not begun or not feeders:
            return []
        doses = self._doses(site, feeders, begun)
        series = self._samples.series_of(site, {name: (each.counter, *each.settings) for name, each in plans.items()})
        fed = {name: self._fed(series.get((name, each.counter)), begun, now) for name, each in plans.items()}
        found = []
        for number, day in enumerate(begun):
            held = settings_held(self._samples, plans, series, min(day.end, now))
            for name in feeders:
                rise = fed[name][number] if name in fed else None
                plan = planned(plans[name], held[name], day, now) if name in plans else None
                found.append(DayFed(day.date, name, doses.get((day.date, name), Doses()), rise, plan))
        return found

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
                dose = dose_of(row, feeders[row.device]) if row.device in feeders else None
                if dose is not None:
                    key = (_date_of(days, row.created_at), row.device)
                    found[key] = found.get(key, Doses()) + dose
        return found

    def _fed(self, counter: SeriesRecord | None, days: Sequence[Day], now: datetime) -> Sequence[Rise | None]:
        if counter is None:
            return [None] * len(days)
        now_us = microseconds(now)
        start_us, end_us = microseconds(days[0].start - LEAD), microseconds(min(days[-1].end + LEAD, now))
        steps = self._samples.lasts(counter, start_us, end_us, now_us=now_us)
        stretches = [(microseconds(day.start), microseconds(day.end)) for day in days]
        return rises(steps, stretches, near_us=near_us(counter), now_us=now_us)


def settings_held(
    samples: SampleReads, plans: Mapping[K, MealPlan], series: Mapping[tuple[K, str], SeriesRecord], until: datetime
) -> Mapping[K, Mapping[str, Value | None]]:
    """What each feeder's settings last held before then; of all of them in few questions."""
    wanted = {(key, setting): series.get((key, setting)) for key, plan in plans.items() for setting in plan.settings}
    ids = [each.id for each in wanted.values() if each is not None]
    values = samples.values_before(ids, microseconds(until))
    return {
        key: {
            setting: None if (found := wanted[key, setting]) is None else values.get(found.id)
            for setting in plan.settings
        }
        for key, plan in plans.items()
    }


def near_us(counter: SeriesRecord) -> int:
    """A counter that was read so short a time before an end has hardly moved by then."""
    return max(_NEAR_US, int(2 * counter.every_s * 1_000_000))


def planned(plan: MealPlan, values: Mapping[str, Value | None], day: Day, now: datetime) -> Plan | None:
    """The meals of a day; None if too little is known of the settings. A meal is due when its window is over."""
    if not is_known(plan, values):
        return None
    over = min(day.end, now - plan.window)
    interval = interval_of(plan, values)
    if interval is not None:
        per_day = portion_of(plan, values) / interval.total_seconds()
        return Plan(*(per_day * max(0.0, (until - day.start).total_seconds()) for until in (day.end, over)))
    meals = meals_of(plan, values, day.start - plan.window, day.end + plan.window)
    today = [meal for meal in meals if day.start <= meal.at < day.end]
    return Plan(sum(meal.grams for meal in today), sum(meal.grams for meal in today if meal.at <= over))


def _date_of(days: Sequence[Day], at: datetime) -> date:
    return next(day.date for day in days if day.start <= at < day.end)
