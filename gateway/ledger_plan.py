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
from gateway.protocol.messages import Ack

log = structlog.get_logger(__name__)

#: Who says so, in a time line, when it is neither the requester nor the site.
GATEWAY: Final = "@gateway"
#: Codes of ``unknown`` after which asking again is no use: a person must look. The tables' index says the same.
SETTLED: Final = frozenset({AckCode.NO_EVIDENCE, AckCode.NO_CONFIRMATION, AckCode.JOURNAL_LOST})
_LOST: Final = "no ack by the deadline; it may have taken effect"


class Plan:
    """Rows of ``commands`` as they were read, and the changes that follow."""

    def __init__(self, rows: Sequence[Head], now: datetime) -> None:
        self._rows = {row.id: row for row in rows}
        self._states = {row.id: State(row.state) for row in rows}
        self._codes = {row.id: row.code for row in rows}
        self._now = now
        self.advances: list[Columns] = []
        self.steps: list[Columns] = []
        #: Answers by which a command has come to its end.
        self.ends: list[Answer] = []
        self._answered: set[str] = set()

    @property
    def held(self) -> frozenset[str]:
        """Ids answered by those who may, whose command is in a final state now."""
        return frozenset(each for each in self._answered if self._states[each].final)

    def moved(self) -> Sequence[tuple[str, str]]:
        """Ids and sites of what advances."""
        return [(each["b_id"], self._rows[each["b_id"]].site) for each in self.advances]

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
        if way or self._knows_more(ack):
            self._take(answer, way)

    def _take(self, answer: Answer, way: Sequence[State]) -> None:
        ack = answer.ack
        if ack.state.final:
            self.ends.append(answer)
        detail = ack.detail or None
        evidence = None if ack.evidence is None else ack.evidence.value
        result = compact(ack.result) if ack.result else None
        self._advance(
            ack.id, ack.state, code=ack.code, detail=detail, result=result, epoch=ack.epoch, evidence=evidence
        )
        self._enter_trail(answer, way[:-1])
        self._enter(ack.id, ack.state, at=ack.at, source=answer.site, code=ack.code, detail=detail, evidence=evidence)

    def _knows_more(self, ack: Ack) -> bool:
        """Whether an ack that leaves a command ``unknown`` says better why."""
        return ack.state is State.UNKNOWN and _certainty(ack.code) > _certainty(self._codes[ack.id])

    def _enter_trail(self, answer: Answer, implied: Sequence[State]) -> None:
        """What the agent did, and the states that follow from its last one though it did not say them."""
        ack = answer.ack
        told = {mark.deed.value: mark.at for mark in reversed(ack.trail)}
        # The ack of a state is that state's own step.
        deeds = {state.value: ack.at for state in implied} | told
        deeds.pop(ack.state.value, None)
        for deed, at in deeds.items():
            self._enter(ack.id, deed, at=at, source=answer.site)

    def _advance(
        self,
        command_id: str,
        after: State,
        *,
        code: str,
        detail: str | None,
        result: str | None = None,
        epoch: int | None = None,
        evidence: str | None = None,
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
                "b_evidence": evidence,
                "b_updated_at": microseconds(self._now),
            }
        )
        self._states[command_id] = after
        self._codes[command_id] = code

    def _enter(
        self,
        command_id: str,
        what: str,
        *,
        at: datetime,
        source: str,
        code: str | None = None,
        detail: str | None = None,
        evidence: str | None = None,
    ) -> None:
        self.steps.append(
            step_row(command_id, what, at=at, now=self._now, source=source, code=code, detail=detail, evidence=evidence)
        )


def _certainty(code: str | None) -> int:
    return 2 if code in SETTLED else 0 if code == AckCode.NO_ANSWER else 1
