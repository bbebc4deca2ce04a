"""What becomes of bytes on a command topic."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.protocol.codes import AckCode
from gateway.protocol.errors import DecodeError
from gateway.protocol.topics import CommandTopic
from site_agent.deadline import SentBeats
from site_agent.device import Device
from site_agent.intake import Kind, Request, judge
from tests.sites import site

ID = "01939d3b-0000-7000-8000-000000000000"
FRESH = "01939d3b-0000-7000-8000-ffffffffffff"
DEVICES = {table.id: Device("arava-1", table) for table in site().devices}


def _judge(body: object, *, device: str = "feeder-1", name: str = "write", requester: str = "@ana") -> Request:
    topic = CommandTopic("arava-1", requester, device, name)
    payload = body if isinstance(body, bytes) else json.dumps(body).encode()
    return judge(topic, payload, devices=DEVICES, beats=SentBeats(), now_s=50.0, received_s=50.0, fresh_id=FRESH)


def test_judge_good_write_goes_on() -> None:
    """A write within its limits is not refused."""
    assert _judge({"id": ID, "input": {"portion_g": 120}}).refusal is None


def test_judge_write_without_id_gets_a_fresh_one() -> None:
    """Settings are absolute, so a write needs no id of its own."""
    assert _judge({"input": {"portion_g": 120}}).id == FRESH


def test_judge_action_without_id_is_refused() -> None:
    """Two doses could not be told from one that came twice."""
    assert _judge({"input": {}}, name="feed").refusal is AckCode.MISSING_ID


def test_judge_unknown_action_is_refused() -> None:
    """A device does only what its description says."""
    assert _judge({"id": ID, "input": {}}, name="dance").refusal is AckCode.UNKNOWN_ACTION


def test_judge_unknown_device_is_refused_and_names_the_known_ones() -> None:
    """The answer helps to spell the device right."""
    request = _judge({"id": ID, "input": {"portion_g": 5}}, device="feeder-9")
    assert request.refusal is AckCode.UNKNOWN_DEVICE
    assert "feeder-1" in request.detail


@pytest.mark.parametrize("value", [2005, 7, -5, "5", True, 5.0])
def test_judge_value_outside_its_limits_is_refused(value: object) -> None:
    """Range, step and type are checked again at the site."""
    assert _judge({"id": ID, "input": {"portion_g": value}}).refusal is AckCode.INVALID_INPUT


def test_judge_all_faults_are_told_at_once() -> None:
    """Nobody should have to ask five times."""
    detail = _judge({"id": ID, "input": {"portion_g": 7, "hopper_kg": 1.0, "nonsense": 1}}).detail
    assert "/portion_g" in detail
    assert "/hopper_kg" in detail
    assert "/nonsense" in detail


@pytest.mark.invariant("I2")
def test_judge_ttl_zero_is_a_question() -> None:
    """Nothing may start any more; what became of it is all that can be asked."""
    assert _judge({"id": ID, "input": {"portion_g": 5}, "ttl_s": 0}).kind is Kind.QUESTION


def test_judge_question_without_id_is_refused() -> None:
    """Nobody knows what it is about."""
    assert _judge({"input": {"portion_g": 5}, "ttl_s": 0}).refusal is AckCode.MISSING_ID


def test_judge_question_of_the_gateway_is_about_another_principals_command() -> None:
    """The answer goes to whoever sent the command."""
    request = _judge({"id": ID, "input": {}, "ttl_s": 0, "asked_by": "@ana"}, requester="@gateway")
    assert (request.owner, request.refusal) == ("@ana", None)


@pytest.mark.invariant("I13")
@pytest.mark.parametrize(
    ("requester", "name", "ttl_s"),
    [("@ben", "write", 0), ("@facade", "write", 0), ("@gateway", "write", 5), ("@ben", "cancel", 10)],
)
def test_judge_nobody_else_speaks_for_another_principal(requester: str, name: str, ttl_s: float) -> None:
    """Only the gateway asks for others, and only asks; the refusal goes to the one who tried."""
    body = {"id": ID, "input": {"portion_g": 5}, "ttl_s": ttl_s, "asked_by": "@ana"}
    request = _judge(body, name=name, requester=requester)
    assert (request.owner, request.refusal) == (requester, AckCode.BAD_MESSAGE)


def test_judge_facade_cancels_for_another_facade() -> None:
    """Whoever is asked over HTTP, the command may have left by another process."""
    body = {"id": ID, "input": {}, "asked_by": "@facade-2"}
    request = _judge(body, name="cancel", requester="@facade")
    assert (request.kind, request.owner, request.refusal) == (Kind.CANCEL, "@facade-2", None)


def test_judge_unknown_field_with_id_is_answered() -> None:
    """Somebody who misspelt a field, but named the command, is told so."""
    request = _judge({"id": ID, "inputs": {"portion_g": 5}})
    assert request.id == ID
    assert request.refusal is AckCode.BAD_MESSAGE
    assert "/inputs" in request.detail


def test_judge_unknown_field_without_id_is_a_decode_error_about_the_field() -> None:
    """With nobody to answer, the report names what was wrong, not the missing id."""
    with pytest.raises(DecodeError, match="/inputs"):
        _judge({"inputs": {"portion_g": 5}})


@given(st.binary(max_size=300))
def test_judge_any_bytes_raise_only_the_decode_error(payload: bytes) -> None:
    """Whatever comes over the wire, the agent lives."""
    try:
        _judge(payload)
    except DecodeError as error:
        assert error.faults  # noqa: PT017 # most examples are no command at all
