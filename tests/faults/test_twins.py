"""Two agents where there should be one: a cloned PC, one folder used twice, two sites' files that name one PLC."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.protocol.codes import AckCode
from gateway.protocol.lifecycle import State
from tests.agents import AgentProcess, Technician
from tests.conditions import eventually
from tests.mqtt_client import MqttClient
from tests.plc import FaultyPlc
from tests.running_broker import RunningBroker


@pytest.fixture
def plc() -> Iterator[FaultyPlc]:
    """A PLC with one feeder."""
    with FaultyPlc.running() as running:
        running.set(0, 50, 60, 1)
        running.add_feeder(0)
        yield running


@pytest.fixture
def technician(broker: RunningBroker, site_id: str) -> Iterator[Technician]:
    """Ana, who may command every site."""
    with MqttClient(broker.add_person("@ana")) as client:
        yield Technician(client, site_id, "@ana")


@pytest.fixture
def agent(
    broker: RunningBroker, site_id: str, tmp_path: Path, plc: FaultyPlc, technician: Technician
) -> Iterator[AgentProcess]:
    """The first one, at work."""
    with _at_work(AgentProcess(broker.add_site(site_id), tmp_path / "first", plc.port), technician) as running:
        yield running


@contextmanager
def _at_work(process: AgentProcess, technician: Technician, above: int = 0) -> Iterator[AgentProcess]:
    with process.running() as running:
        technician.online(above=above)
        eventually(lambda: any(state.quality == "good" for state in technician.states()), what="a good state")
        yield running


@pytest.mark.fault("F22")
@pytest.mark.invariant("I1")
@pytest.mark.invariant("I12")
def test_cloned_pc_leaves_one_agent_and_every_command_at_most_once(
    agent: AgentProcess, technician: Technician, plc: FaultyPlc, tmp_path: Path
) -> None:
    """Two folders with one journal and one name: one says `duplicate-agent` and stays away, the other serves."""
    epoch = technician.statuses()[-1].epoch
    agent.stop()
    shutil.copytree(agent.folder, tmp_path / "clone")
    clone = replace(agent, folder=tmp_path / "clone")
    agent.start()
    technician.online(above=epoch)
    asked = []
    with clone.running():
        for grams in range(55, 105, 5):
            asked += [technician.send({"portion_g": grams}, ttl_s=2), technician.feed(grams, ttl_s=2)]
            held = len(technician.beats())
            eventually(lambda: len(technician.beats()) > held, within_s=20, what="a beat of either")  # noqa: B023 # now
        eventually(lambda: _gave_up(agent) or _gave_up(clone), within_s=30, what="one of them gives up")
        last = eventually(lambda: _applied(technician), within_s=30, what="a command that is applied")
    assert not (_gave_up(agent) and _gave_up(clone))
    settings = [write.words[0] for write in plc.writes if write.address == 0]
    doses = [dose.asked for dose in plc.doses]
    assert len(settings) == len(set(settings))
    assert len(doses) == len(set(doses))
    applied = [ack.id for each in {*asked, last} for ack in technician.acks(each)[-1:] if ack.state is State.APPLIED]
    assert len(applied) <= len(settings) + len(doses)


def _gave_up(agent: AgentProcess) -> bool:
    return "duplicate-agent" in agent.log()


def _applied(technician: Technician) -> str | None:
    command = technician.send({"portion_g": 500 + 5 * len(technician.beats())}, ttl_s=2)
    try:
        return command if technician.final(command, within_s=3).state is State.APPLIED else None
    except AssertionError:  # nobody heard it; the next one
        return None


@pytest.mark.fault("F22")
@pytest.mark.invariant("I12")
def test_second_agent_on_one_folder_does_not_start(agent: AgentProcess, technician: Technician) -> None:
    """The journal has one owner; the first one goes on undisturbed."""
    epoch = technician.statuses()[-1].epoch
    second = replace(agent)
    second.start()
    assert second.process is not None
    assert second.process.wait(20) != 0
    assert "works in" in second.log() or str(agent.folder / "agent") in second.log()
    assert technician.final(technician.feed(50)).epoch == epoch


@pytest.mark.fault("F23")
@pytest.mark.invariant("I12")
def test_two_sites_at_one_mailbox_leave_the_doses_to_the_higher_epoch(
    agent: AgentProcess, broker: RunningBroker, technician: Technician, plc: FaultyPlc, tmp_path: Path
) -> None:
    """A site's file copied to another site: the one that came later has the PLC, the other is told `fenced`."""
    first = technician.final(technician.feed(50))
    assert (first.state, first.epoch) == (State.APPLIED, technician.statuses()[-1].epoch)
    # Epochs count seconds, and the second site must come later.
    eventually(lambda: time.time() > first.epoch + 1, what="the next second")
    other = f"{agent.login.username}-b"
    login = broker.add_site(other)
    with MqttClient(broker.add_person("@bob")) as client:
        bob = Technician(client, other, "@bob")
        with _at_work(AgentProcess(login, tmp_path / "second", plc.port), bob):
            assert bob.final(bob.feed(60)).state is State.APPLIED
            refused = technician.final(technician.feed(70))
            assert (refused.state, refused.code) == (State.REJECTED, AckCode.FENCED)
            assert bob.final(bob.feed(80)).state is State.APPLIED
    assert [dose.asked for dose in plc.doses] == [50, 60, 80]
