"""When a feeder should have fed: its plan, read from its own settings. Pure; time is an argument.

A feeder feeds either at the times of its schedule or every so many minutes. Whether it did so shows in a counter of its
PLC that rises with every meal. The agent judges by that; the centre only knows which meals fell into a silence.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Annotated, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import ConfigDict, Field, FiniteFloat

from gateway.protocol.ids import Name
from gateway.protocol.messages import Message, Text, Value

Values = Mapping[str, Value | None]
DAY_MIN: Final = 1_440
#: No feeder feeds more often.
LEAST_MIN: Final = 0.005
#: What people read above the alarm, whoever raises it.
MEAL_MISSED_TITLE: Final = "A meal was missed"


class MealSlot(Message):
    """Two settings: the minute of the local day at which a meal begins, and its grams; 0 g is no meal."""

    minute: Name
    grams: Name


class MealPlan(Message):
    """``tidegate:meals`` of a description: which of a device's values say when it feeds, and which that it did.

    While ``schedule`` reads true (or if it is not named) the ``slots`` count, otherwise the ``interval`` in minutes.
    ``enabled`` false means no meals. A meal may be ``window_min`` early or late.
    """

    model_config = ConfigDict(extra="ignore")

    counter: Name
    enabled: Name | None = None
    interval: Name | None = None
    portion: Name | None = None
    schedule: Name | None = None
    slots: Annotated[tuple[MealSlot, ...], Field(max_length=48)] = ()
    window_min: Annotated[FiniteFloat, Field(gt=0, le=720)] = 10.0
    time_zone: Text = "UTC"

    @property
    def window(self) -> timedelta:
        """By how much a meal may be early or late."""
        return timedelta(minutes=self.window_min)

    @property
    def settings(self) -> tuple[str, ...]:
        """The properties that the plan is made of."""
        named = (self.enabled, self.interval, self.portion, self.schedule)
        slots = (name for slot in self.slots for name in (slot.minute, slot.grams))
        return tuple(name for name in (*named, *slots) if name is not None)


@dataclass(frozen=True, slots=True)
class Meal:
    """A meal that was planned for ``at``: it counts from ``opens`` until ``closes``."""

    at: datetime
    opens: datetime
    closes: datetime
    grams: float


@lru_cache(maxsize=64)
def zone(name: str) -> ZoneInfo:
    """The time zone of that IANA name.

    Raises:
        ValueError: this machine knows no such zone.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"no time zone {name!r}; say one as Asia/Jerusalem or UTC") from None


def is_known(plan: MealPlan, values: Values) -> bool:
    """Whether the values say all that the plan's meals depend on, so that no meals means none; never in a time zone
    that this machine does not know.
    """
    if plan.enabled is not None:
        enabled = values.get(plan.enabled)
        if not isinstance(enabled, bool):
            return False
        if not enabled:
            return True
    if plan.slots and plan.schedule is not None and not isinstance(values.get(plan.schedule), bool):
        return False
    if _by_slots(plan, values):
        wanted = [name for slot in plan.slots for name in (slot.minute, slot.grams)]
        return _is_zone(plan.time_zone) and all(_number(values.get(name)) is not None for name in wanted)
    wanted = [name for name in (plan.interval, plan.portion) if name is not None]
    return all(_number(values.get(name)) is not None for name in wanted)


def interval_of(plan: MealPlan, values: Values) -> timedelta | None:
    """Between two meals, if the feeder now feeds by interval; None if it does not, or nobody knows."""
    if not _feeds(plan, values) or _by_slots(plan, values) or plan.interval is None:
        return None
    if plan.portion is not None and not portion_of(plan, values):
        return None
    minutes = _number(values.get(plan.interval))
    # A number that is next to nothing is no interval, but words in a wrong order.
    return timedelta(minutes=minutes) if minutes is not None and LEAST_MIN <= minutes <= 7 * DAY_MIN else None


def portion_of(plan: MealPlan, values: Values) -> float:
    """Grams of a meal by interval; 0 if nobody knows."""
    return (_number(values.get(plan.portion)) if plan.portion is not None else None) or 0


def meals_of(plan: MealPlan, values: Values, after: datetime, until: datetime) -> tuple[Meal, ...]:
    """The meals of the schedule that close within ``(after, until]``, in order; none if it does not count now.

    Where two meals lie closer together than their windows, each ends halfway to the other.
    """
    if not _feeds(plan, values) or not _by_slots(plan, values):
        return ()
    slots = {minute: grams for minute, grams in _slots(plan, values) if grams > 0}
    return tuple(meal for meal in _dated(plan, slots, after, until) if after < meal.closes <= until)


def unseen_meal(plan: MealPlan, values: Values, since: datetime, now: datetime) -> Meal | None:
    """The last meal that was planned, and is over, while nobody could see the counter: since then, until now.

    Of an interval nobody knows where in it the feeder was, so it counts from ``since``.
    """
    interval = interval_of(plan, values)
    if interval is not None:
        at = since + interval * ((now - since - plan.window) // interval)
        return Meal(at, at, at + plan.window, portion_of(plan, values)) if at > since else None
    meals = [meal for meal in meals_of(plan, values, since, now) if meal.at >= since]
    return meals[-1] if meals else None


def clock_of(plan: MealPlan, moment: datetime) -> str:
    """Date and time where the feeder is, for people; in UTC where this machine does not know its zone."""
    place = plan.time_zone if _is_zone(plan.time_zone) else "UTC"
    return moment.astimezone(zone(place)).strftime("%Y-%m-%d %H:%M %Z")


def _is_zone(name: str) -> bool:
    try:
        zone(name)
    except ValueError:
        return False
    return True


def _dated(plan: MealPlan, slots: Mapping[int, float], after: datetime, until: datetime) -> Iterator[Meal]:
    local = zone(plan.time_zone)
    first = (after - plan.window).astimezone(local).date() - timedelta(days=1)
    # A silence of months is told of by its last days.
    first = max(first, until.astimezone(local).date() - timedelta(days=8))
    days = [first + timedelta(days=number) for number in range((until.astimezone(local).date() - first).days + 2)]
    # Sorted as they come: in spring 02:30 falls behind 03:00.
    starts = sorted((_moment(day, minute, local), slots[minute]) for day in days for minute in slots)
    for number, (at, grams) in enumerate(starts):
        before = (at - starts[number - 1][0]) / 2 if number else plan.window
        behind = (starts[number + 1][0] - at) / 2 if number + 1 < len(starts) else plan.window
        yield Meal(at, at - min(plan.window, before), at + min(plan.window, behind), grams)


def _moment(day: date, minute: int, local: ZoneInfo) -> datetime:
    return datetime.combine(day, time(minute // 60, minute % 60), local).astimezone(zone("UTC"))


def _slots(plan: MealPlan, values: Values) -> Iterator[tuple[int, float]]:
    for slot in plan.slots:
        minute, grams = _number(values.get(slot.minute)), _number(values.get(slot.grams))
        if minute is not None and grams is not None and 0 <= minute < DAY_MIN:
            yield int(minute), grams


def _feeds(plan: MealPlan, values: Values) -> bool:
    return plan.enabled is None or values.get(plan.enabled) is True


def _by_slots(plan: MealPlan, values: Values) -> bool:
    return bool(plan.slots) and (plan.schedule is None or values.get(plan.schedule) is True)


def _number(value: Value | None) -> float | None:
    return None if isinstance(value, bool | str | None) else float(value)
