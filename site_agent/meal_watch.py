"""Did the feeder feed when it should have? Judged by the PLC's counter. Pure; time is an argument.

While the counter is read all the time, a meal is missed if the counter did not rise within its window. Over a silence
of the PLC or the agent nobody knows when it rose: there the grams of all that was planned are compared with the rise.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from gateway.protocol.meals import MealPlan, Values, clock_of, interval_of, meals_of, portion_of, unseen_meal
from gateway.protocol.messages import Value

#: Reads further apart than this leave a gap.
GAP: Final = timedelta(seconds=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Feeding:
    """What is known of a feeder; kept on disk, since a meal may fall between two runs of the agent.

    ``rose_at``: since when the counter has not risen. ``since``: since when the plan is as it is.
    """

    counter: int
    rose_at: datetime
    seen_at: datetime
    since: datetime
    judged_until: datetime
    plan: tuple[Value | None, ...] = ()

    def moved(self, step: timedelta) -> Feeding:
        """The same by a clock that was set by ``step``."""
        return replace(
            self,
            rose_at=self.rose_at + step,
            seen_at=self.seen_at + step,
            since=self.since + step,
            judged_until=self.judged_until + step,
        )


@dataclass(frozen=True, slots=True)
class Missed:
    """A meal that was not given, or not in full; ``planned_at`` is by when it should have been, at the latest."""

    planned_at: datetime
    grams: float
    detail: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a look at the counter says: the new knowledge, whether the feeder has fed, and what it has missed."""

    feeding: Feeding
    fed: bool = False
    missed: Missed | None = None


def judge(plan: MealPlan, known: Feeding | None, values: Values, now: datetime, *, span: int) -> Judgement | None:
    """Look at values that were just read; None if the counter is not among them.

    The counter starts anew after ``span - 1``.
    """
    counter = values.get(plan.counter)
    if isinstance(counter, bool) or not isinstance(counter, int):
        return None
    settings = (plan.counter, *(values.get(name) for name in plan.settings))
    if known is None or now < known.seen_at - GAP:  # the first look ever, or the clock of another run
        return Judgement(_fresh(counter, settings, now))
    now = max(now, known.seen_at)
    rise = (counter - known.counter) % span
    if rise > span // 2:  # another counter: somebody has set it back
        rise = 0
    fed = rise > 0
    rose_at = now if fed else known.rose_at
    missed = None
    if settings == known.plan:
        missed = _over_gap(plan, known, values, now, rise) if now - known.seen_at > GAP else None
        missed = missed or (None if fed else _by_now(plan, known, values, now))
        if fed and now - known.seen_at > GAP and rise <= _planned(plan, known, values, now):
            # All of it was for meals that are over; one whose time is not over yet may still be missed.
            rose_at = known.seen_at
    feeding = replace(
        known,
        counter=counter,
        rose_at=rose_at,
        seen_at=now,
        judged_until=now,
        since=known.since if settings == known.plan else now,
        plan=settings,
    )
    if missed is not None and not fed:
        # The interval begins anew, or the same meal would be missed at every look.
        feeding = replace(feeding, since=feeding.since if interval_of(plan, values) is None else now)
    return Judgement(feeding, fed, missed)


def _fresh(counter: int, settings: tuple[Value | None, ...], now: datetime) -> Feeding:
    return Feeding(counter=counter, rose_at=now, seen_at=now, since=now, judged_until=now, plan=settings)


def _by_now(plan: MealPlan, known: Feeding, values: Values, now: datetime) -> Missed | None:
    """A meal whose time is over while the counter stood still."""
    begun = max(known.rose_at, known.since)
    interval = interval_of(plan, values)
    if interval is not None:
        last = begun + interval
        if now <= last + plan.window:
            return None
        detail = f"no meal since {clock_of(plan, begun)}, though one is due every {interval.total_seconds() / 60:g} min"
        return Missed(last, portion_of(plan, values), detail)
    for meal in meals_of(plan, values, known.judged_until, now):
        if known.since <= meal.opens and known.rose_at < meal.opens:
            detail = f"the meal of {clock_of(plan, meal.at)} ({meal.grams:g} g) was not given: the counter did not rise"
            return Missed(meal.at, meal.grams, detail)
    return None


def _over_gap(plan: MealPlan, known: Feeding, values: Values, now: datetime, rise: int) -> Missed | None:
    """What was planned while nobody could see the counter, against what it has risen by."""
    interval = interval_of(plan, values)
    if interval is not None:
        # One fewer than fits, since nobody knows when within its interval the feeder was.
        count = int((now - known.seen_at) / interval) - 1
        sizes = [portion_of(plan, values)] * max(count, 0)
        last = known.seen_at + interval * max(count, 0)
    else:
        meals = [meal for meal in meals_of(plan, values, known.seen_at, now) if known.rose_at < meal.opens]
        sizes, last = [meal.grams for meal in meals], meals[-1].at if meals else now
    planned = sum(sizes)
    if not sizes or rise >= planned - min(sizes) / 2:
        return None
    detail = (
        f"{planned:g} g were planned between {clock_of(plan, known.seen_at)} and {clock_of(plan, now)}, when the"
        f" counter could not be read; it rose by {rise} g"
    )
    return Missed(last, planned - rise, detail)


def _planned(plan: MealPlan, known: Feeding, values: Values, now: datetime) -> float:
    """Grams of the meals of the schedule that are over since the counter was read last."""
    return sum(meal.grams for meal in meals_of(plan, values, known.seen_at, now) if known.rose_at < meal.opens)


def unseen(plan: MealPlan, known: Feeding, now: datetime) -> Missed | None:
    """What was planned since the counter was read last, for a PLC that has been silent for a while."""
    if now - known.seen_at <= GAP:
        return None
    values = dict(zip((plan.counter, *plan.settings), known.plan, strict=False))
    meal = unseen_meal(plan, values, known.seen_at, now)
    if meal is None or known.rose_at >= meal.opens:
        return None
    detail = (
        f"nobody can tell whether the meal of {clock_of(plan, meal.at)} ({meal.grams:g} g) was given: the counter has"
        f" not been read since {clock_of(plan, known.seen_at)}"
    )
    return Missed(meal.at, meal.grams, detail)
