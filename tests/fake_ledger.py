"""The ledger's ports without a database: scripted by a test, honest about their contract."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from gateway.audit_chain import Entry
from gateway.ledger import Answer, Asked, CommandRecord, Recorded, Step
from gateway.ledger_rows import PUBLISHED
from gateway.place import Place
from gateway.protocol.errors import TidegateError
from gateway.protocol.lifecycle import State

ME = "@facade"
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def done(error: Exception | None = None) -> Future[None]:
    """A future that is over."""
    future: Future[None] = Future()
    if error is None:
        future.set_result(None)
    else:
        future.set_exception(error)
    return future


@dataclass
class FakeLedger:
    """Both sides of the ledger; commits at once, or fails as told."""

    records: dict[str, CommandRecord] = field(default_factory=dict)
    answers: list[Answer] = field(default_factory=list)
    refusals: list[Entry] = field(default_factory=list)
    record_error: TidegateError | None = None
    refuse_record: TidegateError | None = None
    settle_error: TidegateError | None = None
    read_error: TidegateError | None = None
    get_error: TidegateError | None = None
    stuck: bool = False
    #: False: another facade records the same key between our look and our row.
    keys_seen: bool = True
    #: Runs at every commit of a row: what has happened so far?
    on_record: Callable[[Asked], None] = lambda _: None
    _one_by_one: threading.Lock = field(default_factory=threading.Lock)

    def record(self, asked: Asked) -> Future[Recorded]:
        """As LedgerWriter."""
        if self.refuse_record is not None:
            raise self.refuse_record
        future: Future[Recorded] = Future()
        if self.record_error is not None:
            future.set_exception(self.record_error)
        elif not self.stuck:
            future.set_result(self._take(asked))
        return future

    def _take(self, asked: Asked) -> Recorded:
        with self._one_by_one:
            first = None if asked.key is None else self._by_key(asked.actor, asked.key)
            if first is not None:
                return Recorded(id=first.id, fresh=False, fingerprint=first.fingerprint)
            self.records[asked.id] = _record(asked)
        self.on_record(asked)
        return Recorded(id=asked.id, fresh=True, fingerprint=asked.fingerprint)

    def settle(self, answer: Answer) -> Future[None]:
        """As LedgerWriter."""
        if self.settle_error is not None:
            return done(self.settle_error)
        self.answers.append(answer)
        ack, record = answer.ack, self.records.get(answer.ack.id)
        if record is not None:
            news = {name: getattr(ack, name) for name in ("state", "code", "detail", "result", "epoch", "evidence")}
            self.records[ack.id] = replace(record, **news)
        return done()

    def published(self, id: str, at: datetime) -> Future[None]:
        """As LedgerWriter."""
        record = self.records.get(id)
        if record is not None:
            step = Step(what=PUBLISHED, at=at, recorded_at=NOW, source=ME, code=None, detail=None)
            self.records[id] = replace(record, steps=(*record.steps, step))
        return done()

    def audited(self, entry: Entry) -> Future[None]:
        """As LedgerWriter."""
        if self.settle_error is not None:
            return done(self.settle_error)
        self.refusals.append(entry)
        return done()

    def by_key(self, actor: str, key: str) -> CommandRecord | None:
        """As Ledger."""
        if self.read_error is not None:
            raise self.read_error
        return self._by_key(actor, key) if self.keys_seen else None

    def _by_key(self, actor: str | None, key: str) -> CommandRecord | None:
        return next((each for each in list(self.records.values()) if (each.actor, each.key) == (actor, key)), None)

    def get(self, command_id: str) -> CommandRecord | None:
        """As Ledger."""
        error = self.get_error or self.read_error
        if error is not None:
            raise error
        return self.records.get(command_id)

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
        """As Ledger."""
        if self.read_error is not None:
            raise self.read_error
        wanted = {"site": site, "device": device, "name": name, "actor": actor, "state": state}
        asked = {name: value for name, value in wanted.items() if value is not None}
        found = [each for each in self.records.values() if all(getattr(each, k) == v for k, v in asked.items())]
        found = [each for each in found if sites is None or each.site in sites]
        found = [each for each in found if start is None or each.created_at >= start]
        found = [each for each in found if end is None or each.created_at < end]
        found = [each for each in sorted(found, key=_place, reverse=True) if before is None or _place(each) < before]
        return found[:limit], _place(found[limit - 1]) if len(found) > limit else None


def _place(record: CommandRecord) -> Place:
    return Place(record.created_at, record.id)


def _record(asked: Asked) -> CommandRecord:
    step = Step(what=State.PENDING, at=asked.issued_at, recorded_at=NOW, source=ME, code=None, detail=None)
    return CommandRecord(
        id=asked.id,
        site=asked.site,
        device=asked.device,
        name=asked.name,
        requester=asked.requester,
        actor=asked.actor,
        reason=None,
        input=asked.input,
        expect_revision=asked.expect_revision,
        issued_at=asked.issued_at,
        ttl_s=asked.ttl_s,
        deadline_at=asked.issued_at + timedelta(seconds=asked.ttl_s),
        source_address=asked.source_address,
        state=State.PENDING,
        code=None,
        detail=None,
        result=None,
        epoch=None,
        created_at=NOW,
        updated_at=NOW,
        asked_epoch=asked.asked_epoch,
        key=asked.key,
        fingerprint=asked.fingerprint,
        steps=(step,),
    )
