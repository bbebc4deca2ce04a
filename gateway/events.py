"""What happened, and which alarms are active because of it: every event once, however often it was sent (I8, I9)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection, Delete, Engine, Row, case, delete, null, or_, select

from gateway.changes import Kind, Thing
from gateway.database.driver import inserts_of
from gateway.database.engine import reading, writing
from gateway.database.event_tables import alarms, events
from gateway.database.tables import among, devices, storable, within
from gateway.protocol.history import Happening
from gateway.protocol.messages import Severity, Value
from gateway.protocol.topics import DEVICE_REMOVED
from gateway.trail import Trail, TrailWriter

ACKNOWLEDGED: Final = (alarms.c.acknowledged_at, alarms.c.acknowledged_by, alarms.c.acknowledged_note)
#: Of an ``IN`` list; SQLite takes far more, but a batch of an agent is no larger.
_LOOKED_UP: Final = 500


class Source(StrEnum):
    """Who tells of it."""

    AGENT = "agent"
    #: The centre itself, of a site that is silent.
    CENTRE = "centre"


@dataclass(frozen=True, slots=True, kw_only=True)
class EventSeen:
    """An event, and when we learned of it."""

    site: str
    event: Happening
    at: datetime
    source: Source = Source.AGENT


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRecord:
    """A row of ``events``."""

    id: str
    site: str
    device: str
    name: str
    source: Source
    at: datetime
    detail: str
    active: bool | None
    severity: Severity | None
    data: Mapping[str, Value]
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """Somebody has taken note of an alarm."""

    by: str
    at: datetime
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmRecord:
    """An alarm that is active; ``at`` is when it was last told, ``since`` when it was raised."""

    site: str
    device: str
    name: str
    source: Source
    severity: Severity
    title: str
    detail: str
    since: datetime
    at: datetime
    #: Of this activation.
    acknowledged: Acknowledgement | None = None


class Events:
    """The tables ``events`` and ``alarms``; safe from any thread. Every method raises Unavailable."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._trails = TrailWriter(engine.dialect.name)
        dialect = inserts_of(engine.dialect.name)
        new = dialect.insert(alarms)
        was_over = alarms.c.active.is_(False)
        changes = {name: new.excluded[name] for name in ("active", "severity", "title", "detail", "at", "received_at")}
        changes["since"] = case((was_over, new.excluded.since), else_=alarms.c.since)
        # Whoever took note of it took note of this activation.
        changes |= {each.name: case((was_over, null()), else_=each) for each in ACKNOWLEDGED}
        keys = [column.name for column in alarms.primary_key]
        self._turn = new.on_conflict_do_update(index_elements=keys, set_=changes)
        self._insert = dialect.insert(events).on_conflict_do_nothing()

    def save(self, seen: Sequence[EventSeen]) -> None:
        """Keep those that are not there yet; turn the alarms, and take out the devices, that they are about."""
        if seen:
            with writing(self._engine) as connection:
                trail = Trail()
                self.save_in(connection, seen, trail)
                self._trails.close(connection, trail)

    def save_in(self, connection: Connection, seen: Sequence[EventSeen], trail: Trail) -> None:
        """As :meth:`save`, inside a transaction of :func:`gateway.database.engine.writing`, which closes the trail."""
        fresh = _fresh(connection, seen)
        if not fresh:
            return
        connection.execute(self._insert, [_event_row(each) for each in fresh])
        things = [Thing(Kind.EVENT, each.site, each.event.id) for each in fresh]
        turns = [_alarm_row(each) for each in fresh if each.event.active is not None]
        # In the order in which they were told: an outbox keeps it, and a clock that was set would not.
        for turn in turns:
            connection.execute(self._turn, turn)
            key = "/".join((turn["device"], turn["name"], turn["source"]))
            things.append(Thing(Kind.ALARM, turn["site"], key))
        for each in fresh:
            if each.event.name == DEVICE_REMOVED:
                connection.execute(_removal(each))
                things.append(Thing(Kind.DEVICE, each.site, each.event.device))
        trail.things += things

    def page(
        self,
        *,
        site: str | None,
        device: str | None,
        name: str | None,
        limit: int,
        before: str | None,
        start: datetime | None = None,
        end: datetime | None = None,
        sites: frozenset[str] | None = None,
    ) -> tuple[Sequence[EventRecord], str | None]:
        """Events, newest first by id; and the ``before`` of the next page, None at the end."""
        query = select(events).order_by(events.c.id.desc()).limit(limit + 1)
        wanted = {"site": site, "device": device, "name": name}
        query = query.where(*[events.c[column] == value for column, value in wanted.items() if value is not None])
        if before is not None:
            query = query.where(events.c.id < before)
        query = query.where(*within(events.c.at, start, end), *among(events.c.site, sites))
        with reading(self._engine) as connection:
            rows = connection.execute(query).all()
        found = [event_of(row) for row in rows[:limit]]
        return found, found[-1].id if len(rows) > limit else None

    def active(
        self,
        *,
        site: str | None = None,
        device: str | None = None,
        source: Source | None = None,
        limit: int | None = 10_000,
        sites: frozenset[str] | None = None,
    ) -> Sequence[AlarmRecord]:
        """The alarms that are active, those for which somebody must come at once before the others, oldest first."""
        urgent = case((alarms.c.severity == Severity.CRITICAL.value, 0), else_=1)
        query = select(alarms).where(alarms.c.active.is_(True)).order_by(urgent, alarms.c.since).limit(limit)
        wanted = {"site": site, "device": device, "source": None if source is None else source.value}
        query = query.where(*[alarms.c[column] == value for column, value in wanted.items() if value is not None])
        query = query.where(*among(alarms.c.site, sites))
        with reading(self._engine) as connection:
            return [alarm_of(row) for row in connection.execute(query)]


