"""What agents' outboxes hold, into the database: events and samples of many batches in one transaction (I8)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine

from gateway.crash import point
from gateway.database.engine import writing
from gateway.events import Events, EventSeen
from gateway.protocol.history import History
from gateway.samples import Samples, SeriesSeen
from gateway.trail import Trail, TrailWriter


@dataclass(frozen=True, slots=True, kw_only=True)
class HistorySeen:
    """A batch of a site's outbox."""

    site: str
    history: History
    at: datetime


class Archive:
    """For one thread; several gateways may keep the same batches at once, and nothing is there twice."""

    def __init__(self, engine: Engine, *, events: Events, now: Callable[[], datetime]) -> None:
        self._engine = engine
        self._events = events
        self._samples = Samples(engine)
        self._trails = TrailWriter(engine.dialect.name)
        self._now = now

    def keep(self, seen: Sequence[HistorySeen]) -> None:
        """All of it, or nothing; when this returns the agents may forget it.

        Raises:
            Unavailable: nothing was committed, or nobody can tell.
        """
        events = [EventSeen(site=each.site, event=event, at=each.at) for each in seen for event in each.history.events]
        series = [SeriesSeen(each.site, one) for each in seen for one in each.history.series]
        self._samples.know(series)
        with writing(self._engine) as connection:
            trail = Trail()
            self._events.save_in(connection, events, trail)
            self._samples.save_in(connection, series, self._now())
            self._trails.close(connection, trail)
            point("gateway-before-history-commit")
