"""Somebody turns a knob at the PLC: told as an event, and never confused with a command of ours."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.protocol.codec import decode
from gateway.protocol.codes import AckCode
from gateway.protocol.lifecycle import State
from gateway.protocol.messages import Event, Expect, Quality
from gateway.protocol.topics import CHANGED_AT_SITE, EventTopic
from tests import plc_faults as faults
from tests.agents import AgentProcess, Technician
from tests.conditions import eventually
from tests.mqtt_client import MqttClient
from tests.plc import FaultyPlc
from tests.running_broker import RunningBroker


class _Witness:
    def __init__(self, client: MqttClient, site: str) -> None:
        self._client, self._topic = client, EventTopic(site, "feeder-1", CHANGED_AT_SITE)
        client.subscribe(str(self._topic))

    def edits(self) -> list[tuple[object, object, object]]:
        topic = str(self._topic)
        events = [decode(Event, topic, each.payload) for each in self._client.received() if each.topic == topic]
        return [(each.data["property"], each.data["old"], each.data["new"]) for each in events]


@pytest.fixture
def witness(agent: AgentProcess, broker: RunningBroker, technician: Technician) -> Iterator[_Witness]:
    """Sees the events of the feeder."""
    assert agent.process is not None
    with MqttClient(broker.add_person("@bob")) as client:
        yield _Witness(client, technician.site)


def test_panel_edit_is_an_event_with_old_and_new_value_and_a_new_revision(
    witness: _Witness, technician: Technician, plc: FaultyPlc
) -> None:
    """Everybody who follows the site sees who had the last word."""
    before = technician.states()[-1].revision
    plc.set(0, 75)
    eventually(lambda: witness.edits() == [("portion_g", 50, 75)], what="the event")
    eventually(lambda: technician.states()[-1].properties["portion_g"] == 75, what="the state")
    assert technician.states()[-1].revision != before


def test_command_of_ours_is_no_panel_edit(witness: _Witness, technician: Technician, plc: FaultyPlc) -> None:
    """Not even one whose answer was lost while the PLC was mute."""
    assert technician.final(technician.send({"portion_g": 75})).state is State.APPLIED
    plc.misbehave(faults.LOST, on=faults.WRITES).misbehave(faults.DROP, on=faults.READS, times=3)
    assert technician.final(technician.send({"portion_g": 80}), within_s=20).state in {State.APPLIED, State.UNKNOWN}
    eventually(lambda: technician.states()[-1].properties["portion_g"] == 80, within_s=20, what="the state")
    plc.set(1, 45)
    eventually(lambda: ("interval_min", 60, 45) in witness.edits(), what="the event of a real edit")
    assert witness.edits() == [("interval_min", 60, 45)]


def test_edit_while_the_plc_was_out_of_reach_is_told_afterwards(
    witness: _Witness, technician: Technician, plc: FaultyPlc
) -> None:
    """With the cause of the silence meanwhile."""
    plc.power_off()
    eventually(lambda: technician.states()[-1].quality is Quality.STALE, within_s=10, what="a stale state")
    assert "accepts no connection" in technician.states()[-1].cause or "broke" in technician.states()[-1].cause
    plc.set(0, 75)
    plc.power_on()
    eventually(lambda: witness.edits() == [("portion_g", 50, 75)], within_s=10, what="the event")
    assert technician.states()[-1].cause == ""


def test_write_refused_by_an_interlock_leaves_the_polls_alive(
    broker: RunningBroker, technician: Technician, tmp_path: Path, plc: FaultyPlc
) -> None:
    """What the refusal tells is not a value of the device."""
    edits = {"value = true}]": 'value = true, commands = ["write"]}]'}
    with AgentProcess(broker.add_site(technician.site), tmp_path / "locked", plc.port, edits=edits).running():
        technician.online()
        eventually(lambda: technician.states()[-1].quality is Quality.GOOD, what="a good state")
        plc.set(10, 1)
        assert technician.final(technician.send({"portion_g": 75})).code == AckCode.INTERLOCKED
        plc.set(10, 0)
        plc.set(1, 45)
        eventually(lambda: technician.states()[-1].properties["interval_min"] == 45, what="a later poll")
        assert technician.final(technician.send({"portion_g": 75})).state is State.APPLIED


def test_edit_that_a_refused_command_sees_first_is_told(
    witness: _Witness, technician: Technician, plc: FaultyPlc
) -> None:
    """It is read directly before the write, and is nobody's command."""
    revision = technician.states()[-1].revision
    assert revision is not None
    plc.set(0, 75)
    ack = technician.final(technician.send({"portion_g": 80}, expect=Expect(revision=revision)))
    assert ack.code == AckCode.EXPECT_FAILED
    eventually(lambda: witness.edits() == [("portion_g", 50, 75)], what="the event")
