"""The bounded map of requests that wait for an ack."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest

from gateway.protocol.lifecycle import State
from gateway.protocol.messages import Ack
from http_facade.refusals import Overloaded
from http_facade.waiters import Waiter, Waiters

ID = "01890a5d-ac96-774b-bcce-b302099a8057"


def _waiter() -> Waiter:
    return Waiter("arava-1", "feeder-1", "write")


def _ack() -> Ack:
    return Ack(
        id=ID,
        device="feeder-1",
        name="write",
        input={},
        state=State.APPLIED,
        code="applied",
        epoch=1,
        at=datetime.now(UTC),
    )


def test_wait_finished_from_another_thread_returns_the_ack() -> None:
    """One wake-up carries the ack across."""
    waiter, ack = _waiter(), _ack()
    threading.Thread(target=waiter.finish, args=(ack,)).start()
    assert waiter.wait(5) is ack


def test_wait_without_ack_ends_after_the_patience() -> None:
    """Nobody waits for ever (I15)."""
    assert _waiter().wait(0.01) is None


def test_finish_after_the_patience_does_no_harm() -> None:
    """An ack that comes too late for the request is simply not read."""
    waiter = _waiter()
    waiter.wait(0)
    waiter.finish(_ack())


def test_claim_of_an_expected_command_succeeds_once() -> None:
    """Of several threads with the same ack exactly one gets the waiter."""
    waiters, waiter = Waiters(1), _waiter()
    with waiters.expect(ID, waiter):
        assert waiters.claim(ID) is waiter
        assert waiters.claim(ID) is None


def test_expect_leaves_nothing_behind() -> None:
    """Whatever happens inside, the map is empty afterwards."""
    waiters = Waiters(1)
    with pytest.raises(ZeroDivisionError), waiters.expect(ID, _waiter()):
        raise ZeroDivisionError
    assert len(waiters) == 0


@pytest.mark.invariant("I15")
def test_expect_beyond_the_limit_is_refused() -> None:
    """A full map refuses, it does not grow."""
    waiters = Waiters(1)
    with waiters.expect(ID, _waiter()), pytest.raises(Overloaded), waiters.expect("other", _waiter()):
        pass


def test_dismiss_wakes_everybody_without_an_ack() -> None:
    """At shutdown the open requests are answered at once."""
    waiters, waiter = Waiters(1), _waiter()
    with waiters.expect(ID, waiter):
        waiters.dismiss()
        assert waiter.wait(5) is None


def test_expect_after_dismissal_is_refused() -> None:
    """A process that stops takes on nothing that it could not answer."""
    waiters = Waiters(1)
    waiters.dismiss()
    with pytest.raises(Overloaded), waiters.expect(ID, _waiter()):
        pass


def test_requests_for_one_command_share_its_waiter_and_all_wake() -> None:
    """A replay waits with the first request; one ack ends both waits."""
    waiters, ack = Waiters(2), _ack()
    with waiters.expect(ID, _waiter()) as first, waiters.expect(ID, _waiter()) as second:
        assert first is second
        claimed = waiters.claim(ID)
        assert claimed is first
        claimed.finish(ack)
        assert [each.wait(5) for each in (first, second)] == [ack, ack]
    assert len(waiters) == 0


def test_waiter_stays_while_anybody_waits() -> None:
    """The first request's patience may end before the second one's."""
    waiters = Waiters(2)
    with waiters.expect(ID, _waiter()) as shared:
        with waiters.expect(ID, _waiter()):
            pass
        assert waiters.find(ID) is shared
    assert waiters.find(ID) is None


@pytest.mark.invariant("I15")
def test_each_request_for_one_command_counts() -> None:
    """The bound is on threads that wait, not on commands."""
    waiters = Waiters(1)
    with waiters.expect(ID, _waiter()), pytest.raises(Overloaded), waiters.expect(ID, _waiter()):
        pass
