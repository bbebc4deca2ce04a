"""When a site's gate was closed, and whose fault that was.

A gate closes by itself when no beat comes for ``expiry``. If the next beat belongs to the same connection of the agent
(the same epoch), the agent was there all the time and it was the centre that did not hear it: its gateway or its Redis
was down. Otherwise the site itself was away.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from sqlalchemy import Engine, select

from gateway.database.driver import inserts_of
from gateway.database.engine import reading, writing
from gateway.database.silence_tables import silences
from gateway.sites import BeatSeen, SiteRecord

#: While the database is away; the oldest are told first (I15).
UNSAVED: Final = 20_000
_EVER: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Cause(StrEnum):
    """Why the gate was closed."""

    #: Nobody had ever heard of the site.
    BEFORE = "before"
    #: The agent's connection had ended: power, network, or a stop.
    AWAY = "away"
    #: The agent was connected and beat; the centre closed the gate falsely.
    UNHEARD = "unheard"


@dataclass(frozen=True, slots=True)
class Silence:
    """The gate of ``site`` was closed from ``began_at`` until ``ended_at``."""

    site: str
    began_at: datetime
    ended_at: datetime
    cause: Cause


class SilenceWatch:
    """For one thread; fed with every beat that has opened a gate."""

    def __init__(self, expiry: timedelta) -> None:
        self._expiry = expiry
        #: The last beat of each site, and its epoch.
        self._last: dict[str, tuple[datetime, int]] = {}
        self._ended: list[Silence] = []

    def recall(self, records: Iterable[SiteRecord]) -> None:
        """What was known when the last gateway stopped."""
        for each in records:
            if each.last_beat_at is not None and each.last_beat_epoch is not None:
                self._last[each.site] = (each.last_beat_at, each.last_beat_epoch)

    def heard(self, beats: Mapping[str, BeatSeen]) -> None:
        """These gates are open from now on."""
        for site, beat in beats.items():
            last_at, epoch = self._last.get(site, (None, 0))
            if last_at is None:
                self._note(Silence(site, _EVER, beat.at, Cause.BEFORE))
            elif beat.at - last_at > self._expiry:
                cause = Cause.UNHEARD if beat.heartbeat.epoch == epoch else Cause.AWAY
                self._note(Silence(site, last_at + self._expiry, beat.at, cause))
            self._last[site] = (beat.at, beat.heartbeat.epoch)

    def _note(self, silence: Silence) -> None:
        if len(self._ended) < UNSAVED:
            self._ended.append(silence)

    @property
    def ended(self) -> Sequence[Silence]:
        """Those that are over and not :meth:`forgotten <forget>` yet."""
        return tuple(self._ended)

    def forget(self, saved: Sequence[Silence]) -> None:
        """These, the first of :attr:`ended`, are in the database."""
        del self._ended[: len(saved)]


class Silences:
    """The table; safe from any thread. Every method raises Unavailable."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._insert = inserts_of(engine.dialect.name).insert(silences).on_conflict_do_nothing()

    def save(self, ended: Sequence[Silence]) -> None:
        """Keep those that are not there yet."""
        if ended:
            columns = ("site", "began_at", "ended_at", "cause")
            rows = [{name: getattr(each, name) for name in columns} for each in ended]
            with writing(self._engine) as connection:
                connection.execute(self._insert, [row | {"cause": row["cause"].value} for row in rows])

    def of(self, site: str, start: datetime, end: datetime) -> Sequence[Silence]:
        """Those that touch the stretch, and the one before the site was ever heard; in order."""
        within = (silences.c.ended_at > start) & (silences.c.began_at < end)
        first = silences.c.began_at == _EVER
        query = select(silences).where(silences.c.site == site, within | first).order_by(silences.c.began_at)
        with reading(self._engine) as connection:
            rows = connection.execute(query).all()
        return [Silence(row.site, row.began_at, row.ended_at, Cause(row.cause)) for row in rows]
