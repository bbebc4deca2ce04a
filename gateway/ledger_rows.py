"""The ledger's values and how they lie in the tables."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Row

from gateway.audit_chain import Entry, Kind
from gateway.database.tables import microseconds, storable
from gateway.protocol.deadline import UNANCHORED_TTL_S
from gateway.protocol.lifecycle import FINAL, State
from gateway.protocol.messages import Ack, Deed, Value

#: Columns of a row; the values are what the driver takes, so times are microseconds already.
Columns = dict[str, Any]
#: In a time line: the broker was handed the command.
PUBLISHED: Final = "published"
#: What can stand in a time line, as one follows from the other; each stands there once.
_RANKS: Final = {
    what: rank
    for rank, what in enumerate(
        (State.PENDING, PUBLISHED, Deed.ACCEPTED, Deed.WRITTEN, Deed.VERIFIED, State.UNKNOWN, *sorted(FINAL))
    )
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A command as it was asked for; ``ttl_s`` counts from ``issued_at``.

    ``asked_epoch`` is the site's epoch when it was asked: an agent whose journal does not cover it cannot know the
    command. ``key`` is the caller's Idempotency-Key, ``fingerprint`` a hash of all that the key stands for; a key is
    the actor's own. ``published_at`` is for a command that was on its way before it was recorded.
    """

    id: str
    site: str
    device: str
    name: str
    requester: str
    actor: str | None
    reason: str | None
    input: Mapping[str, Value]
    expect_revision: str | None
    issued_at: datetime
    ttl_s: float
    source_address: str | None
    asked_epoch: int | None = None
    key: str | None = None
    fingerprint: str | None = None
    published_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What became of an :class:`Asked`.

    Not ``fresh``: its actor used its key before, so no row was made, and ``id`` and ``fingerprint`` are those of the
    command that has the key.
    """

    id: str
    fresh: bool
    fingerprint: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """The broker was handed a command; with ``requester``, only a row of that requester is meant."""

    id: str
    at: datetime
    requester: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An ack with what its topic proves: which site sent it, and to whom."""

    site: str
    requester: str
    ack: Ack


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One entry of a time line, a state or a deed; ``at`` is by the clock of ``source``, ``recorded_at`` by ours."""

    what: str
    at: datetime
    recorded_at: datetime
    source: str
    code: str | None
    detail: str | None
    evidence: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandRecord:
    """All that the ledger knows of a command. ``issued_at`` and ``ttl_s`` are absent if only its ack was seen."""

    id: str
    site: str
    device: str
    name: str
    requester: str
    actor: str | None
    reason: str | None
    input: Mapping[str, Value]
    expect_revision: str | None
    issued_at: datetime | None
    ttl_s: float | None
    deadline_at: datetime
    source_address: str | None
    state: State
    code: str | None
    detail: str | None
    result: Mapping[str, Value | None] | None
    epoch: int | None
    created_at: datetime
    updated_at: datetime
    steps: tuple[Step, ...]
    asked_epoch: int | None = None
    key: str | None = None
    fingerprint: str | None = None
    evidence: str | None = None


def compact(value: Mapping[str, Any]) -> str:
    """JSON without spaces."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def row_of_asked(asked: Asked, now: datetime) -> Columns:
    """A new row, ``pending``."""
    return {
        "id": asked.id,
        "site": asked.site,
        "device": asked.device,
        "name": asked.name,
        "requester": asked.requester,
        "actor": storable(asked.actor),
        "reason": storable(asked.reason),
        "input": compact(asked.input),
        "expect_revision": asked.expect_revision,
        "issued_at": microseconds(asked.issued_at),
        "ttl_s": asked.ttl_s,
        "deadline_at": microseconds(asked.issued_at + timedelta(seconds=asked.ttl_s)),
        "source_address": asked.source_address,
        "state": State.PENDING.value,
        "created_at": microseconds(now),
        "updated_at": microseconds(now),
        "asked_epoch": asked.asked_epoch,
        "key": storable(asked.key),
        "fingerprint": asked.fingerprint,
    }


def row_of_answer(answer: Answer, now: datetime) -> Columns:
    """A row for a command of which only the ack was seen; it cannot wait for longer than an unanchored one may."""
    ack = answer.ack
    return {
        "id": ack.id,
        "site": answer.site,
        "device": ack.device,
        "name": ack.name,
        "requester": answer.requester,
        "actor": storable(ack.actor),
        "reason": None,
        "input": compact(ack.input),
        "expect_revision": None,
        "issued_at": None,
        "ttl_s": None,
        "deadline_at": microseconds(now + timedelta(seconds=UNANCHORED_TTL_S)),
        "source_address": None,
        "state": State.PENDING.value,
        "created_at": microseconds(now),
        "updated_at": microseconds(now),
        # The journal that answered in this epoch knows the command; one that begins later cannot.
        "asked_epoch": ack.epoch,
        "key": None,
        "fingerprint": None,
    }


def asked_entry(asked: Asked, now: datetime) -> Entry:
    """The audit's row of a command that is recorded."""
    return Entry(
        at_us=microseconds(now),
        kind=Kind.ASKED,
        site=asked.site,
        device=asked.device,
        name=asked.name,
        command=asked.id,
        principal=asked.requester,
        actor=storable(asked.actor),
        source_address=asked.source_address,
        input=storable(compact(asked.input)),
    )


def answered_entry(answer: Answer, now: datetime, kind: Kind) -> Entry:
    """The audit's row of a command of which an ack tells: that it was asked for, or its end."""
    ack, ended = answer.ack, kind is Kind.ENDED
    return Entry(
        at_us=microseconds(now),
        kind=kind,
        site=answer.site,
        device=ack.device,
        name=ack.name,
        command=ack.id,
        principal=answer.requester,
        actor=storable(ack.actor),
        input=storable(compact(ack.input)),
        state=ack.state.value if ended else None,
        code=ack.code if ended else None,
        detail=storable(ack.detail) or None if ended else None,
        result=storable(compact(ack.result)) if ended and ack.result else None,
    )


def step_row(
    command_id: str,
    what: str,
    *,
    at: datetime,
    now: datetime,
    source: str,
    code: str | None = None,
    detail: str | None = None,
    evidence: str | None = None,
) -> Columns:
    """A row of the time line; ``what`` may be a state or a deed."""
    return {
        "command_id": command_id,
        "what": str(what),
        "at": microseconds(at),
        "recorded_at": microseconds(now),
        "source": source,
        "code": code,
        "detail": storable(detail),
        "evidence": evidence,
    }


def record_of(row: Row[Any], steps: Iterable[Step]) -> CommandRecord:
    """A row of ``commands`` with its time line, in the order of what follows from what.

    Not in that of the times: we may learn late of what an agent did early, and its clock is not ours.
    """
    columns = dict(row._mapping)  # SQLAlchemy's documented name for the row as a mapping
    columns["input"] = json.loads(columns["input"])
    columns["result"] = None if columns["result"] is None else json.loads(columns["result"])
    columns["state"] = State(columns["state"])
    return CommandRecord(**columns, steps=tuple(sorted(steps, key=lambda step: _RANKS[step.what])))


def step_of(row: Row[Any]) -> Step:
    """A row of ``command_steps``."""
    return Step(
        what=row.what,
        at=row.at,
        recorded_at=row.recorded_at,
        source=row.source,
        code=row.code,
        detail=row.detail,
        evidence=row.evidence,
    )
