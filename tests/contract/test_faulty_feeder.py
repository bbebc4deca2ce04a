"""The feeder of the tests' PLC, in what the ground truth of other tests hangs on; tests/contract has the rest."""

from __future__ import annotations

import logging
import socket
import time

import pytest

from site_agent.mailbox import MailboxCommand, MailboxStatus, Result
from tests.plc import FaultyPlc
from tests.plc_feeder import FEEDING, MAILBOX

DOSE = MailboxCommand(cmd_seq=7, last_seq=0, fence=3, op=1, arg_1=100)


def _command(plc: FaultyPlc, words: tuple[int, ...]) -> None:
    """By hand, without a wire."""
    plc.set(MAILBOX, *words)
    for feeder in plc.feeders.values():
        feeder.scan()


def _answer(plc: FaultyPlc) -> MailboxStatus:
    return MailboxStatus.from_words(plc.get(MAILBOX + 10, 12))


def test_power_cut_ends_a_dose_when_the_power_goes_not_when_it_returns() -> None:
    """However long it is dark, no grams fall meanwhile."""
    with FaultyPlc.running() as plc:
        plc.add_feeder(0, dose_s=3600)
        _command(plc, DOSE.words())
        assert plc.get(FEEDING) == (1,)
        plc.power_off()
        assert plc.doses[0].counted is not None
        assert plc.doses[0].counted < 100
        counted = plc.doses[0].counted
        plc.power_on()
        answer = _answer(plc)
        assert (answer.done_seq, answer.result, answer.busy_seq) == (7, Result.INTERRUPTED, 0)
        assert answer.counter_after - answer.counter_before == plc.doses[0].counted == counted
        assert plc.get(FEEDING) == (0,)


def test_dose_that_was_over_before_the_power_went_is_done() -> None:
    """Also if nobody has asked the PLC in between."""
    with FaultyPlc.running() as plc:
        feeder = plc.add_feeder(0, dose_s=30)
        _command(plc, DOSE.words())
        feeder.now = lambda: time.monotonic() + 120
        plc.power_off()
        plc.power_on()
        assert (_answer(plc).result, plc.doses[0].counted) == (Result.DONE, 100)


def test_power_cut_with_connections_open_logs_no_traceback(caplog: pytest.LogCaptureFixture) -> None:
    """Misfortune on order is nobody's error."""
    with caplog.at_level(logging.ERROR, logger="asyncio"), FaultyPlc.running() as plc:
        with socket.create_connection((plc.host, plc.port), timeout=5) as client:
            client.sendall(bytes.fromhex("0001 0000 0006 01 03 0000 0001"))
            assert client.recv(64)
            plc.power_off()
        plc.power_on()
    assert caplog.records == []
