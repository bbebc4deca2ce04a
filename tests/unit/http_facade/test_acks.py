"""Acks to waiters: only the true word of the site that was asked counts, and only once committed."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from datetime import UTC, datetime
from typing import Any

import pytest

from gateway.broker import Incoming
from gateway.ledger import Answer
from gateway.ledger_writer import Overloaded
from gateway.protocol.codec import encode
from gateway.protocol.errors import Unavailable
from gateway.protocol.lifecycle import State
from gateway.protocol.messages import Ack
from gateway.protocol.topics import AckTopic
from http_facade.acks import Acks
from http_facade.waiters import Waiter, Waiters

ID = "01890a5d-ac96-774b-bcce-b302099a8057"
OTHER = "01890a5d-ac96-774b-bcce-b302099a8058"
ME = "@facade"


class _Ledger:
    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.notes: list[tuple[str, datetime]] = []
        self.future: Future[None] = Future()

    def settle(self, answer: Answer) -> Future[None]:
        self.answers.append(answer)
        return self.future

    def published(self, id: str, at: datetime) -> Future[None]:
        self.notes.append((id, at))
        return Future()


def _ack(**changes: object) -> Ack:
    fields: dict[str, Any] = {
        "id": ID,
        "device": "feeder-1",
        "name": "write",
        "input": {"portion_g": 120},
        "state": State.APPLIED,
        "code": "applied",
        "epoch": 1,
        "at": datetime.now(UTC),
    }
    return Ack.model_validate(fields | changes)


def _incoming(ack: Ack, *, site: str = "arava-1", requester: str = ME, retained: bool = False) -> Incoming:
    topic = str(AckTopic(site=site, requester=requester, id=ID))
    return Incoming(topic=topic, payload=encode(ack), retained=retained, received_s=0.0)


@pytest.fixture
def waiter() -> Waiter:
    return Waiter("arava-1", "feeder-1", "write")


@pytest.fixture
def waiters(waiter: Waiter) -> Iterator[Waiters]:
    found = Waiters(8)
    with found.expect(ID, waiter):
        yield found


@pytest.fixture
def ledger() -> _Ledger:
    return _Ledger()


@pytest.fixture
def acks(waiters: Waiters, ledger: _Ledger) -> Acks:
    return Acks(waiters, ledger, requester=ME)


def test_final_ack_wakes_its_request_only_after_the_commit(acks: Acks, ledger: _Ledger, waiter: Waiter) -> None:
    """Nobody hears an outcome that the ledger could still lose."""
    acks.on_message(_incoming(_ack()))
    assert waiter.wait(0) is None
    ledger.future.set_result(None)
    assert waiter.wait(0) == _ack(at=ledger.answers[0].ack.at)


def test_final_ack_goes_to_the_ledger_with_what_its_topic_proves(acks: Acks, ledger: _Ledger) -> None:
    """Site and requester come from the topic, which the broker's ACL has checked."""
    acks.on_message(_incoming(_ack()))
    assert [(each.site, each.requester) for each in ledger.answers] == [("arava-1", ME)]


def test_repeated_ack_is_settled_once_here(acks: Acks, ledger: _Ledger) -> None:
    """A duplicate finds nobody who waits; the gateway records it."""
    acks.on_message(_incoming(_ack()))
    acks.on_message(_incoming(_ack(duplicate=True)))
    assert len(ledger.answers) == 1


@pytest.mark.parametrize(
    "incoming",
    [
        pytest.param(_incoming(_ack(), site="arava-2"), id="another site", marks=pytest.mark.invariant("I13")),
        pytest.param(_incoming(_ack(), requester="@ana"), id="another requester"),
        pytest.param(_incoming(_ack(id=OTHER)), id="another id in the body"),
        pytest.param(_incoming(_ack(device="feeder-2")), id="another device"),
        pytest.param(_incoming(_ack(name="feed")), id="another name"),
        pytest.param(_incoming(_ack(), retained=True), id="retained"),
        pytest.param(_incoming(_ack(state=State.ACCEPTED, code="accepted")), id="not final"),
        pytest.param(_incoming(_ack(state=State.UNKNOWN, code="plc-silent")), id="no evidence"),
        pytest.param(Incoming(topic=f"x/{ID}", payload=encode(_ack()), retained=False, received_s=0), id="no topic"),
    ],
)
def test_ack_that_proves_nothing_is_ignored(acks: Acks, ledger: _Ledger, waiter: Waiter, incoming: Incoming) -> None:
    """Only the final word of the very site about the very command ends the wait."""
    acks.on_message(incoming)
    assert ledger.answers == []
    assert waiter.wait(0) is None


@pytest.mark.parametrize("payload", [b"", b"{}", b"\xff", b'{"id":', b"[" * 10_000])
def test_undecodable_ack_is_counted_and_harmless(acks: Acks, ledger: _Ledger, payload: bytes) -> None:
    """Bytes that are no ack never end the broker's thread, and never guess an outcome."""
    topic = str(AckTopic(site="arava-1", requester=ME, id=ID))
    acks.on_message(Incoming(topic=topic, payload=payload, retained=False, received_s=0))
    assert acks.undecodable == 1
    assert ledger.answers == []


def test_outcome_that_was_not_committed_wakes_without_an_ack(acks: Acks, ledger: _Ledger, waiter: Waiter) -> None:
    """The request is answered as open, since its outcome is not in the ledger."""
    acks.on_message(_incoming(_ack()))
    ledger.future.set_exception(Unavailable("database", "gone"))
    assert waiter.wait(0) is None


@pytest.mark.parametrize("error", [Overloaded("full"), Unavailable("database", "stopped")])
def test_outcome_that_the_ledger_does_not_take_wakes_at_once(
    waiters: Waiters, waiter: Waiter, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full or stopped ledger does not keep the request waiting until its patience ends."""
    ledger = _Ledger()
    ledger.future.set_exception(error)
    monkeypatch.setattr(ledger, "settle", lambda _: ledger.future.result())
    Acks(waiters, ledger, requester=ME).on_message(_incoming(_ack()))
    assert len(waiters) == 1, "the request leaves by itself"
    assert waiters.find(ID) is None
    assert waiter.wait(5) is None


def test_outcome_takes_the_time_of_the_publish_along(acks: Acks, ledger: _Ledger, waiter: Waiter) -> None:
    """The time line's entry rides in the transaction of the outcome."""
    waiter.published_at = datetime.now(UTC)
    acks.on_message(_incoming(_ack()))
    assert ledger.notes == [(ID, waiter.published_at)]


def test_outcome_of_a_command_sent_elsewhere_tells_no_publish(acks: Acks, ledger: _Ledger) -> None:
    """Who only waits does not know when it was handed over."""
    acks.on_message(_incoming(_ack()))
    assert ledger.notes == []
