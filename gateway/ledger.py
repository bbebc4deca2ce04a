"""The ledger: every command, whoever asked, and what became of it (I6, I7, I14).

Facade and recorder write it at the same time. States move by compare-and-set along the lifecycle table, so that
whichever comes second changes nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, Row, select

from gateway.audit_chain import Kind
from gateway.changes import Kind as ChangeKind
from gateway.changes import Thing
from gateway.crash import point
from gateway.database.engine import reading, writing
from gateway.database.tables import among, command_steps, commands, microseconds, storable, within
from gateway.ledger_plan import Plan
from gateway.ledger_rows import (
    Answer,
    Asked,
    CommandRecord,
    Published,
    Recorded,
    Step,
    answered_entry,
    asked_entry,
    record_of,
    row_of_answer,
    row_of_asked,
    step_of,
    step_row,
)
from gateway.ledger_sql import OVERDUE, Head, Statements
from gateway.place import Place, behind, newest_first
from gateway.protocol.lifecycle import State
from gateway.trail import Trail, TrailWriter

__all__ = ["Answer", "Asked", "CommandRecord", "Ledger", "Recorded", "Step"]


def utc_now() -> datetime:
    """The server's wall clock."""
    return datetime.now(UTC)


class Ledger:
    """Commands in the database; every method is one transaction and safe from any thread or process."""

    def __init__(self, engine: Engine, *, now: Callable[[], datetime] = utc_now) -> None:
        self.engine = engine
        self._now = now
        self._sql = Statements(engine.dialect.name)
        self._trails = TrailWriter(engine.dialect.name)

    def record(self, asked: Sequence[Asked]) -> Sequence[Recorded]:
        """Write down commands as ``pending``; those whose id is there already stay as they are.

        Of several commands of one actor with one key, in this call or any other, the first is the only one.

        Returns:
            What became of each, in their order.

        Raises:
            Unavailable: nothing was committed, so nothing may be published.
        """
        if not asked:
            return ()
        with writing(self.engine) as connection:
            trail = Trail()
            recorded = self.record_in(connection, asked, trail)
            self.close_in(connection, trail)
            return recorded

    def settle(self, answers: Sequence[Answer]) -> frozenset[str]:
        """Write down what the agents say became of commands; what the ledger knows already costs only a read.

        An ack from another site or to another requester than the row's is ignored. An id without a row gets one,
        made from the ack: that is how commands of technicians arrive that nobody saw.

        Returns:
            The ids of these answers whose command the ledger now holds in a final state.

        Raises:
            Unavailable: nothing was committed.
        """
        if not answers:
            return frozenset()
        with reading(self.engine) as connection:
            rows = self._sql.heads(connection, _ids(answers), lock=False)
            plan = Plan(rows, self._now())
            if not plan.missing(answers):
                plan.follow(answers)
                if not plan.advances:
                    return plan.held
        with writing(self.engine) as connection:
            trail = Trail()
            held = self.settle_in(connection, answers, trail)
            self.close_in(connection, trail)
            point("gateway-before-commit")
            return held

    def close_in(self, connection: Connection, trail: Trail) -> None:
        """Write what was noted, as the last thing that a transaction does."""
        self._trails.close(connection, trail)

    def record_in(self, connection: Connection, asked: Sequence[Asked], trail: Trail) -> Sequence[Recorded]:
        """As :meth:`record`, inside a transaction of :func:`gateway.database.engine.writing`; see :meth:`close_in`."""
        now = self._now()
        keyed = [each for each in asked if each.key is not None]
        # Two processes that insert the same keys wait for each other in one order; of equal keys the first stays so.
        ordered = sorted(asked, key=lambda each: (each.actor or "", each.key or "")) if keyed else asked
        self._sql.add(connection, [row_of_asked(each, now) for each in ordered])
        taken = self._taken(connection, keyed) if keyed else {}
        fresh = [each for each in asked if each.id not in taken]
        for each in fresh:
            trail.entries.append(asked_entry(each, now))
            trail.things.append(Thing(ChangeKind.COMMAND, each.site, each.id))
        self._sql.add_steps(
            connection,
            [step_row(each.id, State.PENDING, at=each.issued_at, now=now, source=each.requester) for each in fresh],
        )
        self.publish_in(
            connection,
            [
                Published(id=each.id, at=each.published_at, requester=each.requester)
                for each in fresh
                if each.published_at is not None
            ],
        )
        return [taken.get(each.id) or Recorded(id=each.id, fresh=True, fingerprint=each.fingerprint) for each in asked]

    def _taken(self, connection: Connection, keyed: Sequence[Asked]) -> dict[str, Recorded]:
        """Those commands that got no row since another has the key -> that other."""
        ids = sorted({each.id for each in keyed})
        there = {head.id for head in self._sql.heads(connection, ids, lock=False)}
        taken = {}
        for each in keyed:
            if each.id not in there:
                holder, fingerprint = self._sql.holder(connection, storable(each.actor), storable(each.key))
                taken[each.id] = Recorded(id=holder, fresh=False, fingerprint=fingerprint)
        return taken

    def publish_in(self, connection: Connection, published: Sequence[Published]) -> None:
        """Note when commands were handed to the broker, inside a transaction; those without a row are left out."""
        if not published:
            return
        recorded_at = microseconds(self._now())
        rows = [
            {"id": each.id, "at": microseconds(each.at), "recorded_at": recorded_at, "requester": each.requester}
            for each in published
        ]
        self._sql.add_published(connection, rows)

    def settle_in(self, connection: Connection, answers: Sequence[Answer], trail: Trail) -> frozenset[str]:
        """As :meth:`settle`, inside a transaction of :func:`gateway.database.engine.writing`; see :meth:`close_in`."""
        now = self._now()
        rows = self._sql.heads(connection, _ids(answers), lock=True)
        plan = Plan(rows, now)
        missing = plan.missing(answers)
        if missing:
            # Another process may be inserting the same ids: what counts is what is there afterwards.
            self._sql.add(connection, [row_of_answer(each, now) for each in missing])
            rows = self._sql.heads(connection, _ids(answers), lock=True)
            plan = Plan(rows, now)
        plan.follow(answers)
        self._write(connection, plan, trail)
        for kind, told in ((Kind.ASKED, missing), (Kind.ENDED, plan.ends)):
            for each in told:
                trail.entries.append(answered_entry(each, now, kind))
        return plan.held

    def get(self, command_id: str) -> CommandRecord | None:
        """One command with its time line.

        Raises:
            Unavailable: the database does not answer.
        """
        with reading(self.engine) as connection:
            rows = connection.execute(select(commands).where(commands.c.id == command_id)).all()
            found = _with_steps(connection, rows)
        return found[0] if found else None

    def by_key(self, actor: str, key: str) -> CommandRecord | None:
        """The command for which this actor used this key, with its time line.

        Raises:
            Unavailable: the database does not answer.
        """
        query = select(commands).where(commands.c.actor == storable(actor), commands.c.key == storable(key))
        with reading(self.engine) as connection:
            found = _with_steps(connection, connection.execute(query).all())
        return found[0] if found else None

    def page(
        self,
        *,
        site: str | None,
        state: State | None,
        limit: int,
        before: Place | None,
        device: str | None = None,
        name: str | None = None,
        actor: str | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
        sites: frozenset[str] | None = None,
    ) -> tuple[Sequence[CommandRecord], Place | None]:
        """Commands, those recorded last first; and the ``before`` of the next page, None at the end.

        Raises:
            Unavailable: the database does not answer.
        """
        order = commands.c.created_at, commands.c.id
        query = select(commands).order_by(*newest_first(*order)).limit(limit + 1)
        wanted = {"site": site, "device": device, "name": name, "actor": storable(actor)}
        wanted["state"] = None if state is None else state.value
        query = query.where(*[commands.c[column] == value for column, value in wanted.items() if value is not None])
        query = query.where(*behind(*order, before))
        query = query.where(*within(commands.c.created_at, start, end), *among(commands.c.site, sites))
        with reading(self.engine) as connection:
            rows = connection.execute(query).all()
            found = _with_steps(connection, rows[:limit])
        return found, Place(found[-1].created_at, found[-1].id) if len(rows) > limit else None

    def overdue(self, now: datetime, grace_s: float) -> int:
        """Make ``unknown`` of what has had no answer by its deadline plus grace (I7); returns how many.

        Raises:
            Unavailable: the database does not answer; ask again later.
        """
        cutoff, count = {"cutoff": now - timedelta(seconds=grace_s)}, 0
        while True:
            with reading(self.engine) as connection:
                if not connection.execute(OVERDUE, cutoff).all():
                    return count
            with writing(self.engine) as connection:
                late = connection.execute(OVERDUE.with_for_update(), cutoff)
                plan = Plan([Head(*row) for row in late], self._now())
                plan.give_up()
                trail = Trail()
                self._write(connection, plan, trail)
                self.close_in(connection, trail)
                count += len(plan.advances)

    def _write(self, connection: Connection, plan: Plan, trail: Trail) -> None:
        if plan.advances:
            trail.things += [Thing(ChangeKind.COMMAND, site, id) for id, site in plan.moved()]
            self._sql.advance(connection, plan.advances)
            self._sql.add_steps(connection, plan.steps)


def _ids(answers: Sequence[Answer]) -> list[str]:
    return sorted({each.ack.id for each in answers})


def _with_steps(connection: Connection, rows: Sequence[Row[Any]]) -> list[CommandRecord]:
    if not rows:
        return []
    steps: defaultdict[str, list[Step]] = defaultdict(list)
    wanted = command_steps.c.command_id.in_([row.id for row in rows])
    for each in connection.execute(select(command_steps).where(wanted)):
        steps[each.command_id].append(step_of(each))
    return [record_of(row, steps[row.id]) for row in rows]
