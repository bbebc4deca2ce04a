from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.protocol.codec import MAX_FAULTS, decode, decode_topic, encode, pointer
from gateway.protocol.errors import DecodeError
from gateway.protocol.history import MAX_BATCH, History, Series
from gateway.protocol.messages import MAX_PAYLOAD_BYTES, Command, Message, Status
from gateway.protocol.topics import TOPICS, CommandTopic
from tests.strategies import MESSAGES, NOW, almost, junk, series

each_body = pytest.mark.parametrize("body", list(MESSAGES), ids=lambda body: body.__name__)
thorough = settings(suppress_health_check=[HealthCheck.too_slow])
TOPIC = CommandTopic(site="arava-1", requester="@ana", device="feeder-1", name="write")


def survives(body: type[Message], payload: bytes) -> None:
    """Decoding gives a message or a DecodeError that can be printed in a few lines; nothing else."""
    try:
        message = decode(body, "some/topic", payload)
    except DecodeError as error:
        refusal = error
    else:
        assert isinstance(message, body)
        return
    assert len(str(refusal)) < 100_000
    assert refusal.faults


def test_messages_strategies_cover_every_topic() -> None:
    """Every body that a topic can carry is tested here."""
    assert {topic.body for topic in TOPICS} == set(MESSAGES)


@each_body
@thorough
@given(data=st.data())
def test_message_encoded_and_decoded_is_the_same(body: type[Message], data: st.DataObject) -> None:
    """Every message round-trips, and so do its bytes."""
    message = data.draw(MESSAGES[body])
    payload = encode(message)
    assert decode(body, "some/topic", payload) == message
    assert encode(decode(body, "some/topic", payload)) == payload


@given(series())
def test_series_encoded_and_decoded_is_the_same(each: Series) -> None:
    """A series round-trips, also without values: registers that could not be read."""
    assert decode(Series, "some/topic", encode(each)) == each


def test_series_with_fewer_times_than_values_is_refused() -> None:
    """Nobody guesses when a value was read."""
    body = b'{"device":"a","name":"b","start":"2026-11-22T12:00:00Z","offset_us":[0],"values":[1,2],"every_s":60.0}'
    with pytest.raises(DecodeError, match="1 offsets for 2 values"):
        decode(Series, "some/topic", body)


def test_history_with_too_many_samples_is_refused() -> None:
    """The bound is of the whole batch, not of each series (I15)."""
    parts = {"device": "a", "start": NOW, "every_s": 60.0}
    half = MAX_BATCH // 2 + 1
    each = [
        Series.model_validate({**parts, "name": name, "offset_us": tuple(range(half)), "values": (1,) * half})
        for name in ("b", "c")
    ]
    body = History.model_construct(batch="0193544a-8000-7c11-9a0b-2f3e4d5c6b7a", series=tuple(each))
    with pytest.raises(DecodeError, match=f"holds {MAX_BATCH} at most"):
        decode(History, "some/topic", encode(body))


@each_body
@given(payload=st.binary(max_size=200))
def test_decode_any_bytes_raises_nothing_but_decode_error(body: type[Message], payload: bytes) -> None:
    """Random bytes never raise anything else."""
    survives(body, payload)


@each_body
@thorough
@given(document=junk)
def test_decode_any_json_raises_nothing_but_decode_error(body: type[Message], document: object) -> None:
    """Random JSON, NaN and lone surrogates included, never raises anything else."""
    survives(body, json.dumps(document).encode())
    survives(body, json.dumps(document, ensure_ascii=False).encode("utf-8", "surrogatepass"))


@each_body
@thorough
@given(data=st.data())
def test_decode_almost_a_message_raises_nothing_but_decode_error(body: type[Message], data: st.DataObject) -> None:
    """A valid message with one place spoiled never raises anything else."""
    survives(body, data.draw(almost(body)))


HOSTILE = {
    "empty": b"",
    "blank": b" \n ",
    "null": b"null",
    "a number": b"1",
    "a list": b"[]",
    "not closed": b'{"input":{"a":1}',
    "two documents": b'{"input":{"a":1}}{"input":{"a":1}}',
    "a byte order mark": b'\xef\xbb\xbf{"input":{"a":1}}',
    "utf-16": '{"input":{"a":1}}'.encode("utf-16"),
    "invalid utf-8": b'{"input":{"a":"\xff"}}',
    "a raw control character": b'{"input":{"a":"\x00"}}',
    "half a surrogate pair": b'{"input":{"a":"\\ud800"}}',
    "half a surrogate pair as a name": b'{"input":{"\\ud800":1}}',
    "NaN": b'{"input":{"a":NaN}}',
    "infinity": b'{"input":{"a":-Infinity}}',
    "a float that overflows": b'{"input":{"a":1e999}}',
    "more digits than Python reads": b'{"input":{"a":' + b"9" * 5000 + b"}}",
    "an integer of 84 bits": b'{"input":{"a":9999999999999999999999999}}',
    "nested a thousand times": b'{"input":' + b'{"a":' * 1000 + b"1" + b"}" * 1001,
    "lists a hundred thousand deep": b"[" * 100_000,
    "a value of the wrong type": b'{"input":{"a":[1]}}',
    "null as a value": b'{"input":{"a":null}}',
    "a field nobody knows": b'{"input":{"a":1},"force":true}',
    "no input": b"{}",
    "input of another type": b'{"input":7}',
    "a name in capitals": b'{"input":{"Portion":1}}',
    "257 properties": json.dumps({"input": {f"p{n}": 1 for n in range(257)}}).encode(),
    "twenty thousand wrong names": json.dumps({"input": {str(n): [] for n in range(20_000)}}).encode(),
    "text of 1025 characters": json.dumps({"input": {"a": "x" * 1025}}).encode(),
    "an id in capitals": b'{"id":"0193544A-0000-7000-8000-000000000000","input":{"a":1}}',
    "an id with a newline": b'{"id":"0193544a-0000-7000-8000-000000000000\\n","input":{"a":1}}',
    "a negative ttl": b'{"input":{"a":1},"ttl_s":-1}',
    "a ttl as text": b'{"input":{"a":1},"ttl_s":"10"}',
    "a time without zone": b'{"input":{"a":1},"issued_at":"2026-11-22T12:00:00"}',
    "a time before all time": b'{"input":{"a":1},"issued_at":"0001-01-01T00:00:00+23:59"}',
    "a time after all time": b'{"input":{"a":1},"issued_at":"9999-12-31T23:59:59-23:59"}',
    "300 KiB": b'{"input":{"a":"' + b"x" * 300 * 1024 + b'"}}',
}


