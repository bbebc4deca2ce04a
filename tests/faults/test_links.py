"""Links that lose everything, lose one direction, or keep a command for nine seconds: settings and doses alike."""

from __future__ import annotations

import time
from concurrent.futures import Future
from typing import Final

import pytest

from gateway.protocol.codes import AckCode
from tests import plc_faults as faults
from tests.conditions import STRETCH, eventually
from tests.http_client import Answer
from tests.proxy import Way
from tests.system import System

ASKED: Final = ("setting", "dose")


def _ask(system: System, asked: str, grams: int, *, wait_s: int, ttl_s: float = 10) -> Future[Answer]:
    if asked == "setting":
        return system.write_aside({"portion_g": grams}, wait_s=wait_s, ttl_s=ttl_s)
    return system.feed_aside(60, wait_s=wait_s, ttl_s=ttl_s)


class _Count:
    """How often the PLC did what is asked for, since now."""

    def __init__(self, system: System) -> None:
        self.grams = system.fresh()
        self._system, self._doses = system, len(system.doses())

    @property
    def done(self) -> int:
        """Settings and doses together; a test asks for one of them."""
        return self._system.written(self.grams) + len(self._system.doses()) - self._doses


# --- the agent's ---------------------------------------------------------------------------------------------


@pytest.mark.fault("F5")
@pytest.mark.invariant("I1")
@pytest.mark.invariant("I4")
@pytest.mark.parametrize("asked", ASKED)
def test_agent_cut_off_under_a_command_tells_its_end_when_it_is_back(system: System, asked: str) -> None:
    """The PLC goes on; whoever waits gets no claim, the gate shuts by expiry, and the end comes with the link."""
    count = _Count(system)
    system.plc.misbehave(faults.delay(0.8), on=faults.WRITES, times=1)
    waiting = _ask(system, asked, count.grams, wait_s=2)
    eventually(lambda: count.done, what="the write at the PLC")
    system.agent_wire.drop()
    assert (waiting.result().status, waiting.result().body["final"]) == (202, False)
    shut_s = (system.stack.plan.alive_expiry_s + 1) * STRETCH
    eventually(lambda: system.feed(70, wait_s=0, ttl_s=1).code == "site-offline", within_s=shut_s, what="the gate shut")
    system.heal()
    assert system.ended(waiting.result().command, within_s=30)["state"] == "applied"
    for row in system.http.commands():
        if row["ttl_s"] == 1:
            system.ended(row["id"], within_s=30)
    assert count.done == 1


@pytest.mark.fault("F6")
@pytest.mark.invariant("I1")
@pytest.mark.invariant("I3")
@pytest.mark.parametrize("asked", ASKED)
def test_agent_that_hears_but_is_not_heard_does_it_once_and_says_so_later(system: System, asked: str) -> None:
    """Beats and acks are lost: no claim until the link carries both ways again."""
    count = _Count(system)
    system.agent_wire.drop(Way.TO_SERVER)
    answer = _ask(system, asked, count.grams, wait_s=2).result()
    assert (answer.status, answer.body["final"]) == (202, False)
    eventually(lambda: count.done, what="the write at the PLC")
    system.heal()
    assert system.ended(answer.command, within_s=30)["state"] == "applied"
    assert count.done == 1


@pytest.mark.fault("F6")
@pytest.mark.invariant("I2")
@pytest.mark.invariant("I7")
@pytest.mark.parametrize("asked", ASKED)
def test_agent_that_is_heard_but_hears_nothing_never_does_it(system: System, asked: str) -> None:
    """Its beats keep the gate open; the command is lost, and its end is a proved `expired`, not a guess."""
    count = _Count(system)
    system.agent_wire.drop(Way.TO_CLIENT)
    answer = _ask(system, asked, count.grams, wait_s=2, ttl_s=1).result()
    assert (answer.status, answer.body["final"]) == (202, False)
    system.heal()
    assert system.ended(answer.command, within_s=30)["state"] == "expired"
    assert count.done == 0


# --- the facade's --------------------------------------------------------------------------------------------


@pytest.mark.fault("F8")
@pytest.mark.invariant("I5")
def test_fifty_doses_asked_without_a_link_never_come(system: System) -> None:
    """All are refused, none has a row, and none falls when the link is there again."""
    before, rows = len(system.doses()), len(system.http.commands())
    system.facade_wire.cut(refuse=True)
    eventually(lambda: not system.http.get("/readyz").body["parts"]["broker"]["ok"], what="the facade's notice")
    verdicts = [system.feed(60).verdict for _ in range(50)]
    assert set(verdicts) == {(503, "broker-unavailable")}
    assert len(system.http.commands()) == rows
    system.heal()
    assert system.feed(65).verdict == (200, "applied")
    assert [dose.asked for dose in system.doses()[before:]] == [65]


@pytest.mark.fault("F9")
@pytest.mark.invariant("I2")
@pytest.mark.invariant("I5")
@pytest.mark.parametrize("asked", ASKED)
def test_command_held_for_nine_seconds_is_expired_and_does_nothing(system: System, asked: str) -> None:
    """It was asked for with two seconds to live; when it comes, it is too late, and everybody is told so."""
    count = _Count(system)
    system.facade_wire.hold(Way.TO_SERVER)
    asked_s = time.monotonic()
    answer = _ask(system, asked, count.grams, wait_s=1, ttl_s=2).result()
    assert (answer.status, answer.body["state"]) == (202, "pending")
    eventually(lambda: time.monotonic() - asked_s > 9, within_s=12, what="nine seconds")
    system.facade_wire.release()
    end = system.ended(answer.command, within_s=30)
    assert (end["state"], end["code"]) == ("expired", AckCode.DEADLINE_PASSED)
    assert count.done == 0
