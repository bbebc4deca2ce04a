"""A real agent between a real broker and a PLC that misbehaves on order: its writes."""

import contextlib
import sqlite3

import pytest

from gateway.protocol.codes import AckCode
from gateway.protocol.lifecycle import State
from gateway.protocol.messages import Expect, PlcLink
from gateway.protocol.topics import CommandTopic
from tests import plc_faults as faults
from tests.agents import AgentProcess, Technician, fresh_id
from tests.conditions import eventually
from tests.mqtt_client import MqttClient
from tests.plc import FaultyPlc, Write
from tests.running_broker import RunningBroker


@pytest.mark.invariant("I3")
@pytest.mark.usefixtures("agent")
def test_write_good_is_applied_and_the_plc_holds_it(technician: Technician, plc: FaultyPlc) -> None:
    """Applied means that the register holds the value."""
    ack = technician.final(technician.send({"portion_g": 120}))
    assert (ack.state, ack.result) == (State.APPLIED, {"portion_g": 120})
    assert plc.get(0) == (120,)


@pytest.mark.usefixtures("agent")
def test_write_applied_shows_in_the_retained_state(technician: Technician) -> None:
    """Whoever looks at the device sees the new value without asking."""
    technician.final(technician.send({"portion_g": 125}))
    eventually(lambda: technician.states()[-1].properties["portion_g"] == 125, what="the state", within_s=2)


@pytest.mark.usefixtures("agent", "plc")
def test_panel_edit_shows_in_the_retained_state(technician: Technician, plc: FaultyPlc) -> None:
    """A value changed at the PLC itself is reported, with another revision."""
    before = technician.states()[-1].revision
    plc.set(1, 45)
    eventually(lambda: technician.states()[-1].properties["interval_min"] == 45, what="the state")
    assert technician.states()[-1].revision != before


@pytest.mark.fault("F37")
@pytest.mark.invariant("I1")
@pytest.mark.usefixtures("agent")
def test_command_twice_writes_once_and_says_duplicate(technician: Technician, plc: FaultyPlc) -> None:
    """QoS 1 may deliver twice; the PLC hears it once."""
    command = fresh_id()
    technician.final(technician.send({"portion_g": 130}, id=command))
    technician.send({"portion_g": 130}, id=command)
    eventually(lambda: any(ack.duplicate for ack in technician.acks(command)), what="a duplicate ack")
    assert plc.writes == [Write(6, 0, (130,))]


@pytest.mark.invariant("I1")
def test_command_repeated_after_a_restart_is_answered_from_the_journal(
    agent: AgentProcess, technician: Technician, plc: FaultyPlc
) -> None:
    """The memory of what was done is on disk."""
    command = fresh_id()
    ack = technician.final(technician.send({"portion_g": 135}, id=command))
    agent.kill()
    agent.start()
    technician.online(above=ack.epoch)
    technician.send({"portion_g": 135}, id=command)
    eventually(lambda: any(ack.duplicate for ack in technician.acks(command)), what="a duplicate ack")
    assert len(plc.writes) == 1


@pytest.mark.fault("F20")
@pytest.mark.invariant("I1")
@pytest.mark.invariant("I3")
def test_agent_killed_between_write_and_ack_tells_the_truth_after_restart(
    agent: AgentProcess, technician: Technician, plc: FaultyPlc
) -> None:
    """One write in total, and an ack that says so (F20)."""
    plc.misbehave(faults.LOST, on=faults.WRITES)
    command = technician.send({"portion_g": 140})
    eventually(lambda: plc.writes, what="the write")
    agent.kill()
    assert not [ack for ack in technician.acks(command) if ack.final]
    plc.behave()
    agent.start()
    assert technician.final(command).state is State.APPLIED
    assert plc.writes == [Write(6, 0, (140,))]


@pytest.mark.fault("F19")
@pytest.mark.invariant("I3")
def test_agent_killed_before_the_plc_acted_says_not_written(
    agent: AgentProcess, technician: Technician, plc: FaultyPlc
) -> None:
    """An intent without an effect ends as failed, proved by the former value, and is not tried again."""
    plc.misbehave(faults.DROP, on=faults.WRITES)
    command = technician.send({"portion_g": 145})
    eventually(lambda: any(each.function_code in faults.WRITES for each in plc.requests), what="the request")
    agent.kill()
    agent.start()
    ack = technician.final(command)
    assert (ack.state, ack.code) == (State.FAILED, AckCode.NOT_WRITTEN)
    assert plc.writes == []


