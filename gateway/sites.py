"""Sites and devices as last reported. A lower epoch never overrides a higher one (I11)."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Engine, Table, and_, exists, or_, select, tuple_

from gateway.changes import ChangeWriter, Kind, Thing
from gateway.database.driver import dialect_of, inserts_of, text_of
from gateway.database.engine import reading, writing
from gateway.database.enrolment_tables import registrations
from gateway.database.tables import devices, sites
from gateway.protocol.description import Description
from gateway.protocol.ids import is_id
from gateway.protocol.messages import PlcLink
from gateway.sites_rows import (
    BeatSeen,
    DescriptionSeen,
    DeviceRecord,
    SiteRecord,
    StateSeen,
    StatusSeen,
    beat_row,
    description_of,
    description_row,
    device_of,
    site_of,
    state_row,
    status_row,
)

__all__ = ["BeatSeen", "DescriptionSeen", "DeviceRecord", "SiteRecord", "Sites", "StateSeen", "StatusSeen"]

#: Rows of one transaction; the facade's commands wait for its end.
BATCH: Final = 500


class Sites:
    """The tables ``sites`` and ``devices``; every method is safe from any thread or process.

    Every method raises Unavailable if the database does not answer; what was to be saved is then not saved.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._sql = _Upserts(engine.dialect.name)
        self._changes = ChangeWriter(engine.dialect.name)

    def save_status(self, seen: Sequence[StatusSeen]) -> None:
        """What sites said about themselves."""
        self._save(self._sql.status, [status_row(each) for each in seen], Kind.STATUS)

    def save_beats(self, seen: Sequence[BeatSeen]) -> None:
        """When sites were last heard; a beat that is not newer than the last one changes nothing."""
        links = self._links()
        news = [each for each in seen if links.get(each.site) != each.heartbeat.plcs]
        told = {each.site for each in news}
        self._save(self._sql.beat, [beat_row(each) for each in news], Kind.STATUS)
        self._save(self._sql.beat, [beat_row(each) for each in seen if each.site not in told], None)

    def save_descriptions(self, seen: Sequence[DescriptionSeen]) -> None:
        """What devices are."""
        self._save(self._sql.description, [description_row(each) for each in seen], Kind.DEVICE)

    def save_states(self, seen: Sequence[StateSeen]) -> None:
        """What devices' values are; what the broker had stored never overrides something newer."""
        self._save(self._sql.live_state, [state_row(each) for each in seen if not each.retained], Kind.DEVICE)
        self._save(self._sql.stored_state, [state_row(each) for each in seen if each.retained], Kind.DEVICE)

    def all(self) -> Sequence[SiteRecord]:
        """Every site that was ever heard of, by name; but those that were removed."""
        with reading(self._engine) as connection:
            return [site_of(row) for row in connection.execute(select(sites).where(_there()).order_by(sites.c.site))]

    def get(self, site: str) -> SiteRecord | None:
        """One site; nothing under what is no name of one."""
        if not is_id(site):
            return None
        with reading(self._engine) as connection:
            row = connection.execute(select(sites).where(sites.c.site == site, _there())).one_or_none()
        return None if row is None else site_of(row)

    def devices(self, site: str) -> Sequence[DeviceRecord]:
        """The devices of a site, by name."""
        query = select(devices).where(devices.c.site == site).order_by(devices.c.device)
        with reading(self._engine) as connection:
            return [device_of(row) for row in connection.execute(query)]

    def device(self, site: str, device: str) -> DeviceRecord | None:
        """One device; nothing under what is no name of one."""
        if not (is_id(site) and is_id(device)):
            return None
        query = select(devices).where(devices.c.site == site, devices.c.device == device)
        with reading(self._engine) as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else device_of(row)

    def description(self, site: str, device: str) -> Description | None:
        """What a device is, for the check of a write."""
        query = select(devices.c.description).where(devices.c.site == site, devices.c.device == device)
        with reading(self._engine) as connection:
            text = connection.execute(query).scalar_one_or_none()
        return None if text is None else description_of(text)

    def descriptions(self) -> Mapping[str, Mapping[str, Description]]:
        """What every device is, by site and by name; in one question."""
        query = select(devices.c.site, devices.c.device, devices.c.description)
        query = query.where(devices.c.description.is_not(None)).order_by(devices.c.site, devices.c.device)
        found: dict[str, dict[str, Description]] = {}
        with reading(self._engine) as connection:
            for row in connection.execute(query):
                found.setdefault(row.site, {})[row.device] = description_of(row.description)
        return found

    def _links(self) -> Mapping[str, Mapping[str, PlcLink]]:
        """Of each site its PLCs, as last saved: most beats change nothing that anybody watches."""
        with reading(self._engine) as connection:
            rows = connection.execute(select(sites.c.site, sites.c.plcs)).all()
        return {row.site: json.loads(row.plcs or "null") for row in rows}

    def _save(self, sql: str, rows: list[dict[str, Any]], kind: Kind | None) -> None:
        # By key, so that two processes take row locks in one order and SQLite walks its tree once.
        rows.sort(key=lambda row: (row["site"], row.get("device", "")))
        for start in range(0, len(rows), BATCH):
            with writing(self._engine) as connection:
                part = rows[start : start + BATCH]
                connection.exec_driver_sql(sql, part)
                if kind is not None:
                    self._changes.add(connection, [Thing(kind, row["site"], row.get("device", "")) for row in part])