def _fresh(connection: Connection, seen: Sequence[EventSeen]) -> list[EventSeen]:
    by_id = {each.event.id: each for each in seen}
    ids = list(by_id)
    for start in range(0, len(ids), _LOOKED_UP):
        known = select(events.c.id).where(events.c.id.in_(ids[start : start + _LOOKED_UP]))
        for (id,) in connection.execute(known).all():
            del by_id[id]
    return list(by_id.values())


def _removal(seen: EventSeen) -> Delete:
    """Of the device, unless it was there again afterwards."""
    older = or_(devices.c.state_at.is_(None), devices.c.state_at <= seen.event.at)
    return delete(devices).where(devices.c.site == seen.site, devices.c.device == seen.event.device, older)


def _event_row(seen: EventSeen) -> dict[str, Any]:
    event = seen.event
    return {
        "id": event.id,
        "site": seen.site,
        "device": event.device,
        "name": event.name,
        "source": seen.source.value,
        "at": event.at,
        "detail": storable(event.detail),
        "active": event.active,
        "severity": None if event.severity is None else event.severity.value,
        "data": storable(json.dumps(event.data, separators=(",", ":"))),
        "received_at": seen.at,
    }


def _alarm_row(seen: EventSeen) -> dict[str, Any]:
    event = seen.event
    return {
        "site": seen.site,
        "device": event.device,
        "name": event.name,
        "source": seen.source.value,
        "active": event.active,
        "severity": (event.severity or Severity.WARNING).value,
        "title": storable(event.title),
        "detail": storable(event.detail),
        "since": event.at,
        "at": event.at,
        "received_at": seen.at,
    }


def event_of(row: Row[Any]) -> EventRecord:
    """A row of ``events``."""
    columns = dict(row._mapping)
    columns["source"] = Source(columns["source"])
    columns["severity"] = None if columns["severity"] is None else Severity(columns["severity"])
    columns["data"] = json.loads(columns["data"])
    return EventRecord(**columns)


def alarm_of(row: Row[Any]) -> AlarmRecord:
    """A row of ``alarms``."""
    at, by, note = row.acknowledged_at, row.acknowledged_by, row.acknowledged_note
    return AlarmRecord(
        site=row.site,
        device=row.device,
        name=row.name,
        source=Source(row.source),
        severity=Severity(row.severity),
        title=row.title,
        detail=row.detail,
        since=row.since,
        at=row.at,
        acknowledged=None if at is None else Acknowledgement(by, at, note),
    )
