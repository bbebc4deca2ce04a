"""An agent's machine that sleeps: what was sent to it meanwhile is not done when it wakes."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.demo.roles import AGENT
from gateway.protocol.lifecycle import State
from gateway.protocol.messages import SiteState
from tests.agents import AgentProcess, Technician
from tests.conditions import STRETCH, eventually
from tests.mqtt_client import MqttClient
from tests.plc import FaultyPlc
from tests.running_broker import RunningBroker
from tests.system import System


@pytest.fixture
def plc() -> Iterator[FaultyPlc]:
    """A PLC with one feeder."""
    with FaultyPlc.running() as running:
        running.set(0, 50, 60, 1)
        running.add_feeder(0)
        yield running


@pytest.fixture
def technician(broker: RunningBroker, site_id: str) -> Iterator[Technician]:
    """Ana, who asks without naming a beat."""
    with MqttClient(broker.add_person("@ana")) as client:
        yield Technician(client, site_id, "@ana")


@pytest.fixture
def agent(
    broker: RunningBroker, site_id: str, tmp_path: Path, plc: FaultyPlc, technician: Technician
) -> Iterator[AgentProcess]:
    """At work; it beats every 0.3 s, so that a silence shows soon."""
    process = AgentProcess(broker.add_site(site_id), tmp_path / "site", plc.port, heartbeat_s=0.3)
    with process.running() as running:
        technician.online()
        eventually(lambda: any(state.quality == "good" for state in technician.states()), what="a good state")
        assert technician.final(technician.feed(5)).state is State.APPLIED
        yield running


@pytest.mark.fault("F24")
@pytest.mark.invariant("I2")
@pytest.mark.invariant("I4")
def test_agent_that_slept_until_it_was_given_up_does_nothing_of_what_came(
    agent: AgentProcess, technician: Technician, plc: FaultyPlc
) -> None:
    """Neither what waited in its socket nor what came after its will; it comes back under a higher epoch."""
    epoch = technician.statuses()[-1].epoch
    agent.signal(signal.SIGSTOP)
    sent = [technician.send({"portion_g": 75}, ttl_s=30), technician.feed(60, ttl_s=30)]
    eventually(lambda: technician.statuses()[-1].state is SiteState.OFFLINE, within_s=20, what="the will")
    sent += [technician.send({"portion_g": 80}, ttl_s=30), technician.feed(65, ttl_s=30)]
    agent.signal(signal.SIGCONT)
    technician.online(above=epoch, within_s=20)
    assert technician.final(technician.send({"portion_g": 85}), within_s=15).state is State.APPLIED
    assert technician.final(technician.feed(70), within_s=15).state is State.APPLIED
    assert plc.get(0) == (85,)
    assert [write.words for write in plc.writes if write.address == 0] == [(85,)]
    assert [dose.asked for dose in plc.doses] == [5, 70]
    assert {ack.state for each in sent for ack in technician.acks(each)} <= {State.EXPIRED, State.REJECTED}


@pytest.mark.fault("F24")
@pytest.mark.invariant("I2")
def test_agent_that_slept_beyond_a_deadline_says_expired(
    agent: AgentProcess, technician: Technician, plc: FaultyPlc
) -> None:
    """The broker had not given it up, so it finds the commands when it wakes; they are too old."""
    agent.signal(signal.SIGSTOP)
    asked_s = time.monotonic()
    sent = [technician.send({"portion_g": 75}, ttl_s=0.5), technician.feed(60, ttl_s=0.5)]
    eventually(lambda: time.monotonic() > asked_s + 0.7, what="the deadline")
    agent.signal(signal.SIGCONT)
    assert [technician.final(each, within_s=15).state for each in sent] == [State.EXPIRED] * 2
    assert plc.get(0) == (50,)
    assert [dose.asked for dose in plc.doses] == [5]


@pytest.mark.fault("F24")
@pytest.mark.invariant("I2")
@pytest.mark.invariant("I4")
@pytest.mark.invariant("I7")
def test_commands_that_passed_the_gate_of_a_sleeping_agent_end_expired(system: System) -> None:
    """The gate shuts by the last beat; what it let through before is too late after the wake, and everybody is told."""
    before, grams, old_s = len(system.doses()), system.fresh(), time.monotonic() + 2
    system.stack.freeze(AGENT)
    passed = [system.http.write({"portion_g": grams}, wait_s=0, ttl_s=2), system.feed(60, wait_s=0, ttl_s=2)]
    assert [each.status for each in passed] == [202, 202]
    shut_s = (system.stack.plan.alive_expiry_s + 1) * STRETCH
    eventually(lambda: system.epoch is None, within_s=shut_s, what="the gate shut")
    assert system.feed(65, wait_s=0, ttl_s=30).code == "site-offline"
    eventually(lambda: time.monotonic() > old_s, what="the deadline")
    system.heal()
    assert {system.ended(each.command, within_s=30)["state"] for each in passed} == {"expired"}
    assert system.feed(70).verdict == (200, "applied")
    assert system.written(grams) == 0
    assert [dose.asked for dose in system.doses()[before:]] == [70]
