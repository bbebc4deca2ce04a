"""Command groups: preview, run once with the preview's token, stop, look."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Protocol

from gateway.protocol.ids import is_command_id
from http_facade.audit_notes import AuditNotes
from http_facade.dispatch import Request
from http_facade.groups.asked import GroupAsked
from http_facade.groups.preview import Checker, Reports, preview
from http_facade.groups.refusals import NotYourGroup, SecondPersonNeeded, TokenExpired, TokenUsed, TokenWrong
from http_facade.groups.rows import GroupRecord, GroupState, ItemRecord, key_of
from http_facade.groups.run import GRACE_S, LEASE, Order, Reader, Run, Sender
from http_facade.groups.store import GroupStore
from http_facade.minting import CommandIds
from http_facade.refusals import NotFound, Overloaded

#: Groups that one facade runs at once.
MOST_RUNNING: Final = 4
#: How long a preview may be acted on.
GOOD_FOR: Final = timedelta(minutes=5)
#: For the runs' own last words when the process stops.
CLOSE_S: Final = 1.0
_TOKEN_BYTES: Final = 32


class Commander(Checker, Sender, Protocol):
    """Checks and sends commands; :class:`http_facade.dispatch.Dispatch`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Previewed:
    """A new group; its ``token`` is not told again."""

    group: GroupRecord
    items: Sequence[ItemRecord]
    token: str


class Groups:
    """All groups, and the runs of this process; safe from any thread. Every method may raise Unavailable.

    Groups of ``second_person_from`` targets and more are run by another actor than who previewed them; 0: none are.
    """

    def __init__(
        self,
        *,
        store: GroupStore,
        commander: Commander,
        reports: Reports,
        ledger: Reader,
        audit: AuditNotes,
        second_person_from: int = 0,
    ) -> None:
        self._store = store
        self._second_person_from = second_person_from
        self._audit = audit
        self._commander = commander
        self._reports = reports
        self._ledger = ledger
        self._ids = CommandIds()
        self._runner = secrets.token_hex(8)
        self._runs: dict[str, Run | None] = {}
        self._closed = False
        self._changing = threading.Lock()

    def preview(self, asked: GroupAsked, *, actor: str, address: str | None) -> Previewed:
        """Look at what would happen, and keep it; publishes nothing and asks for nothing.

        Raises:
            GateUnavailable, BrokerUnavailable: nobody can tell now.
            TooManyPreviews: the actor has as many open ones as anybody may have.
        """
        now = self._store.now()
        found = preview(asked, checker=self._commander, reports=self._reports, actor=actor, address=address, now=now)
        id, token = self._ids.next(), secrets.token_urlsafe(_TOKEN_BYTES)
        columns = {
            "id": id,
            "actor": actor,
            "name": asked.name,
            "input": dict(asked.values),
            "rate_per_s": asked.rate_per_s,
            "stop_share": asked.stop_share,
            "ttl_s": asked.ttl_s,
            "token_hash": _hash(token),
            "summary": found.summary,
            "expires_at": now + GOOD_FOR,
        }
        self._store.add(columns, found.items)
        group = self.get(id)
        return Previewed(group=group, items=self._store.items(group), token=token)

    def run(self, id: str, token: str, *, actor: str, address: str | None) -> GroupRecord:
        """Begin to run the group; of all calls with its token, one.

        Raises:
            NotFound, NotYourGroup, SecondPersonNeeded, TokenWrong, TokenUsed, TokenExpired, Overloaded: this call
                began nothing.
        """
        group = self.get(id)
        self._check_person(group, actor)
        if not hmac.compare_digest(_hash(token), group.token_hash):
            raise TokenWrong
        _raise_if_over(group)
        items = self._store.items(group)
        self._reserve(id)
        try:
            self._use_up(id, actor)
            self._begin(group, items, address)
        except BaseException:
            self._release(id)
            raise
        return self.get(id)

    def stop(self, id: str) -> GroupRecord:
        """Let nothing more of it begin, whoever runs it; raises NotFound."""
        self.get(id)
        self._store.stop(id)
        return self.get(id)

    def get(self, id: str) -> GroupRecord:
        """One group; raises NotFound."""
        found = self._store.get(id) if is_command_id(id) else None
        if found is None:
            raise NotFound("group", id)
        return found

    def items(self, group: GroupRecord) -> Sequence[ItemRecord]:
        """Its targets, and what became of them."""
        return self._store.items(group)

    def page(self, *, limit: int, before: str | None) -> tuple[Sequence[GroupRecord], str | None]:
        """Groups, newest first, and the next page's cursor."""
        return self._store.page(limit=limit, before=before)

    def close(self) -> None:
        """Begin nothing more, and let the runs say that they are interrupted; at most a second."""
        with self._changing:
            self._closed = True
            runs = [run for run in self._runs.values() if run is not None]
        for run in runs:
            run.close()
        for run in runs:
            run.join(CLOSE_S / len(runs))

    def _check_person(self, group: GroupRecord, actor: str) -> None:
        two = 0 < self._second_person_from <= group.targets
        if two and group.actor == actor:
            raise SecondPersonNeeded(group.targets, self._second_person_from)
        if not two and group.actor != actor:
            raise NotYourGroup

    def _use_up(self, id: str, actor: str) -> None:
        if not self._store.start(id, runner=self._runner, lease=LEASE, run_by=actor):
            _raise_if_over(self.get(id))
            raise TokenExpired  # by a hair

    def _begin(self, group: GroupRecord, items: Sequence[ItemRecord], address: str | None) -> None:
        order = Order(
            group=group.id,
            runner=self._runner,
            requests=[_request(group, item, address) for item in items],
            rate_per_s=group.rate_per_s,
            stop_share=group.stop_share,
        )
        run = Run(
            order,
            store=self._store,
            sender=self._commander,
            ledger=self._ledger,
            audit=self._audit,
            over=lambda: self._release(group.id),
        )
        with self._changing:
            self._runs[group.id] = run
            if self._closed:
                run.close()
        run.start()

    def _reserve(self, id: str) -> None:
        with self._changing:
            if self._closed:
                raise Overloaded("this facade stops; ask again")
            if id in self._runs:
                raise TokenUsed(GroupState.RUNNING)
            if len(self._runs) >= MOST_RUNNING:
                raise Overloaded(f"{MOST_RUNNING} groups run here already; ask again when one of them is over")
            self._runs[id] = None

    def _release(self, id: str) -> None:
        with self._changing:
            self._runs.pop(id, None)


def _raise_if_over(group: GroupRecord) -> None:
    if group.state is GroupState.EXPIRED:
        raise TokenExpired
    if group.state is not GroupState.PREVIEWED:
        raise TokenUsed(group.state)


def _request(group: GroupRecord, item: ItemRecord, address: str | None) -> Request:
    return Request(
        site=item.site,
        device=item.device,
        name=group.name,
        input=group.input,
        ttl_s=group.ttl_s,
        wait_s=group.ttl_s + GRACE_S,
        revision=None,
        actor=group.actor,
        source_address=address,
        key=key_of(group.id, item.position),
    )


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
