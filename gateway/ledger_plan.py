"""What some acks change in some commands: worked out without touching the database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import structlog

from gateway.database.tables import microseconds, storable
from gateway.ledger_rows import Answer, Columns, compact, step_row
from gateway.ledger_sql import Head
from gateway.protocol.codes import AckCode
from gateway.protocol.errors import IllegalStep
from gateway.protocol.lifecycle import State, path

log = structlog.get_logger(__name__)

#: Who says so, in a time line, when it is neither the requester nor the site.
GATEWAY: Final = "@gateway"
_LOST: Final = "no ack by the deadline; it may have taken effect"


class Plan:
    """Rows of ``commands`` as they were read, and the changes that follow."""

    def __init__(self, rows: Sequence[Head], now: datetime) -> None:
        self._rows = {row.id: row for row in rows}
        self._states = {row.id: State(row.state) for row in rows}
        self._now = now
        self.advances: list[Columns] = []
        self.steps: list[Columns] = []
        self._answered: set[str] = set()

    @property
    def held(self) -> frozenset[str]:
        """Ids answered by those who may, whose command is in a final state now."""
        return frozenset(each for each in self._answered if self._states[each].final)

    def missing(self, answers: Sequence[Answer]) -> list[Answer]:
        """The first answer of each id that has no row."""
        first: dict[str, Answer] = {}
        for each in answers:
            if each.ack.id not in self._rows:
                first.setdefault(each.ack.id, each)
        return list(first.values())

    def follow(self, answers: Sequence[Answer]) -> None:
        """Take the answers in their order; each needs a row."""
        for each in answers:
            self._follow(each)

    def give_up(self) -> None:
        """Make ``unknown`` of all these rows."""
        for command_id in self._rows:
            self._advance(command_id, State.UNKNOWN, code=AckCode.NO_ANSWER.value, detail=_LOST)
            self._enter(
                command_id, State.UNKNOWN, at=self._now, source=GATEWAY, code=AckCode.NO_ANSWER.value, detail=_LOST
            )

    def _follow(self, answer: Answer) -> None:
        ack = answer.ack
        row = self._rows[ack.id]
        if (row.site, row.requester) != (answer.site, answer.requester):
            log.warning("foreign-ack-ignored", command=ack.id, site=answer.site, requester=answer.requester)
            return
        self._answered.add(ack.id)
        before = self._states[ack.id]
        try:
            way = path(before, ack.state)
        except IllegalStep:
            if before.final and ack.state.final:
                log.error("contradicting-ack-ignored", command=ack.id, ledger=before.value, ack=ack.state.value)
            return
        if way:
            self._advance(
                ack.id,
                ack.state,
                code=ack.code,
                detail=ack.detail or None,
                result=compact(ack.result) if ack.result else None,
                epoch=ack.epoch,
            )
        for state in way[:-1]:  # follows from the last one; the agent did not say it
            self._enter(ack.id, state, at=ack.at, source=answer.site)
        for state in way[-1:]:
            self._enter(ack.id, state, at=ack.at, source=answer.site, code=ack.code, detail=ack.detail or None)

    def _advance(
        self,
        command_id: str,
        after: State,
        *,
        code: str,
        detail: str | None,
        result: str | None = None,
        epoch: int | None = None,
    ) -> None:
        self.advances.append(
            {
                "b_id": command_id,
                "b_before": self._states[command_id].value,
                "b_state": after.value,
                "b_code": code,
                "b_detail": storable(detail),
                "b_result": result,
                "b_epoch": epoch,
                "b_updated_at": microseconds(self._now),
            }
        )
        self._states[command_id] = after

    def _enter(
        self,
        command_id: str,
        state: State,
        *,
        at: datetime,
        source: str,
        code: str | None = None,
        detail: str | None = None,
    ) -> None:
        self.steps.append(step_row(command_id, state, at=at, now=self._now, source=source, code=code, detail=detail))
