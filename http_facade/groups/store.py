"""Groups in the database. Whoever changes a group's state does it by compare-and-set, so each step happens once.

Every method raises Unavailable if the database does not answer; what was to be saved is then not saved, or nobody can
tell.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Engine, Row, and_, case, delete, func, insert, select, update

from gateway.database import reading, writing
from gateway.database.group_tables import group_items, groups
from gateway.database.tables import commands, storable
from http_facade.groups.refusals import TooManyPreviews
from http_facade.groups.rows import Cause, GroupRecord, GroupState, ItemRecord, ItemState, item_state, key_of, state_of
from http_facade.representations import to_json

#: Previews that one actor may have open.
MOST_OPEN: Final = 20
#: Previews that nobody ran are kept for so long.
KEPT: Final = timedelta(hours=1)
#: So many at most are thrown away along with one new preview.
PRUNED: Final = 20

_STATE: Final = case(
    (commands.c.state.is_not(None), commands.c.state),
    (group_items.c.code.is_not(None), ItemState.REFUSED.value),
    (group_items.c.begun_at.is_not(None), ItemState.BEGUN.value),
    else_=ItemState.WAITING.value,
).label("item_state")
_ITEMS: Final = group_items.join(groups, groups.c.id == group_items.c.group_id).outerjoin(
    commands, and_(commands.c.actor == groups.c.actor, commands.c.key == group_items.c.key)
)


class GroupStore:
    """The tables ``groups`` and ``group_items``; every method is one transaction, safe from any thread or process."""

    def __init__(self, engine: Engine, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._engine = engine
        self.now = now

    def add(self, columns: Mapping[str, Any], targets: Sequence[tuple[str, str, Mapping[str, Any]]]) -> None:
        """A new preview: the group's ``columns``, and site, device and preview of each target.

        Raises:
            TooManyPreviews: its actor has as many open ones as anybody may have.
        """
        id, now = columns["id"], self.now()
        items = [
            {
                "group_id": id,
                "position": position,
                "site": site,
                "device": device,
                "key": key_of(id, position),
                "preview": to_json(preview),
            }
            for position, (site, device, preview) in enumerate(targets)
        ]
        row = {
            **columns,
            "input": to_json(columns["input"]),
            "summary": to_json(columns["summary"]),
            "targets": len(items),
            "state": GroupState.PREVIEWED.value,
            "created_at": now,
        }
        with writing(self._engine) as connection:
            _prune(connection, now - KEPT)
            if _open(connection, columns["actor"], now) >= MOST_OPEN:
                raise TooManyPreviews(MOST_OPEN)
            connection.execute(insert(groups).values(row))
            connection.execute(insert(group_items), items)

    def get(self, id: str) -> GroupRecord | None:
        """One group."""
        found = self._records(groups.c.id == id, 1)
        return found[0] if found else None

    def page(self, *, limit: int, before: str | None) -> tuple[Sequence[GroupRecord], str | None]:
        """Groups, newest first; and the ``before`` of the next page, None at the end."""
        found = self._records(True if before is None else groups.c.id < before, limit + 1)
        return found[:limit], found[limit - 1].id if len(found) > limit else None

    def items(self, group: GroupRecord) -> Sequence[ItemRecord]:
        """The targets of a group, in their order."""
        query = (
            select(
                group_items,
                _STATE,
                commands.c.id.label("command"),
                commands.c.code.label("ended"),
                commands.c.detail.label("why"),
            )
            .select_from(_ITEMS)
            .where(group_items.c.group_id == group.id)
            .order_by(group_items.c.position)
        )
        with reading(self._engine) as connection:
            return [_item(row, group.state) for row in connection.execute(query)]

    def start(self, id: str, *, runner: str, lease: timedelta, run_by: str) -> bool:
        """Use the token up: of all who try, one gets True."""
        now = self.now()
        free = and_(groups.c.id == id, groups.c.state == GroupState.PREVIEWED.value, groups.c.expires_at > now)
        news = {"state": GroupState.RUNNING.value, "runner": runner, "lease_until": now + lease, "started_at": now}
        news["run_by"] = run_by
        with writing(self._engine) as connection:
            return connection.execute(update(groups).where(free).values(news)).rowcount == 1

    def hold(self, id: str, *, runner: str, lease: timedelta, begin: int | None = None) -> bool:
        """Say that the runner lives, and take on the target at ``begin``; False if it may not go on."""
        now = self.now()
        held = and_(_held_by(id, runner), groups.c.lease_until > now)
        with writing(self._engine) as connection:
            if connection.execute(update(groups).where(held).values(lease_until=now + lease)).rowcount != 1:
                return False
            if begin is not None:
                mine = and_(group_items.c.group_id == id, group_items.c.position == begin)
                connection.execute(update(group_items).where(mine).values(begun_at=now))
        return True

    def refuse(self, id: str, position: int, *, code: str, detail: str) -> None:
        """Note why a target's command was not sent."""
        mine = and_(group_items.c.group_id == id, group_items.c.position == position)
        with writing(self._engine) as connection:
            connection.execute(update(group_items).where(mine).values(code=code[:64], detail=storable(detail)))

    def end(self, id: str, state: GroupState, *, runner: str, cause: Cause | None = None) -> None:
        """End the runner's own run, unless it has ended."""
        self._end(_held_by(id, runner), state, cause)

    def stop(self, id: str) -> None:
        """Let nothing more of the group begin, whoever runs it; what is over stays as it is."""
        open_states = [GroupState.PREVIEWED.value, GroupState.RUNNING.value]
        self._end(and_(groups.c.id == id, groups.c.state.in_(open_states)), GroupState.STOPPED, Cause.ASKED)

    def _end(self, where: Any, state: GroupState, cause: Cause | None) -> None:  # noqa: ANN401 # SQLAlchemy's condition
        news = {"state": state.value, "cause": None if cause is None else cause.value, "ended_at": self.now()}
        with writing(self._engine) as connection:
            connection.execute(update(groups).where(where).values(news))

    def _records(self, where: Any, limit: int) -> list[GroupRecord]:  # noqa: ANN401 # SQLAlchemy's condition
        newest = select(groups).where(where).order_by(groups.c.id.desc()).limit(limit)
        with reading(self._engine) as connection:
            rows = connection.execute(newest).all()
            counts = _counts(connection, [row.id for row in rows])
        now = self.now()
        found = [_record(row, counts[row.id], now) for row in rows]
        self._settle([each for each, row in zip(found, rows, strict=True) if _lapsed(each, row)])
        return found

    def _settle(self, lapsed: Sequence[GroupRecord]) -> None:
        """What was told to be interrupted stays so, even if its runner only slept."""
        for each in lapsed:
            run = and_(groups.c.id == each.id, groups.c.state == GroupState.RUNNING.value)
            self._end(and_(run, groups.c.lease_until <= self.now()), GroupState.INTERRUPTED, None)


