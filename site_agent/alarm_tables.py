"""The tables of a site's file about alarms: conditions on a device's values, and meals that must not be missed."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Annotated, Final

from pydantic import Field, FiniteFloat, StrictBool, StrictInt, StrictStr

from gateway.protocol.description import Comparison, ValueType
from gateway.protocol.errors import Fault, json_pointer
from gateway.protocol.ids import Name
from gateway.protocol.meals import MealPlan, MealSlot
from gateway.protocol.messages import Severity, Text
from gateway.protocol.topics import EVENT_NAMES
from site_agent.action_tables import Table
from site_agent.nearest import hint

_NUMBERS: Final = (ValueType.INTEGER, ValueType.NUMBER)


class AlarmTable(Table):
    """``[devices.alarms.NAME]``: active while ``property`` is equal to, below or above ``value``.

    It is raised once that has lasted for ``delay_s``, and cleared once the value has been back, by ``hysteresis``
    beyond ``value``, for ``clear_delay_s``.
    """

    title: Text | None = None
    severity: Severity = Severity.WARNING
    property: Name
    comparison: Comparison = Comparison.EQUALS
    value: StrictBool | StrictInt | FiniteFloat | StrictStr = True
    hysteresis: Annotated[FiniteFloat, Field(ge=0)] = 0.0
    delay_s: Annotated[FiniteFloat, Field(ge=0, le=86_400)] = 0.0
    clear_delay_s: Annotated[FiniteFloat, Field(ge=0, le=86_400)] = 0.0


class SlotTable(Table):
    """One of ``[devices.meals] slots``: two settings, of the minute of the day and of the grams."""

    minute: Name
    grams: Name


class MealsTable(Table):
    """``[devices.meals]``: which settings say when the device feeds, and which counter that it did."""

    severity: Severity = Severity.CRITICAL
    counter: Name
    enabled: Name | None = None
    interval: Name | None = None
    portion: Name | None = None
    schedule: Name | None = None
    slots: Annotated[tuple[SlotTable, ...], Field(max_length=48)] = ()
    window_min: Annotated[FiniteFloat, Field(gt=0, le=720)] = 10.0

    def plan(self, time_zone: str) -> MealPlan:
        """As the description tells it."""
        return MealPlan(
            counter=self.counter,
            enabled=self.enabled,
            interval=self.interval,
            portion=self.portion,
            schedule=self.schedule,
            slots=tuple(MealSlot(minute=each.minute, grams=each.grams) for each in self.slots),
            window_min=self.window_min,
            time_zone=time_zone,
        )


def alarm_faults(alarms: Mapping[str, AlarmTable], kinds: Mapping[str, ValueType], place: str) -> Iterator[Fault]:
    """What contradicts itself in a device's alarms; ``kinds`` are the types of its properties."""
    for name, each in alarms.items():
        here = place + json_pointer("alarms", name)
        kind = kinds.get(each.property)
        if name in EVENT_NAMES:
            yield Fault(here, "reserved", f"an alarm cannot be called {name!r}: that is an event of its own")
        if kind is None:
            detail = f"the device has no such property.{hint(each.property, kinds.keys())}"
            yield Fault(f"{here}/property", "unknown-property", detail)
        elif not _comparable(kind, each.value):
            yield Fault(f"{here}/value", "wrong-type", f"{each.property} is a {kind}, which never has this value")
        elif kind not in _NUMBERS and each.comparison is not Comparison.EQUALS:
            yield Fault(f"{here}/comparison", "wrong-type", "only numbers can be below or above; say equals")
        if each.hysteresis and each.comparison is Comparison.EQUALS:
            yield Fault(f"{here}/hysteresis", "not-with-equals", "only below and above have one")


def meal_faults(
    meals: MealsTable, kinds: Mapping[str, ValueType], counters: Collection[str], place: str
) -> Iterator[Fault]:
    """What contradicts itself in ``[devices.meals]``; ``counters`` are the properties that can serve as such."""
    here = f"{place}/meals"
    if meals.counter not in counters:
        known = ", ".join(sorted(counters)) or "none"
        yield Fault(f"{here}/counter", "no-counter", f"must name a property that counts; the device has: {known}")
    wanted: list[tuple[str, str | None, tuple[ValueType, ...]]] = [
        ("enabled", meals.enabled, (ValueType.BOOLEAN,)),
        ("schedule", meals.schedule, (ValueType.BOOLEAN,)),
        ("interval", meals.interval, _NUMBERS),
        ("portion", meals.portion, _NUMBERS),
    ]
    for number, slot in enumerate(meals.slots):
        wanted += [(f"slots/{number}/minute", slot.minute, _NUMBERS), (f"slots/{number}/grams", slot.grams, _NUMBERS)]
    for key, name, kind in wanted:
        if name is not None and name not in kinds:
            detail = f"the device has no such property.{hint(name, kinds.keys())}"
            yield Fault(f"{here}/{key}", "unknown-property", detail)
        elif name is not None and kinds[name] not in kind:
            yield Fault(f"{here}/{key}", "wrong-type", f"{name} is a {kinds[name]}; a {kind[-1]} is needed here")
    if meals.interval is None and not meals.slots:
        yield Fault(here, "no-plan", "say with interval, or with slots, when the device feeds")


def _comparable(kind: ValueType, value: object) -> bool:
    if isinstance(value, bool):
        return kind is ValueType.BOOLEAN
    return kind is ValueType.STRING if isinstance(value, str) else kind in _NUMBERS
