"""The PLC of the fault tests keeps its own promises, seen over a plain socket: its log is the truth of other tests."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from tests.plc import FaultyPlc, Write
from tests.plc_faults import DROP, LIE, LOST, READS, RESET_AFTER, SHORT, TWICE, WRITES, clamp, late, refuse

WRITE_120_AT_7 = bytes.fromhex("0001 0000 0006 01 06 0007 0078")
WRITE_2_AT_7 = bytes.fromhex("0001 0000 000b 01 10 0007 0002 04 0078 002d")
READ_1_AT_7 = bytes.fromhex("0002 0000 0006 01 03 0007 0001")


@pytest.fixture
def plc() -> Iterator[FaultyPlc]:
    with FaultyPlc.running() as plc:
        yield plc


@pytest.fixture
def client(plc: FaultyPlc) -> Iterator[socket.socket]:
    with socket.create_connection((plc.host, plc.port), timeout=5) as client:
        yield client


def ask(client: socket.socket, frame: bytes) -> bytes:
    client.sendall(frame)
    return client.recv(300)


def test_write_of_one_word_is_echoed_logged_and_held(plc: FaultyPlc, client: socket.socket) -> None:
    """Function 6 works like any PLC's."""
    assert ask(client, WRITE_120_AT_7) == WRITE_120_AT_7
    assert plc.writes == [Write(6, 7, (120,))]
    assert plc.get(7) == (120,)


def test_write_of_two_words_is_confirmed_logged_and_held(plc: FaultyPlc, client: socket.socket) -> None:
    """Function 16 works like any PLC's."""
    assert ask(client, WRITE_2_AT_7) == bytes.fromhex("0001 0000 0006 01 10 0007 0002")
    assert plc.writes == [Write(16, 7, (120, 45))]
    assert plc.get(7, 2) == (120, 45)


def test_read_answers_what_a_panel_set(plc: FaultyPlc, client: socket.socket) -> None:
    """A panel's change is held, but is no write of a client."""
    plc.set(7, 99)
    assert ask(client, READ_1_AT_7) == bytes.fromhex("0002 0000 0005 01 03 02 0063")
    assert plc.writes == []


def test_refused_write_is_not_executed(plc: FaultyPlc, client: socket.socket) -> None:
    """An exception means that nothing happened."""
    plc.misbehave(refuse(3), on=WRITES)
    assert ask(client, WRITE_120_AT_7) == bytes.fromhex("0001 0000 0003 01 86 03")
    assert (plc.writes, plc.get(7)) == ([], (0,))


@pytest.mark.parametrize("frame", ["0001 0000 0006 01 03 ffff 0001", "0001 0000 0006 01 04 0000 0001"])
def test_request_beyond_it_is_refused_by_itself(client: socket.socket, frame: str) -> None:
    """Unknown addresses and functions need no script."""
    assert ask(client, bytes.fromhex(frame))[7] & 0x80


def test_lost_write_is_executed_and_the_next_request_is_answered(plc: FaultyPlc, client: socket.socket) -> None:
    """The first bytes that come back belong to the second request."""
    plc.misbehave(LOST, on=WRITES)
    client.sendall(WRITE_120_AT_7)
    assert ask(client, READ_1_AT_7) == bytes.fromhex("0002 0000 0005 01 03 02 0078")


def test_dropped_write_is_not_executed(plc: FaultyPlc, client: socket.socket) -> None:
    """The request was received, and that was all."""
    plc.misbehave(DROP, on=WRITES)
    client.sendall(WRITE_120_AT_7)
    assert ask(client, READ_1_AT_7) == bytes.fromhex("0002 0000 0005 01 03 02 0000")
    assert [each.function_code for each in plc.requests] == [6, 3]


def test_lie_is_confirmed_but_not_executed(plc: FaultyPlc, client: socket.socket) -> None:
    """Only a read-back can tell."""
    plc.misbehave(LIE, on=WRITES)
    assert ask(client, WRITE_120_AT_7) == WRITE_120_AT_7
    assert (plc.writes, plc.get(7)) == ([], (0,))


def test_clamped_write_is_confirmed_as_asked_but_held_otherwise(plc: FaultyPlc, client: socket.socket) -> None:
    """As a PLC program with limits of its own does."""
    plc.misbehave(clamp(100), on=WRITES)
    assert ask(client, WRITE_120_AT_7) == WRITE_120_AT_7
    assert plc.get(7) == (100,)


def test_late_write_is_executed_though_the_client_has_gone(plc: FaultyPlc, client: socket.socket) -> None:
    """A gateway's queue does not care who still waits."""
    plc.misbehave(late(0.05), on=WRITES)
    client.sendall(WRITE_120_AT_7)
    client.close()
    with socket.create_connection((plc.host, plc.port), timeout=5) as other:
        while ask(other, READ_1_AT_7)[-1] != 120:
            pass
    assert plc.writes == [Write(6, 7, (120,))]


def test_reset_after_a_write_is_a_reset(plc: FaultyPlc, client: socket.socket) -> None:
    """The connection ends with RST, not with a polite end of stream."""
    plc.misbehave(RESET_AFTER, on=WRITES)
    with pytest.raises(ConnectionResetError):
        ask(client, WRITE_120_AT_7)
    assert plc.writes == [Write(6, 7, (120,))]


def test_short_answer_is_a_part_of_the_right_one(plc: FaultyPlc, client: socket.socket) -> None:
    """The end is missing."""
    plc.misbehave(SHORT)
    answer = ask(client, WRITE_120_AT_7)
    assert answer
    assert WRITE_120_AT_7.startswith(answer)
    assert answer != WRITE_120_AT_7


def test_answer_sent_twice_is_one_write(plc: FaultyPlc, client: socket.socket) -> None:
    """Only the answer is doubled."""
    plc.misbehave(TWICE, on=WRITES)
    assert ask(client, WRITE_120_AT_7) == WRITE_120_AT_7 * 2
    assert plc.writes == [Write(6, 7, (120,))]


def test_rule_counts_only_the_requests_it_is_about(plc: FaultyPlc, client: socket.socket) -> None:
    """After one write that passes, two writes are refused; reads do not count."""
    plc.misbehave(refuse(6), on=WRITES, after=1, times=2)
    codes = [ask(client, frame)[7] for frame in [WRITE_120_AT_7, READ_1_AT_7, *[WRITE_120_AT_7] * 3]]
    assert codes == [6, 3, 0x86, 0x86, 6]


def test_rule_without_an_end_lasts_until_it_is_forgotten(plc: FaultyPlc, client: socket.socket) -> None:
    """``times=None`` is for ever, ``behave`` ends it."""
    plc.misbehave(refuse(2), on=READS, times=None)
    assert [ask(client, READ_1_AT_7)[7] for _ in range(3)] == [0x83] * 3
    plc.behave()
    assert ask(client, READ_1_AT_7)[7] == 3


def test_power_cycle_ends_connections_and_may_zero_the_memory(plc: FaultyPlc, client: socket.socket) -> None:
    """The port stays the same; while it is off nobody is let in."""
    ask(client, WRITE_120_AT_7)
    plc.power_off()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((plc.host, plc.port), timeout=5)
    plc.power_on(zeroed=True)
    with socket.create_connection((plc.host, plc.port), timeout=5) as again:
        assert ask(again, READ_1_AT_7)[-2:] == b"\0\0"