def _held_by(id: str, runner: str) -> Any:  # noqa: ANN401 # SQLAlchemy's condition
    return and_(groups.c.id == id, groups.c.runner == runner, groups.c.state == GroupState.RUNNING.value)


def _open(connection: Connection, actor: str, now: datetime) -> int:
    waiting = and_(groups.c.state == GroupState.PREVIEWED.value, groups.c.actor == actor, groups.c.expires_at > now)
    return connection.execute(select(func.count()).select_from(groups).where(waiting)).scalar_one()


def _prune(connection: Connection, before: datetime) -> None:
    old = (
        select(groups.c.id)
        .where(groups.c.state == GroupState.PREVIEWED.value, groups.c.created_at < before)
        .order_by(groups.c.created_at)
        .limit(PRUNED)
    )
    ids = list(connection.execute(old).scalars())
    if ids:
        connection.execute(delete(group_items).where(group_items.c.group_id.in_(ids)))
        connection.execute(delete(groups).where(groups.c.id.in_(ids)))


def _counts(connection: Connection, ids: Sequence[str]) -> Mapping[str, Mapping[str, int]]:
    query = (
        select(group_items.c.group_id, _STATE, func.count())
        .select_from(_ITEMS)
        .where(group_items.c.group_id.in_(ids))
        .group_by(group_items.c.group_id, "item_state")
    )
    found: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for id, state, count in connection.execute(query) if ids else ():
        found[id][state] = count
    return found


def _record(row: Row[Any], counts: Mapping[str, int], now: datetime) -> GroupRecord:
    columns = dict(row._mapping)
    lease_until = columns.pop("lease_until")
    del columns["runner"]
    state = state_of(columns["state"], expires_at=row.expires_at, lease_until=lease_until, now=now)
    columns |= {"state": state, "input": json.loads(row.input), "summary": json.loads(row.summary)}
    return GroupRecord(**columns, counts={item_state(each, state): count for each, count in counts.items()})


def _lapsed(record: GroupRecord, row: Row[Any]) -> bool:
    return record.state is GroupState.INTERRUPTED and row.state == GroupState.RUNNING.value


def _item(row: Row[Any], group: GroupState) -> ItemRecord:
    return ItemRecord(
        position=row.position,
        site=row.site,
        device=row.device,
        preview=json.loads(row.preview),
        state=item_state(row.item_state, group),
        command=row.command,
        code=row.ended if row.command is not None else row.code,
        detail=row.why if row.command is not None else row.detail,
    )
