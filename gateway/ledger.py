"""The ledger: every command, whoever asked, and what became of it (I6, I7, I14).

Facade and recorder write it at the same time. States move by compare-and-set along the lifecycle table, so that
whichever comes second changes nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Engine, Row, select

from gateway.database.engine import reading, writing
from gateway.database.tables import command_steps, commands
from gateway.ledger_plan import Plan
from gateway.ledger_rows import (
    Answer,
    Asked,
    CommandRecord,
    Step,
    record_of,
    row_of_answer,
    row_of_asked,
    step_of,
    step_row,
)
from gateway.ledger_sql import OVERDUE, Head, Statements
from gateway.protocol.lifecycle import State

__all__ = ["Answer", "Asked", "CommandRecord", "Ledger", "Step"]


_RANKS: Final = {state: 3 if state.final else 0 for state in State} | {State.ACCEPTED: 1, State.UNKNOWN: 2}


def utc_now() -> datetime:
    """The server's wall clock."""
    return datetime.now(UTC)


class Ledger:
    """Commands in the database; every method is one transaction and safe from any thread or process."""

    def __init__(self, engine: Engine, *, now: Callable[[], datetime] = utc_now) -> None:
        self.engine = engine
        self._now = now
        self._sql = Statements(engine.dialect.name)

    def record(self, asked: Sequence[Asked]) -> None:
        """Write down commands as ``pending``; those whose id is there already stay as they are.

        Raises:
            Unavailable: nothing was committed, so nothing may be published.
        """
        if asked:
            with writing(self.engine) as connection:
                self.record_in(connection, asked)

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
            return self.settle_in(connection, answers)

    def record_in(self, connection: Connection, asked: Sequence[Asked]) -> None:
        """As :meth:`record`, inside a transaction of :func:`gateway.database.engine.writing`."""
        now = self._now()
        self._sql.add(connection, [row_of_asked(each, now) for each in asked])
        self._sql.add_steps(
            connection,
            [step_row(each.id, State.PENDING, at=each.issued_at, now=now, source=each.requester) for each in asked],
        )

    def settle_in(self, connection: Connection, answers: Sequence[Answer]) -> frozenset[str]:
        """As :meth:`settle`, inside a transaction of :func:`gateway.database.engine.writing`."""
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
        self._write(connection, plan)
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

    def page(
        self, *, site: str | None, state: State | None, limit: int, before: str | None
    ) -> tuple[Sequence[CommandRecord], str | None]:
        """Commands by id, which is newest first; and the ``before`` of the next page, None at the end.

        Raises:
            Unavailable: the database does not answer.
        """
        query = select(commands).order_by(commands.c.id.desc()).limit(limit + 1)
        if site is not None:
            query = query.where(commands.c.site == site)
        if state is not None:
            query = query.where(commands.c.state == state.value)
        if before is not None:
            query = query.where(commands.c.id < before)
        with reading(self.engine) as connection:
            rows = connection.execute(query).all()
            found = _with_steps(connection, rows[:limit])
        return found, found[-1].id if len(rows) > limit else None

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
                self._write(connection, plan)
                count += len(plan.advances)

    def _write(self, connection: Connection, plan: Plan) -> None:
        if plan.advances:
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
    return [record_of(row, tuple(sorted(steps[row.id], key=_order))) for row in rows]


def _order(step: Step) -> tuple[datetime, int, datetime]:
    # Several steps may be recorded in one transaction; then the lifecycle knows which came first.
    return step.recorded_at, _RANKS[step.state], step.at