@pytest.mark.invariant("I1")
@pytest.mark.invariant("I3")
@pytest.mark.usefixtures("agent")
@pytest.mark.parametrize(
    "fault",
    [faults.LOST, faults.RESET_AFTER, faults.ANOTHER_ADDRESS, faults.ANOTHER_VALUE, faults.GARBAGE, faults.SHORT],
    ids=lambda fault: fault.kind,
)
def test_write_done_but_not_confirmed_is_applied_by_reading(
    technician: Technician, plc: FaultyPlc, fault: faults.Fault
) -> None:
    """The reply was lost or wrong, the effect is there: one write, and the truth from a new connection (F11, F15)."""
    plc.misbehave(fault, on=faults.WRITES)
    assert technician.final(technician.send({"portion_g": 150})).state is State.APPLIED
    assert plc.writes == [Write(6, 0, (150,))]


@pytest.mark.invariant("I3")
@pytest.mark.usefixtures("agent")
@pytest.mark.parametrize("fault", [faults.DROP, faults.RESET_BEFORE], ids=lambda fault: fault.kind)
def test_write_lost_on_the_way_is_failed_by_two_reads(
    technician: Technician, plc: FaultyPlc, fault: faults.Fault
) -> None:
    """The PLC never acted: failed, with the proof, and never tried again (F12)."""
    plc.misbehave(fault, on=faults.WRITES)
    ack = technician.final(technician.send({"portion_g": 155}))
    assert (ack.state, ack.code) == (State.FAILED, AckCode.NOT_WRITTEN)
    assert (plc.writes, plc.get(0)) == ([], (50,))


@pytest.mark.fault("F13")
@pytest.mark.invariant("I3")
@pytest.mark.usefixtures("agent")
def test_write_refused_by_the_plc_is_failed(technician: Technician, plc: FaultyPlc) -> None:
    """An exception is an answer: not done (F13)."""
    plc.misbehave(faults.refuse(3), on=faults.WRITES)
    ack = technician.final(technician.send({"portion_g": 160}))
    assert (ack.state, ack.code) == (State.FAILED, AckCode.PLC_REFUSED)
    assert plc.get(0) == (50,)


@pytest.mark.fault("F18")
@pytest.mark.invariant("I3")
@pytest.mark.usefixtures("agent")
@pytest.mark.parametrize(("fault", "held"), [(faults.LIE, 50), (faults.clamp(100), 100)], ids=["lie", "clamp"])
def test_write_confirmed_but_not_held_is_never_applied(
    technician: Technician, plc: FaultyPlc, fault: faults.Fault, held: int
) -> None:
    """A confirmation is not a proof; the read-back is in the result."""
    plc.misbehave(fault, on=faults.WRITES)
    ack = technician.final(technician.send({"portion_g": 165}))
    assert (ack.state, ack.code) == (State.FAILED, AckCode.READ_BACK_DIFFERS)
    assert ack.result == {"portion_g": held}


@pytest.mark.fault("F11")
@pytest.mark.invariant("I3")
@pytest.mark.usefixtures("agent")
def test_write_to_a_plc_gone_silent_is_unknown_until_it_answers_again(technician: Technician, plc: FaultyPlc) -> None:
    """No evidence, no claim; evidence later, the truth later."""
    plc.misbehave(faults.LOST, on=faults.WRITES).misbehave(faults.DROP, on=faults.READS, times=None)
    command = technician.send({"portion_g": 170})
    eventually(lambda: any(ack.state is State.UNKNOWN for ack in technician.acks(command)), what="unknown")
    plc.behave()
    assert technician.final(command).state is State.APPLIED
    assert len(plc.writes) == 1


