"""One run of a group against scripted parts: what it begins, what it counts, and how it ends."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any, cast

import pytest

from gateway.protocol.lifecycle import State
from gateway.protocol.messages import Ack
from http_facade.audit_notes import AuditNotes
from http_facade.dispatch import Outcome, Request
from http_facade.groups.rows import Cause, GroupState
from http_facade.groups.run import Order, Run
from http_facade.groups.store import GroupStore
from http_facade.refusals import Overloaded, SiteOffline
from tests.entries import ack, asked
from tests.fake_ledger import ME, FakeLedger

Send = Callable[[Request], State]


class FakeStore:
    """The database's side of one run."""

    def __init__(self, *, good_for: int = 1_000) -> None:
        self.good_for = good_for
        self.begun: list[int] = []
        self.refused: dict[int, str] = {}
        self.ends: list[tuple[GroupState, Cause | None]] = []

    def hold(self, id: str, *, runner: str, lease: timedelta, begin: int | None = None) -> bool:  # noqa: ARG002 # the port's signature
        """As GroupStore; False once ``good_for`` targets were begun."""
        if len(self.begun) >= self.good_for:
            return False
        if begin is not None:
            self.begun.append(begin)
        return True

    def refuse(self, id: str, position: int, *, code: str, detail: str) -> None:  # noqa: ARG002 # same
        """As GroupStore."""
        self.refused[position] = code

    def end(self, id: str, state: GroupState, *, runner: str, cause: Cause | None = None) -> None:  # noqa: ARG002 # same
        """As GroupStore: the first end counts."""
        self.ends.append((state, cause))


class FakeSender:
    """Ends each command as ``send`` says."""

    def __init__(self, send: Send) -> None:
        self.send = send
        self.sent: list[str] = []

    def command(self, request: Request) -> Outcome:
        """As Dispatch."""
        state = self.send(request)
        self.sent.append(request.device)
        said: Ack = ack(state=state, code=str(state))
        return Outcome(asked=asked(), ack=said)


def _requests(count: int) -> list[Request]:
    fields: dict[str, Any] = {"site": "arava-1", "name": "feed", "input": {}, "ttl_s": 10, "wait_s": 15}
    own: dict[str, Any] = {"revision": None, "actor": "dana", "source_address": None}
    return [Request(device=f"feeder-{number}", key=f"k-{number}", **fields, **own) for number in range(count)]


def _run(store: FakeStore, send: Send, *, count: int = 6, stop_share: float = 1.0) -> FakeSender:
    over = threading.Event()
    sender = FakeSender(send)
    order = Order(group="g", runner="r", requests=_requests(count), rate_per_s=1_000, stop_share=stop_share)
    audit = AuditNotes(FakeLedger(), principal=ME)
    nobody = cast("Any", None)
    run = Run(order, store=cast("GroupStore", store), sender=sender, ledger=nobody, audit=audit, over=over.set)
    run.start()
    assert over.wait(20)
    return sender


def test_run_of_good_commands_finishes() -> None:
    """Each is begun once, in the order that was asked for."""
    store = FakeStore()
    sender = _run(store, lambda _: State.APPLIED)
    assert store.begun == list(range(6))
    assert sorted(sender.sent) == [f"feeder-{number}" for number in range(6)]
    assert store.ends == [(GroupState.FINISHED, None)]


@pytest.mark.parametrize("state", [State.PARTIAL, State.FAILED, State.UNKNOWN, State.EXPIRED, State.REJECTED])
def test_every_end_but_applied_is_a_failure(state: State) -> None:
    """With a share of 0 the first one stops the run, and nothing else was on its way."""
    store = FakeStore()
    sender = _run(store, lambda _: state, stop_share=0)
    assert (len(sender.sent), store.ends) == (1, [(GroupState.STOPPED, Cause.FAILURES)])


def test_failures_exceed_the_share_by_no_more_than_one() -> None:
    """A quarter of twelve may fail: the fourth failure is the last command, however quick the run is."""
    store = FakeStore()
    sender = _run(store, lambda _: State.FAILED, count=12, stop_share=0.25)
    assert (len(sender.sent), store.ends[0]) == (4, (GroupState.STOPPED, Cause.FAILURES))


def test_refusal_is_noted_and_counts() -> None:
    """With the code that a single command's problem would have."""

    def offline(request: Request) -> State:
        raise SiteOffline(request.site, None)

    store = FakeStore()
    _run(store, offline, stop_share=0)
    assert (store.refused, store.ends) == ({0: "site-offline"}, [(GroupState.STOPPED, Cause.FAILURES)])


def test_run_that_may_not_go_on_begins_nothing_more() -> None:
    """Somebody stopped it, or its lease has lapsed: it does not call that its own failures."""
    store = FakeStore(good_for=2)
    sender = _run(store, lambda _: State.APPLIED)
    assert (len(sender.sent), store.ends) == (2, [(GroupState.INTERRUPTED, None)])


def test_full_facade_is_no_fault_of_the_target() -> None:
    """It is tried again until there is a place among those who wait."""
    tries: list[str] = []

    def crowded(request: Request) -> State:
        tries.append(request.device)
        if len(tries) < 2:
            raise Overloaded("too many wait")
        return State.APPLIED

    store = FakeStore()
    sender = _run(store, crowded, count=1, stop_share=0)
    assert (len(tries), len(sender.sent), store.refused, store.ends) == (2, 1, {}, [(GroupState.FINISHED, None)])
