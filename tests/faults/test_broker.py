"""The broker killed, without memory, or with one that nobody can read: doses and settings under way then."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pytest

from gateway.demo.roles import BROKER
from gateway.protocol.errors import Unavailable
from gateway.protocol.messages import SiteState
from tests import plc_faults as faults
from tests.conditions import eventually
from tests.http_client import Answer
from tests.system import PLACES, System

ASKED: Final = ("setting", "dose")


@pytest.fixture(scope="module")
def remembering_system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """Its broker writes down what is retained, and its beats are rare."""
    home = tmp_path_factory.mktemp("remembering") / "home"
    with System.running(home, heartbeat_s=20, alive_expiry_s=25, persistence=True) as running:
        yield running


@pytest.mark.fault("F1")
@pytest.mark.invariant("I1")
@pytest.mark.invariant("I7")
@pytest.mark.parametrize("asked", ASKED)
def test_broker_killed_while_a_command_runs_costs_its_answer_not_its_truth(system: System, asked: str) -> None:
    """Whoever waits gets 202; the write that was under way ends, once, and its end is told when there is a broker."""
    before, grams = len(system.doses()), system.fresh()
    system.plc.misbehave(faults.delay(0.8), on=faults.WRITES, times=1)
    waiting = system.write_aside({"portion_g": grams}) if asked == "setting" else system.feed_aside(60, wait_s=5)
    eventually(lambda: system.written(grams) or len(system.doses()) > before, what="the write at the PLC")
    system.stack.kill(BROKER)
    answer = waiting.result()
    assert (answer.status, answer.body["final"]) == (202, False)
    system.stack.start([BROKER])
    assert system.ended(answer.command)["state"] == "applied"
    assert (system.written(grams), len(system.doses()) - before) == ((1, 0) if asked == "setting" else (0, 1))


@pytest.mark.fault("F1")
@pytest.mark.invariant("I5")
def test_command_without_a_broker_is_refused_and_not_kept_for_later(system: System) -> None:
    """No row, and nothing happens when the broker is there again; the same key is then a new command."""
    before, rows, epoch = len(system.doses()), len(system.http.commands()), system.epoch
    system.stack.kill(BROKER)
    eventually(lambda: not system.http.get("/readyz").body["parts"]["broker"]["ok"], what="the facade's notice")
    refused = [system.http.write({"portion_g": 480}), system.feed(60, key="no-broker")]
    assert {each.status for each in refused} == {503}
    assert len(system.http.commands()) == rows
    _connected_anew(system, epoch)
    again = system.feed(65, key="no-broker")
    assert (again.verdict, again.replayed) == ((200, "applied"), False)
    assert (system.written(480), [dose.asked for dose in system.doses()[before:]]) == (0, [65])


@pytest.mark.fault("F2")
@pytest.mark.invariant("I4")
@pytest.mark.invariant("I11")
def test_broker_without_memory_hears_everything_again(system: System) -> None:
    """Status, descriptions and states are retained anew by the agents; doses pass at once."""
    before = len(system.doses())
    system.stack.kill(BROKER)
    system.stack.start([BROKER])
    eventually(lambda: _feeds(system).verdict == (200, "applied"), within_s=20, what="a dose")
    assert [dose.counted for dose in system.doses()[before:]] == [50]
    with system.auditor() as auditor:
        eventually(lambda: auditor.descriptions.keys() == PLACES.keys(), what="the descriptions, retained")
        assert auditor.statuses()[0].state is SiteState.ONLINE


def _connected_anew(system: System, epoch: int | None) -> None:
    """The last beat of the former connection still holds the gate open for a while; the site refuses what names it."""
    system.heal()
    eventually(lambda: (system.epoch or 0) > (epoch or 0), within_s=30, what="a beat of the new connection")


def _feeds(system: System) -> Answer:
    return system.feed(50)


@pytest.mark.fault("F4")
@pytest.mark.invariant("I4")
@pytest.mark.invariant("I7")
def test_broker_whose_memory_is_spoilt_says_so_and_serves_without_it(remembering_system: System) -> None:
    """It does not start on a file full of zeros; once that is taken away, all is said again and doses pass."""
    system = remembering_system
    before, epoch = len(system.doses()), system.epoch
    memory = system.stack.plan.home / "broker" / "data" / "mosquitto.db"
    system.stack.children[BROKER].stop()
    memory.write_bytes(bytes(memory.stat().st_size))
    with pytest.raises(Unavailable, match=r"(?i)persistent|db"):
        system.stack.start([BROKER])
    refused = system.feed(50, key="spoilt")
    assert refused.status == 503
    memory.unlink()
    _connected_anew(system, epoch)
    assert system.feed(50, key="spoilt").verdict == (200, "applied")
    assert [dose.counted for dose in system.doses()[before:]] == [50]
