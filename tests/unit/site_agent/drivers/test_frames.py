from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from site_agent.drivers.frames import MismatchError, answered

#: Golden frames, written by hand: transaction 1, unit 1.
READ_2_AT_4 = bytes.fromhex("0001 0000 0006 01 03 0004 0002")
REPLY_TO_READ = bytes.fromhex("0001 0000 0007 01 03 04 47f1 2040")
WRITE_120_AT_0 = bytes.fromhex("0001 0000 0006 01 06 0000 0078")
WRITE_2_AT_4 = bytes.fromhex("0001 0000 000b 01 10 0004 0002 04 47f1 2040")
REPLY_TO_WRITE_2 = bytes.fromhex("0001 0000 0006 01 10 0004 0002")
#: Ten coils take two bytes.
READ_10_COILS = bytes.fromhex("0001 0000 0006 01 01 0013 000a")
REPLY_TO_COILS = bytes.fromhex("0001 0000 0005 01 01 02 cd01")
COIL_ON = bytes.fromhex("0001 0000 0006 01 05 00ac ff00")
WRITE_10_COILS = bytes.fromhex("0001 0000 0009 01 0f 0013 000a 02 cd01")
REPLY_TO_WRITE_COILS = bytes.fromhex("0001 0000 0006 01 0f 0013 000a")
PAIRS = [
    (READ_2_AT_4, REPLY_TO_READ),
    (WRITE_120_AT_0, WRITE_120_AT_0),
    (WRITE_2_AT_4, REPLY_TO_WRITE_2),
    (READ_10_COILS, REPLY_TO_COILS),
    (COIL_ON, COIL_ON),
    (WRITE_10_COILS, REPLY_TO_WRITE_COILS),
]
IDS = ["read", "write one", "write many", "read bits", "write coil", "write coils"]
_READS = (REPLY_TO_READ, REPLY_TO_COILS)


@pytest.mark.parametrize(("request_", "reply"), PAIRS, ids=IDS)
def test_right_reply_is_an_answer(request_: bytes, reply: bytes) -> None:
    """The replies of the standard are taken."""
    assert answered(request_, reply)


@pytest.mark.parametrize(("request_", "reply"), PAIRS, ids=IDS)
def test_every_part_of_a_right_reply_waits_for_the_rest(request_: bytes, reply: bytes) -> None:
    """TCP may cut a reply anywhere."""
    assert not any(answered(request_, reply[:cut]) for cut in range(len(reply)))


@pytest.mark.parametrize(("request_", "reply"), PAIRS, ids=IDS)
def test_reply_behind_a_late_one_is_found(request_: bytes, reply: bytes) -> None:
    """A late reply to an earlier request is passed over."""
    late = b"\x00\x09" + reply[2:]
    assert not answered(request_, late)
    assert answered(request_, late + reply)


@pytest.mark.parametrize("code", [1, 2, 3, 6, 11])
def test_exception_of_the_same_function_is_an_answer(code: int) -> None:
    """A refusal belongs to the request whose function it carries."""
    assert answered(WRITE_120_AT_0, bytes.fromhex("0001 0000 0003 01 86") + bytes([code]))


@pytest.mark.invariant("I17")
@pytest.mark.parametrize(("request_", "reply"), PAIRS, ids=IDS)
@given(position=st.integers(0, 10), value=st.integers(0, 255))
def test_reply_with_one_wrong_byte_is_no_answer(request_: bytes, reply: bytes, position: int, value: int) -> None:
    """Whatever byte is wrong, but for the words that a read asks for, the reply is not taken."""
    if reply[position] == value or (reply in _READS and position > 8):
        return
    wrong = reply[:position] + bytes([value]) + reply[position + 1 :]
    with contextlib.suppress(MismatchError):
        assert not answered(request_, wrong)


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param("0000 0000 0006 01 06 0000 0078", id="transaction 0"),
        pytest.param("0001 0001 0006 01 06 0000 0078", id="another protocol"),
        pytest.param("0001 0000 0006 02 06 0000 0078", id="another unit"),
        pytest.param("0001 0000 0006 01 03 0000 0078", id="another function"),
        pytest.param("0001 0000 0006 01 06 0001 0078", id="another address"),
        pytest.param("0001 0000 0006 01 06 0000 0079", id="another value"),
        pytest.param("0001 0000 0004 01 06 0000", id="shorter"),
        pytest.param("0001 0000 0008 01 06 0000 0078 0000", id="longer"),
        pytest.param("0001 0000 0003 01 90 02", id="exception of another function"),
        pytest.param("0001 0000 0002 01 86", id="exception without a code"),
        pytest.param("0001 0000 0004 01 86 02 00", id="exception with two codes"),
        pytest.param("0001 0000 ffff 01 06 0000 0078", id="impossible length"),
    ],
)
def test_wrong_reply_to_a_write_is_a_mismatch(reply: str) -> None:
    """Each field of the reply is compared with the request."""
    with pytest.raises(MismatchError):
        answered(WRITE_120_AT_0, bytes.fromhex(reply))


@pytest.mark.parametrize("reply", ["0001 0000 0005 01 03 02 47f1", "0001 0000 0009 01 03 06 47f1 2040 0000"])
def test_read_answered_with_another_count_is_a_mismatch(reply: str) -> None:
    """One register more or less than asked is not this request's reply."""
    with pytest.raises(MismatchError):
        answered(READ_2_AT_4, bytes.fromhex(reply))


@given(st.binary(max_size=300))
def test_any_bytes_are_judged_without_another_error(received: bytes) -> None:
    """Whatever arrives, the judgement is: answer, wait, or mismatch."""
    with contextlib.suppress(MismatchError):
        answered(WRITE_120_AT_0, received)
