"""States that wait for the database."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gateway.protocol.messages import DeviceState, Quality
from gateway.sites import StateSeen
from gateway.unsaved import UnsavedStates
from tests.entries import NOON


def _seen(device: str, *, payload: bytes = b"{}", retained: bool = False) -> StateSeen:
    state = DeviceState(at=NOON, quality=Quality.GOOD, properties={})
    return StateSeen(site="a", device=device, state=state, payload=payload, retained=retained, epoch=1, at=NOON)


def test_last_state_of_a_device_is_kept() -> None:
    """One entry for each device."""
    unsaved, last = UnsavedStates(), _seen("d", payload=b"2")
    unsaved.add(_seen("d", payload=b"1"))
    unsaved.add(last)
    assert unsaved.all() == (last,)


def test_stored_state_does_not_replace_a_live_one() -> None:
    """What the broker had stored is older."""
    unsaved, live = UnsavedStates(), _seen("d")
    unsaved.add(live)
    unsaved.add(_seen("d", retained=True))
    assert unsaved.all() == (live,)


@pytest.mark.invariant("I15")
def test_number_of_waiting_states_is_bounded() -> None:
    """The oldest goes: the agent publishes it again with its next connect."""
    unsaved = UnsavedStates(most=2)
    for device in ("a", "b", "c"):
        unsaved.add(_seen(device))
    assert [each.device for each in unsaved.all()] == ["b", "c"]


@pytest.mark.invariant("I15")
def test_bytes_of_waiting_states_are_bounded() -> None:
    """Large states leave room for fewer; saved or replaced ones count no more."""
    unsaved = UnsavedStates(most_bytes=10)
    for _ in range(3):
        unsaved.add(_seen("a", payload=b"12345"))
    unsaved.add(_seen("b", payload=b"12345"))
    assert [each.device for each in unsaved.all()] == ["a", "b"]
    unsaved.add(_seen("c", payload=b"123456"))
    assert [each.device for each in unsaved.all()] == ["c"]
    unsaved.clear()
    unsaved.add(_seen("d", payload=b"1234567890"))
    assert len(unsaved) == 1


def test_state_of_a_device_that_is_gone_is_forgotten() -> None:
    """It would make the device come back at the centre; a later one is of a device that is there again."""
    states = UnsavedStates()
    states.add(_seen("feeder-1"))
    states.forget("a", "feeder-1", NOON - timedelta(seconds=1))
    assert len(states) == 1
    states.forget("a", "feeder-1", NOON)
    assert (len(states), states._bytes) == (0, 0)
