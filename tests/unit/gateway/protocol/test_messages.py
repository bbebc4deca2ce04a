from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from gateway.protocol.codec import encode
from gateway.protocol.lifecycle import FINAL, State
from gateway.protocol.messages import Ack, Command, Heartbeat, HostStatus, SiteState
from tests.strategies import MESSAGES, NOW, moments


@given(MESSAGES[Ack])
def test_ack_says_on_the_wire_whether_it_is_final(ack: Ack) -> None:
    """Readers without the lifecycle table see it in the body."""
    assert json.loads(encode(ack))["final"] == (ack.state in FINAL)


def test_ack_of_pending_is_refused() -> None:
    """Pending is the ledger's word; an agent never reports it."""
    with pytest.raises(ValidationError, match="never reports pending"):
        Ack(
            id="0193544a-0000-7000-8000-000000000000",
            device="feeder-1",
            name="write",
            input={},
            state=State.PENDING,
            code="x",
            epoch=1,
            at=NOW,
        )


def test_message_is_frozen() -> None:
    """A message cannot change after it was checked."""
    command = Command(input={"a": 1})
    with pytest.raises(ValidationError):
        command.ttl_s = 1  # type: ignore[misc]  # that it is refused is the point


@pytest.mark.parametrize("ttl_s", [-0.1, 300.1, float("nan"), float("inf")])
def test_command_time_to_live_outside_its_range_is_refused(ttl_s: float) -> None:
    """A deadline is bounded at both ends."""
    with pytest.raises(ValidationError):
        Command(input={"a": 1}, ttl_s=ttl_s)


@pytest.mark.parametrize("counter", [-1, 2**53, 1.0, True, "1"])
def test_counter_that_json_cannot_keep_exact_is_refused(counter: object) -> None:
    """Epoch and sequence are whole numbers that every JSON reader keeps exact."""
    with pytest.raises(ValidationError):
        Heartbeat(epoch=counter, seq=0, at=NOW, plcs={})  # type: ignore[arg-type]  # wrong types are the point


def test_host_status_stopped_is_refused() -> None:
    """The gateway is online or offline; it has no clean stop to tell."""
    with pytest.raises(ValidationError):
        HostStatus(state=SiteState.STOPPED, boot="00c0ffee", since=NOW, version="1")  # type: ignore[arg-type]  # same


@given(moments, st.integers(0, 2**53 - 1))
def test_times_travel_in_utc(at: object, seq: int) -> None:
    """Whatever zone a sender names, the body says the same moment with a Z."""
    beat = Heartbeat.model_validate({"epoch": 1, "seq": seq, "at": at, "plcs": {}})
    assert beat.at == at
    assert json.loads(encode(beat))["at"].endswith("Z")
