"""Meals that fall into a site's silence: nobody can tell whether the fish were fed, and somebody has to look.

The agent judges by the PLC's counter. While it is silent, the centre knows only when a meal was planned, by the
settings that were reported last; it says so until the site is back, which then judges by itself.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import structlog

from gateway.events import AlarmRecord, Events, EventSeen, Source
from gateway.protocol.history import Happening
from gateway.protocol.ids import command_id
from gateway.protocol.meals import MEAL_MISSED_TITLE, Meal, MealPlan, clock_of, unseen_meal
from gateway.protocol.messages import Alarm, Severity, Value
from gateway.protocol.topics import MEAL_MISSED, HostAlarmTopic
from gateway.sites import DeviceRecord, SiteRecord, Sites

#: Alarms that one look may raise; the next look raises the next ones (I15).
RAISED: Final = 1_000

log = structlog.get_logger(__name__)


class DarkMeals:
    """``publish`` sends an alarm, or None to clear it; it may raise Unavailable."""

    def __init__(
        self,
        *,
        sites: Sites,
        events: Events,
        publish: Callable[[HostAlarmTopic, Alarm | None], object],
        expiry_s: float,
    ) -> None:
        self._sites = sites
        self._events = events
        self._publish = publish
        self._expiry = timedelta(seconds=expiry_s)
        #: The broker has what we say.
        self._told: dict[HostAlarmTopic, Alarm] = {}

    def recall(self, held: Mapping[HostAlarmTopic, Alarm]) -> None:
        """The broker has these from us."""
        self._told.update(held)

    def forget(self) -> None:
        """It is another connection: the broker may have lost what we told it."""
        self._told.clear()

    def look(self, now: datetime) -> None:
        """Raise what is due, clear what is over; call it only while beats would reach us.

        Raises:
            Unavailable: the database or the broker does not answer; look again later.
        """
        held = {(each.site, each.device): each for each in self._active()}
        dark = {each.site: each for each in self._sites.all() if self._is_dark(each, now)}
        turns = [_turn(record, now) for (site, _), record in held.items() if site not in dark]
        for site, record in dark.items():
            assert record.last_beat_at is not None  # noqa: S101 # a site that was never heard is not dark
            for device in self._sites.devices(site):
                found = _missed(device, record.last_beat_at, now)
                before = held.get((site, device.device))
                if found is not None and (before is None or before.detail != found.event.detail):
                    turns.append(found)
        for each in turns[:RAISED]:
            log.warning("meal-missed", site=each.site, device=each.event.device, active=each.event.active)
        self._events.save(turns[:RAISED])
        self._tell()

    def _tell(self) -> None:
        wanted = {HostAlarmTopic(each.site, each.device, each.name): _message(each) for each in self._active()}
        for topic in [*(self._told.keys() - wanted.keys())]:
            self._publish(topic, None)
            del self._told[topic]
        for topic, alarm in wanted.items():
            if self._told.get(topic) != alarm:
                self._publish(topic, alarm)
                self._told[topic] = alarm

    def _active(self) -> Sequence[AlarmRecord]:
        """All of ours, however many: what is left out here would be raised again at every look."""
        return self._events.active(source=Source.CENTRE, limit=None)

    def _is_dark(self, record: SiteRecord, now: datetime) -> bool:
        return record.last_beat_at is not None and now - record.last_beat_at > self._expiry


def _missed(device: DeviceRecord, since: datetime, now: datetime) -> EventSeen | None:
    plan = None if device.description is None else device.description.meals
    if plan is None or device.state is None:
        return None
    try:
        meal = unseen_meal(plan, device.state.properties, since, now)
    except Exception as error:  # whatever a site says of its meals, the other sites' must be looked at
        log.error("meals-not-planned", site=device.site, device=device.device, cause=repr(error))
        return None
    return None if meal is None else _raised(device, plan, meal, since, now)


def _raised(device: DeviceRecord, plan: MealPlan, meal: Meal, since: datetime, now: datetime) -> EventSeen:
    detail = (
        f"the site has been silent since {clock_of(plan, since)}; nobody can tell whether the meal of"
        f" {clock_of(plan, meal.at)} ({meal.grams:g} g) was given"
    )
    data: dict[str, Value] = {"planned_at": meal.at.isoformat(), "grams": meal.grams}
    return _seen(device.site, device.device, now, active=True, detail=detail, data=data)


def _turn(record: AlarmRecord, now: datetime) -> EventSeen:
    detail = "the site is back, and judges by the counters of its PLCs"
    return _seen(record.site, record.device, now, active=False, detail=detail, data={})


def _seen(site: str, device: str, now: datetime, *, active: bool, detail: str, data: dict[str, Value]) -> EventSeen:
    event = Happening(
        id=command_id(int(now.timestamp() * 1_000), secrets.randbits(80)),
        device=device,
        name=MEAL_MISSED,
        at=now,
        detail=detail,
        active=active,
        title=MEAL_MISSED_TITLE,
        severity=Severity.CRITICAL,
        data=data,
    )
    return EventSeen(site=site, event=event, at=now, source=Source.CENTRE)


def _message(record: AlarmRecord) -> Alarm:
    return Alarm(since=record.since, severity=record.severity, title=record.title, detail=record.detail)