def _there() -> ColumnElement[bool]:
    """The site was not removed, or was heard after that."""
    gone = (registrations.c.site == sites.c.site) & registrations.c.removed_at.is_not(None)
    silent = or_(sites.c.last_beat_at.is_(None), sites.c.last_beat_at <= registrations.c.removed_at)
    return ~exists().where(gone, silent)


class _Upserts:
    """SQL text with named parameters, compiled once per engine; see :mod:`gateway.database.driver`."""

    def __init__(self, dialect: str) -> None:
        self._dialect = dialect_of(dialect)
        self._insert = inserts_of(dialect).insert
        status = ("epoch", "boot", "state", "since", "version", "reason", "updated_at")
        self.status = self._text(sites, status, lambda new: new.epoch >= sites.c.epoch)
        beat = ("epoch", "last_beat_at", "last_beat_epoch", "last_beat_seq", "plcs", "outbox", "updated_at")
        self.beat = self._text(sites, beat, _newer_beat)
        described = ("description", "epoch", "received_at")
        self.description = self._text(devices, described, lambda new: new.epoch >= devices.c.epoch)
        stated = ("state", "state_at", "epoch", "received_at")
        self.live_state = self._text(devices, stated, lambda new: new.epoch >= devices.c.epoch)
        self.stored_state = self._text(devices, stated, _newer_state)

    def _text(self, table: Table, columns: tuple[str, ...], where: Callable[[Any], ColumnElement[bool]]) -> str:
        statement = self._insert(table)
        new = statement.excluded
        changes = {each: new[each] for each in columns}
        keys = [each.name for each in table.primary_key]
        statement = statement.on_conflict_do_update(index_elements=keys, set_=changes, where=where(new))
        return text_of(statement, self._dialect, [*keys, *columns])


def _newer_beat(new: Any) -> ColumnElement[bool]:  # noqa: ANN401 # SQLAlchemy's namespace of the row to insert
    last = tuple_(sites.c.last_beat_epoch, sites.c.last_beat_seq)
    newer = or_(sites.c.last_beat_seq.is_(None), tuple_(new.last_beat_epoch, new.last_beat_seq) > last)
    return and_(new.epoch >= sites.c.epoch, newer)


def _newer_state(new: Any) -> ColumnElement[bool]:  # noqa: ANN401 # same
    older = or_(devices.c.state_at.is_(None), new.state_at >= devices.c.state_at)
    return and_(new.epoch >= devices.c.epoch, older)
