"""Somebody has taken note of an alarm: once for each time that it is raised, with a row in the audit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Engine, and_, select, update

from gateway.changed_things import AlarmNow
from gateway.changes import Kind, Thing
from gateway.database.engine import writing
from gateway.database.event_tables import alarms
from gateway.database.tables import storable
from gateway.doers import Doer
from gateway.events import Source, alarm_of
from gateway.trail import Trail, TrailWriter

#: The name of the row in the audit.
ACKNOWLEDGED: Final = "alarm-acknowledged"


@dataclass(frozen=True, slots=True, kw_only=True)
class Raised:
    """An alarm as somebody has seen it; ``since`` tells this activation from all others."""

    site: str
    device: str
    name: str
    source: Source
    since: datetime


class Acknowledgements:
    """Safe from any thread; raises Unavailable if the database does not answer."""

    def __init__(self, engine: Engine, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._engine = engine
        self._now = now
        self._trails = TrailWriter(engine.dialect.name)

    def add(self, seen: Raised, note: str, by: Doer) -> AlarmNow | None:
        """Note it, unless the alarm is over or was raised anew, or somebody was first: the first word stands.

        Returns:
            The alarm as it is then; None if there never was one of that name.
        """
        this = and_(*[alarms.c[name] == getattr(seen, name) for name in ("site", "device", "name", "source")])
        with writing(self._engine) as connection:
            row = connection.execute(select(alarms).where(this).with_for_update()).one_or_none()
            if row is None:
                return None
            if not row.active or row.since != seen.since or row.acknowledged_at is not None:
                return AlarmNow(row.active, alarm_of(row))
            words = {"acknowledged_by": storable(by.actor) or by.principal, "acknowledged_note": storable(note)}
            connection.execute(update(alarms).where(this).values(acknowledged_at=self._now(), **words))
            entry = by.did(
                ACKNOWLEDGED,
                {"alarm": seen.name, "source": seen.source, "since": seen.since.isoformat(), "note": note},
                site=seen.site,
                device=seen.device,
            )
            key = "/".join((seen.device, seen.name, seen.source))
            self._trails.close(connection, Trail([entry], [Thing(Kind.ALARM, seen.site, key)]))
            return AlarmNow(True, alarm_of(connection.execute(select(alarms).where(this)).one()))
