"""Who or what changed a device's settings: commands from far away, and hands at the panel."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from heapq import merge
from typing import Any, Final

from sqlalchemy import Engine, Row, select

from gateway.database.audit_tables import audit
from gateway.database.engine import reading
from gateway.database.event_tables import events
from gateway.database.tables import commands
from gateway.place import Place, behind, newest_first
from gateway.protocol.lifecycle import State
from gateway.protocol.messages import Value
from gateway.protocol.topics import CHANGED_AT_SITE, WRITE

#: Commands that changed something, or may have.
_CHANGING: Final = (State.APPLIED.value, State.UNKNOWN.value, State.FAILED.value)


class By(StrEnum):
    """From where a setting was changed."""

    REMOTE = "remote"
    PANEL = "panel"


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsChange:
    """``changes`` are name -> (value before, None if nobody knows; value after). ``id`` is the command's or event's.

    ``state`` of a command says whether the change is certain.
    """

    id: str
    at: datetime
    by: By
    requester: str | None
    actor: str | None
    state: State | None
    changes: Mapping[str, tuple[Value | None, Value]]
    #: When it was asked for, or seen at the panel.
    place: Place


class SettingsHistory:
    """Safe from any thread; raises Unavailable if the database does not answer."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def page(
        self, site: str, device: str, *, name: str | None, limit: int, before: Place | None
    ) -> tuple[Sequence[SettingsChange], Place | None]:
        """Changes, newest first; and the ``before`` of the next page, None at the end."""
        with reading(self._engine) as connection:
            asked = connection.execute(_commands(site, device, name, before).limit(limit + 1)).all()
            edits = connection.execute(_edits(site, device, name, before).limit(limit + 1)).all()
            ids = [row.id for row in asked]
            formers = select(audit.c.command, audit.c.before).where(
                audit.c.command.in_(ids), audit.c.before.is_not(None)
            )
            known = {row.command: json.loads(row.before) for row in connection.execute(formers)}
        both = merge(
            (_remote(row, known.get(row.id, {})) for row in asked),
            (_at_panel(row) for row in edits),
            key=lambda each: each.place,
            reverse=True,
        )
        found = [each for each, _ in zip(both, range(limit + 1), strict=False)]
        return found[:limit], found[limit - 1].place if len(found) > limit else None


def _commands(site: str, device: str, name: str | None, before: Place | None) -> Any:  # noqa: ANN401 # SQLAlchemy's own
    query = select(commands).where(
        commands.c.site == site,
        commands.c.device == device,
        commands.c.name == WRITE,
        commands.c.state.in_(_CHANGING),
    )
    if name is not None:
        query = query.where(commands.c.input.contains(f'"{name}":', autoescape=True))
    order = commands.c.created_at, commands.c.id
    return query.where(*behind(*order, before)).order_by(*newest_first(*order))


def _edits(site: str, device: str, name: str | None, before: Place | None) -> Any:  # noqa: ANN401 # SQLAlchemy's own
    query = select(events).where(events.c.site == site, events.c.device == device, events.c.name == CHANGED_AT_SITE)
    if name is not None:
        query = query.where(events.c.data.contains(f'"property":"{name}"', autoescape=True))
    order = events.c.at, events.c.id
    return query.where(*behind(*order, before)).order_by(*newest_first(*order))


def _remote(row: Row[Any], formers: Mapping[str, Value | None]) -> SettingsChange:
    return SettingsChange(
        id=row.id,
        at=row.updated_at,
        by=By.REMOTE,
        requester=row.requester,
        actor=row.actor,
        state=State(row.state),
        changes={name: (formers.get(name), value) for name, value in json.loads(row.input).items()},
        place=Place(row.created_at, row.id),
    )


def _at_panel(row: Row[Any]) -> SettingsChange:
    data = json.loads(row.data)
    return SettingsChange(
        id=row.id,
        at=row.at,
        by=By.PANEL,
        requester=None,
        actor=None,
        state=None,
        changes={str(data["property"]): (data.get("old"), data["new"])} if "property" in data and "new" in data else {},
        place=Place(row.at, row.id),
    )
