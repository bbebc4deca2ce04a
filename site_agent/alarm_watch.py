"""Which alarms are active: conditions and meals of all devices, over time; each turn is told once.

Active alarms are kept on disk, so that a new run of the agent neither forgets one nor raises it anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import inf
from typing import Final

import structlog

from gateway.protocol.meals import MEAL_MISSED_TITLE
from gateway.protocol.messages import Alarm, Event, Value
from gateway.protocol.topics import MEAL_MISSED
from site_agent import clock
from site_agent.alarm_tables import AlarmTable
from site_agent.condition import Condition
from site_agent.device import Device, Meals
from site_agent.meal_watch import Feeding, Missed, judge, unseen

Values = Mapping[str, Value | None]
#: A counter that stands still is judged so often, and those that cannot be read are looked after.
JUDGED_EVERY_S: Final = 2.0
UNSEEN_EVERY_S: Final = 10.0
#: The wall clock was set if it moved by so much more, or less, than time did.
SET_S: Final = 1.0
#: Name of an alarm with the device that has it.
Place = tuple[str, str]

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Turn:
    """An alarm was raised, changed or (None) cleared; ``event`` tells of it."""

    device: str
    name: str
    alarm: Alarm | None
    event: Event


class AlarmWatch:
    """``on_turn`` hears of every turn, ``on_feeding`` of what is to be kept, or (None) forgotten, about meals."""

    def __init__(self, *, on_turn: Callable[[Turn], None], on_feeding: Callable[[str, Feeding | None], None]) -> None:
        self._on_turn = on_turn
        self._on_feeding = on_feeding
        self._devices: dict[str, Device] = {}
        self._conditions: dict[str, dict[str, Condition]] = {}
        self._feedings: dict[str, Feeding] = {}
        self._values: dict[str, Values] = {}
        self._judged_s: dict[str, float] = {}
        self._unseen_at_s = -inf
        #: Wall clock and elapsed time of the last look.
        self._looked: tuple[datetime, float] | None = None
        #: The meal that each silence was last blamed for.
        self._blamed: dict[str, datetime] = {}
        self.active: dict[Place, Alarm] = {}
        #: Those that this run has told the end of.
        self._cleared: set[Place] = set()

    def recall(self, active: Mapping[Place, Alarm], feedings: Mapping[str, Feeding]) -> None:
        """What a former run left; call it before anything else."""
        self.active.update(active)
        self._feedings.update(feedings)

    def watch(self, devices: Iterable[Device]) -> None:
        """These are the devices from now on; alarms that no device has any more are over."""
        self._devices = {device.id: device for device in devices}
        gone = [(device, name) for device, name in self.active if name not in self._names(device)]
        for device, name in gone:
            self._clear(device, name, "there is no such alarm in the site's file any more", None)
        for each in self._feedings.keys() - self._devices.keys():
            del self._feedings[each]
            self._values.pop(each, None)
            self._on_feeding(each, None)
        self._conditions = {
            device.id: {name: self._condition(device.id, name, table) for name, table in device.alarms.items()}
            for device in self._devices.values()
        }

    def _condition(self, device: str, name: str, table: AlarmTable) -> Condition:
        """The one there is, if it is the same, so that what has lasted for a while goes on to."""
        held = self._conditions.get(device, {}).get(name)
        if held is not None and held.table == table:
            return held
        return Condition(table, active=(device, name) in self.active)

    def see(self, device: str, values: Values) -> None:
        """These values of a device were read just now."""
        known = self._devices.get(device)
        if known is None:
            return
        self._mind_clock()
        now_s = clock.elapsed_s()
        self._values[device] = {**self._values.get(device, {}), **values}
        for name, condition in self._conditions[device].items():
            table = known.alarms[name]
            if table.property in values:
                condition.see(values[table.property], now_s)
                self._turn(known, name, condition, now_s)
        meals = known.meals
        if (
            meals is not None
            and meals.plan.counter in values
            # All that the plan is made of has been read: the groups of a device are read one after the other.
            and self._values[device].keys() >= set(meals.plan.settings)
            and self._is_due(device, values[meals.plan.counter], now_s)
        ):
            self._judge(known, meals)

    def lose(self, device: str, names: Iterable[str]) -> None:
        """These values could not be read."""
        known, lost = self._devices.get(device), frozenset(names)
        for name, condition in self._conditions.get(device, {}).items():
            if known is not None and known.alarms[name].property in lost:
                condition.see(None, clock.elapsed_s())

    def tick(self) -> None:
        """Time has passed: some conditions have lasted for long enough, and some meals fell into a silence."""
        self._mind_clock()
        now_s = clock.elapsed_s()
        for device, conditions in self._conditions.items():
            for name, condition in conditions.items():
                if condition.waits:
                    self._turn(self._devices[device], name, condition, now_s)
        if now_s >= self._unseen_at_s:
            self._unseen_at_s = now_s + UNSEEN_EVERY_S
            for each in self._devices.values():
                try:
                    self._miss_unseen(each)
                except Exception:  # whatever one device's settings say, the others must be looked after
                    log.exception("meals-not-judged", device=each.id)

    def disown(self, device: str, name: str) -> None:
        """Others hold it to be active, and it is not; a new run that has lost its memory tells its end."""
        if (device, name) not in self._cleared:
            event = Event(at=clock.wall(), detail="it is not active, by what is read now", active=False, title=name)
            self._cleared.add((device, name))
            self._on_turn(Turn(device, name, None, event))

    def _names(self, device: str) -> frozenset[str]:
        known = self._devices.get(device)
        if known is None:
            return frozenset()
        return frozenset(known.alarms) | ({MEAL_MISSED} if known.meals is not None else set())

    def _turn(self, device: Device, name: str, condition: Condition, now_s: float) -> None:
        if not condition.turn(now_s):
            return
        table = device.alarms[name]
        value = self._values[device.id].get(table.property)
        detail = f"{table.property} reads {_text(value)}"
        if condition.active:
            alarm = Alarm(since=clock.wall(), severity=table.severity, title=table.title or name, detail=detail)
            self._raise(device.id, name, alarm, {table.property: value})
        else:
            self._clear(device.id, name, detail, {table.property: value})

    # Meals.

    def _mind_clock(self) -> None:
        """What is known of meals is told by the wall clock; if that is set, it moves along, so that no time is lost."""
        now, now_s = clock.wall(), clock.elapsed_s()
        before, self._looked = self._looked, (now, now_s)
        if before is None:
            return
        step = now - before[0] - timedelta(seconds=now_s - before[1])
        if abs(step) > timedelta(seconds=SET_S):
            log.warning("clock-was-set", by_s=round(step.total_seconds(), 1))
            self._feedings = {device: each.moved(step) for device, each in self._feedings.items()}

    def _is_due(self, device: str, counter: Value | None, now_s: float) -> bool:
        """To work out a plan at every read would cost more than the read."""
        known = self._feedings.get(device)
        if known is not None and known.counter == counter and now_s - self._judged_s.get(device, -inf) < JUDGED_EVERY_S:
            return False
        self._judged_s[device] = now_s
        return True

    def _judge(self, device: Device, meals: Meals) -> None:
        known = self._feedings.get(device.id)
        found = judge(meals.plan, known, self._values[device.id], clock.wall(), span=meals.span)
        if found is None:
            return
        self._feedings[device.id] = found.feeding
        self._blamed.pop(device.id, None)
        if known is None or found.fed or found.missed is not None or found.feeding.plan != known.plan:
            self._on_feeding(device.id, found.feeding)
        if found.missed is not None:
            self._miss(device.id, meals, found.missed)
        elif found.fed and (device.id, MEAL_MISSED) in self.active:
            self._clear(device.id, MEAL_MISSED, f"{meals.plan.counter} has risen again", None)

    def _miss_unseen(self, device: Device) -> None:
        known = self._feedings.get(device.id)
        if device.meals is None or known is None:
            return
        missed = unseen(device.meals.plan, known, clock.wall())
        if missed is not None and self._blamed.get(device.id) != missed.planned_at:
            self._blamed[device.id] = missed.planned_at
            self._miss(device.id, device.meals, missed)

    def _miss(self, device: str, meals: Meals, missed: Missed) -> None:
        before = self.active.get((device, MEAL_MISSED))
        since = clock.wall() if before is None else before.since
        alarm = Alarm(since=since, severity=meals.severity, title=MEAL_MISSED_TITLE, detail=missed.detail)
        self._raise(device, MEAL_MISSED, alarm, {"planned_at": missed.planned_at.isoformat(), "grams": missed.grams})

    # Turns.

    def _raise(self, device: str, name: str, alarm: Alarm, data: Values) -> None:
        self.active[device, name] = alarm
        self._tell(device, name, alarm, alarm, alarm.detail, data)

    def _clear(self, device: str, name: str, detail: str, data: Values | None) -> None:
        was = self.active.pop((device, name))
        self._cleared.add((device, name))
        self._tell(device, name, None, was, detail, data or {})

    def _tell(self, device: str, name: str, alarm: Alarm | None, about: Alarm, detail: str, data: Values) -> None:
        event = Event(
            at=clock.wall(),
            detail=detail,
            active=alarm is not None,
            title=about.title,
            severity=about.severity,
            data={key: value for key, value in data.items() if value is not None},
        )
        self._on_turn(Turn(device, name, alarm, event))


def _text(value: Value | None) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