@pytest.mark.parametrize("payload", HOSTILE.values(), ids=HOSTILE.keys())
def test_decode_hostile_command_is_refused(payload: bytes) -> None:
    """Each of these is a DecodeError, never a guess and never a crash."""
    with pytest.raises(DecodeError):
        decode(Command, "some/topic", payload)


def test_decode_key_given_twice_takes_the_last() -> None:
    """Duplicate keys are read as every JSON reader of ours reads them: the last one counts."""
    assert decode(Command, "some/topic", b'{"input":{"a":1,"a":2}}').input == {"a": 2}


def test_decode_largest_payload_is_read() -> None:
    """The size limit lets exactly its number of bytes pass."""
    body = b'{"input":{"a":1}}'
    decode(Command, "some/topic", body + b" " * (MAX_PAYLOAD_BYTES - len(body)))
    with pytest.raises(DecodeError) as caught:
        decode(Command, "some/topic", body + b" " * (MAX_PAYLOAD_BYTES - len(body) + 1))
    assert caught.value.faults[0].code == "too-large"


def test_decode_error_names_every_fault_by_its_pointer() -> None:
    """One look at the error shows all that is wrong and where, one fault a place."""
    with pytest.raises(DecodeError) as caught:
        decode(Command, "some/topic", b'{"id":"x","input":{"portion_g":[],"A~b/c":1},"force":true}')
    assert {fault.pointer for fault in caught.value.faults} == {"/id", "/input/portion_g", "/input/A~0b~1c", "/force"}
    assert len(caught.value.faults) == 4


def test_decode_error_of_many_faults_lists_the_first_and_counts_the_rest() -> None:
    """A hostile body cannot make an endless error."""
    with pytest.raises(DecodeError) as caught:
        decode(Command, "some/topic", HOSTILE["twenty thousand wrong names"])
    assert len(caught.value.faults) == MAX_FAULTS + 1
    assert "more faults" in caught.value.faults[-1].detail


def test_decode_report_with_unknown_field_is_read() -> None:
    """A newer agent may report more; older readers ignore it."""
    payload = json.dumps(
        {"state": "online", "epoch": 1, "boot": "00c0ffee", "since": NOW.isoformat(), "version": "9", "mood": "fine"}
    )
    assert decode(Status, "some/topic", payload.encode()).version == "9"


def test_decode_numbers_keep_their_type() -> None:
    """An integer stays an integer, a float a float, a boolean a boolean."""
    read = decode(Command, "some/topic", b'{"input":{"a":1,"b":1.0,"c":true,"d":"1"}}').input
    assert [type(value) for value in read.values()] == [int, float, bool, str]


def test_decode_topic_reads_the_body_of_the_topic() -> None:
    """The topic decides which message its bytes are."""
    assert isinstance(decode_topic(TOPIC, b'{"input":{"portion_g":120}}'), Command)


def test_decode_topic_error_holds_topic_and_bytes() -> None:
    """Whoever reports the error can show what came and from where."""
    with pytest.raises(DecodeError) as caught:
        decode_topic(TOPIC, b"\x1b[2J")
    assert (caught.value.topic, caught.value.payload) == (str(TOPIC), b"\x1b[2J")
    assert "\x1b" not in str(caught.value)


def test_encode_optional_fields_that_are_absent_are_left_out() -> None:
    """Nothing on the wire says null where nothing was said."""
    assert encode(Command(input={"a": 1}, ttl_s=5)) == b'{"input":{"a":1},"ttl_s":5.0}'


@given(st.lists(st.text(), max_size=4))
def test_pointer_levels_come_back(levels: list[str]) -> None:
    """A JSON pointer can be taken apart again: RFC 6901 section 4."""
    expected = [level for level in levels if level not in {"[key]", "(boolean)", "(integer)", "(number)", "(string)"}]
    parts = pointer(*levels).split("/")[1:]
    assert [part.replace("~1", "/").replace("~0", "~") for part in parts] == expected