@pytest.mark.usefixtures("agent")
def test_write_to_a_lost_plc_is_rejected(technician: Technician, plc: FaultyPlc) -> None:
    """Nothing can be sent, so nothing was; the heartbeat says which PLC is lost."""
    plc.power_off()
    eventually(lambda: technician.beats()[-1].plcs["plc-1"] is PlcLink.LOST, what="a beat with the PLC lost")
    ack = technician.final(technician.send({"portion_g": 175}))
    assert (ack.state, ack.code) == (State.REJECTED, AckCode.PLC_LOST)


@pytest.mark.usefixtures("agent")
def test_plc_back_again_takes_writes(technician: Technician, plc: FaultyPlc) -> None:
    """A lane finds its PLC again by itself."""
    plc.power_off()
    eventually(lambda: technician.beats()[-1].plcs["plc-1"] is PlcLink.LOST, what="a beat with the PLC lost")
    plc.power_on()
    eventually(lambda: technician.beats()[-1].plcs["plc-1"] is PlcLink.OK, what="a beat with the PLC back")
    assert technician.final(technician.send({"portion_g": 180})).state is State.APPLIED


@pytest.mark.usefixtures("agent")
def test_write_with_a_foreign_revision_is_rejected(technician: Technician, plc: FaultyPlc) -> None:
    """A conditional write compares in the PLC's lane, against fresh reads."""
    ack = technician.final(technician.send({"portion_g": 185}, expect=Expect(revision="0123456789abcdef")))
    assert (ack.state, ack.code) == (State.REJECTED, AckCode.EXPECT_FAILED)
    assert plc.writes == []


@pytest.mark.usefixtures("agent")
def test_write_with_the_right_revision_is_applied(technician: Technician) -> None:
    """The revision of the retained state is the one to expect."""
    revision = technician.states()[-1].revision
    assert revision is not None
    assert technician.final(technician.send({"portion_g": 190}, expect=Expect(revision=revision))).state == "applied"


@pytest.mark.fault("F46")
@pytest.mark.invariant("I1")
def test_retained_command_is_never_obeyed(
    agent: AgentProcess, broker: RunningBroker, technician: Technician, plc: FaultyPlc
) -> None:
    """It would come again at every connect (F46)."""
    command = fresh_id()
    topic = str(CommandTopic(technician.site, technician.principal, "feeder-1", "write"))
    payload = b'{"id": "%s", "input": {"portion_g": 195}}' % command.encode()
    epoch = technician.statuses()[-1].epoch
    agent.kill()
    technician.send_bytes(payload, retain=True)
    agent.start()
    technician.online(above=epoch)
    assert technician.final(technician.send({"portion_g": 200})).state is State.APPLIED
    with MqttClient(broker.login("@ana")) as client:
        client.publish(topic, b"", retain=True)
    assert technician.acks(command) == []
    assert plc.writes == [Write(6, 0, (200,))]


@pytest.mark.fault("F41")
@pytest.mark.usefixtures("agent")
@pytest.mark.invariant("I15")
def test_bytes_that_are_no_command_are_survived(technician: Technician) -> None:
    """Garbage is reported and the next command works."""
    for payload in (b"", b"\xff", b"[]", b"{" * 5_000, b'{"input": {"portion_g": NaN}}', b'{"input": 1}'):
        technician.send_bytes(payload)
    assert technician.final(technician.send({"portion_g": 240})).state is State.APPLIED


@pytest.mark.fault("F25")
@pytest.mark.invariant("I1")
@pytest.mark.invariant("I6")
def test_command_refused_for_a_locked_journal_stays_refused(
    agent: AgentProcess, technician: Technician, plc: FaultyPlc
) -> None:
    """Without its memory the agent does nothing, and a repeat is not carried out later (F25)."""
    command = fresh_id()
    with contextlib.closing(sqlite3.connect(agent.folder / "agent" / "journal.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        technician.send({"portion_g": 245}, id=command)
        assert technician.final(command, within_s=15).code == AckCode.JOURNAL_UNAVAILABLE
        other.execute("ROLLBACK")
    technician.send({"portion_g": 245}, id=command)
    eventually(lambda: any(ack.duplicate for ack in technician.acks(command)), what="a duplicate ack")
    assert {ack.state for ack in technician.acks(command)} == {State.REJECTED}
    assert technician.final(technician.send({"portion_g": 250})).state is State.APPLIED
    assert plc.writes == [Write(6, 0, (250,))]
