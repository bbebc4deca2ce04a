"""How many alarms are active at each site, and of how many of them nobody has taken note yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Engine, func, select

from gateway.database.engine import reading
from gateway.database.event_tables import alarms
from gateway.protocol.messages import Severity


@dataclass(frozen=True, slots=True)
class AlarmCount:
    """Of one severity."""

    active: int = 0
    unacknowledged: int = 0


class AlarmCounts:
    """Safe from any thread; raises Unavailable if the database does not answer."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def all(self) -> Mapping[str, Mapping[Severity, AlarmCount]]:
        """By site, those that have any; in one question."""
        noted = func.count(alarms.c.acknowledged_at)
        query = select(alarms.c.site, alarms.c.severity, func.count(), func.count() - noted)
        query = query.where(alarms.c.active.is_(True)).group_by(alarms.c.site, alarms.c.severity)
        found: dict[str, dict[Severity, AlarmCount]] = {}
        with reading(self._engine) as connection:
            for site, severity, active, unacknowledged in connection.execute(query):
                found.setdefault(site, {})[Severity(severity)] = AlarmCount(active, unacknowledged)
        return found
