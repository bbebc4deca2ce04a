"""What things are now of which somebody heard that they have changed: many of each kind in one query."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, Select, select, tuple_

from gateway.changes import Kind, Thing
from gateway.database.engine import reading
from gateway.database.event_tables import alarms, events
from gateway.database.tables import commands, devices, sites
from gateway.events import AlarmRecord, EventRecord, alarm_of, event_of
from gateway.ledger import CommandRecord
from gateway.ledger_rows import record_of
from gateway.protocol.messages import DeviceState
from gateway.sites_rows import SiteRecord, site_of, state_of


@dataclass(frozen=True, slots=True)
class DeviceNow:
    """A device's last state; None: it has told none yet."""

    site: str
    device: str
    state: DeviceState | None


@dataclass(frozen=True, slots=True)
class AlarmNow:
    """An alarm after its last turn."""

    active: bool
    record: AlarmRecord


#: None: it is gone.
Now = SiteRecord | DeviceNow | CommandRecord | EventRecord | AlarmNow | None


class ChangedThings:
    """Safe from any thread; raises Unavailable if the database does not answer."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def now(self, things: Iterable[Thing]) -> Mapping[Thing, Now]:
        """What each of them is."""
        by_kind: dict[Kind, list[Thing]] = {}
        for each in things:
            by_kind.setdefault(each.kind, []).append(each)
        found: dict[Thing, Now] = {}
        with reading(self._engine) as connection:
            for kind, some in by_kind.items():
                known = _READ[kind](connection, some)
                found |= {each: known.get(each) for each in some}
        return found


def _statuses(connection: Connection, things: Sequence[Thing]) -> dict[Thing, Now]:
    rows = connection.execute(select(sites).where(sites.c.site.in_([each.site for each in things])))
    return {Thing(Kind.STATUS, row.site, ""): site_of(row) for row in rows}


def _devices(connection: Connection, things: Sequence[Thing]) -> dict[Thing, Now]:
    columns = devices.c.site, devices.c.device
    query = select(*columns, devices.c.state).where(tuple_(*columns).in_([(each.site, each.key) for each in things]))
    return {
        Thing(Kind.DEVICE, row.site, row.device): DeviceNow(
            row.site, row.device, None if row.state is None else state_of(row.state)
        )
        for row in connection.execute(query)
    }


def _commands(connection: Connection, things: Sequence[Thing]) -> dict[Thing, Now]:
    rows = connection.execute(select(commands).where(commands.c.id.in_([each.key for each in things])))
    return {Thing(Kind.COMMAND, row.site, row.id): record_of(row, ()) for row in rows}


def _events(connection: Connection, things: Sequence[Thing]) -> dict[Thing, Now]:
    rows = connection.execute(select(events).where(events.c.id.in_([each.key for each in things])))
    return {Thing(Kind.EVENT, row.site, row.id): event_of(row) for row in rows}


def _alarms(connection: Connection, things: Sequence[Thing]) -> dict[Thing, Now]:
    columns = alarms.c.site, alarms.c.device, alarms.c.name, alarms.c.source
    query: Select[Any] = select(alarms).where(
        tuple_(*columns).in_([(each.site, *each.key.split("/")) for each in things])
    )
    return {
        Thing(Kind.ALARM, row.site, "/".join((row.device, row.name, row.source))): AlarmNow(row.active, alarm_of(row))
        for row in connection.execute(query)
    }


_READ = {
    Kind.STATUS: _statuses,
    Kind.DEVICE: _devices,
    Kind.COMMAND: _commands,
    Kind.EVENT: _events,
    Kind.ALARM: _alarms,
}
