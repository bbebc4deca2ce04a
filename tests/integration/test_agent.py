"""A real agent between a real broker and a PLC that misbehaves on order."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.protocol.codec import encode
from gateway.protocol.codes import AckCode
from gateway.protocol.lifecycle import State
from gateway.protocol.messages import After, Committed, Expect, PlcLink, SiteState, Status
from gateway.protocol.topics import CommandTopic, CommittedTopic, StatusTopic
from tests import plc_faults as faults
from tests.agents import AgentProcess, Technician, fresh_id
from tests.conditions import eventually
from tests.mqtt_client import MqttClient
from tests.plc import FaultyPlc, Write
from tests.running_broker import RunningBroker


@pytest.fixture
def plc() -> Iterator[FaultyPlc]:
    """A PLC whose feeder gives 50 g every hour."""
    with FaultyPlc.running() as running:
        running.set(0, 50, 60, 1)
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
    """The site's agent, born and beating."""
    with AgentProcess(broker.add_site(site_id), tmp_path / "site", plc.port).running() as running:
        technician.online()
        eventually(lambda: any(state.quality == "good" for state in technician.states()), what="a good state")
        yield running


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


@pytest.mark.invariant("I3")
@pytest.mark.usefixtures("agent")
def test_write_refused_by_the_plc_is_failed(technician: Technician, plc: FaultyPlc) -> None:
    """An exception is an answer: not done (F13)."""
    plc.misbehave(faults.refuse(3), on=faults.WRITES)
    ack = technician.final(technician.send({"portion_g": 160}))
    assert (ack.state, ack.code) == (State.FAILED, AckCode.PLC_REFUSED)
    assert plc.get(0) == (50,)


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


@pytest.mark.invariant("I2")
def test_command_sent_while_the_agent_was_gone_never_comes_later(
    agent: AgentProcess, technician: Technician, plc: FaultyPlc
) -> None:
    """A silent site is left alone: what was said to nobody is gone."""
    epoch = technician.statuses()[-1].epoch
    agent.kill()
    lost = technician.send({"portion_g": 205})
    agent.start()
    technician.online(above=epoch)
    assert technician.final(technician.send({"portion_g": 210})).state is State.APPLIED
    assert technician.acks(lost) == []
    assert plc.writes == [Write(6, 0, (210,))]


@pytest.mark.invariant("I7")
def test_ack_is_repeated_until_committed(agent: AgentProcess, broker: RunningBroker, technician: Technician) -> None:
    """A PUBACK proves nothing; only the centre's word ends the repeats."""
    command = technician.send({"portion_g": 215})
    epoch = technician.final(command).epoch
    agent.kill()
    agent.start()
    epoch = technician.online(above=epoch).epoch
    eventually(lambda: len(technician.acks(command)) == 2, what="a second ack")
    with MqttClient(broker.login("@gateway", people=True)) as centre:
        centre.publish(str(CommittedTopic(technician.site)), encode(Committed(commands=(command,))))
    other = technician.send({"portion_g": 220})
    technician.final(other)
    agent.stop()
    agent.start()
    technician.online(above=epoch)
    eventually(lambda: len(technician.acks(other)) == 2, what="a second ack of the other")
    assert len(technician.acks(command)) == 2


def test_agent_stopped_says_stopped_and_finishes_the_write(
    agent: AgentProcess, technician: Technician, plc: FaultyPlc
) -> None:
    """SIGTERM in the middle of a slow write: the write is verified and acked, then `stopped` is published."""
    plc.misbehave(faults.delay(0.3), on=faults.WRITES)
    command = technician.send({"portion_g": 225})
    eventually(lambda: plc.writes, what="the write")
    assert agent.stop() == 0
    assert technician.final(command).state is State.APPLIED
    assert technician.statuses()[-1].state is SiteState.STOPPED


def test_agent_killed_leaves_a_will(agent: AgentProcess, technician: Technician) -> None:
    """The broker says what the agent cannot say any more."""
    epoch = technician.statuses()[-1].epoch
    agent.kill()
    eventually(lambda: technician.statuses()[-1].state is SiteState.OFFLINE, what="the will", within_s=15)
    assert technician.statuses()[-1].epoch == epoch


@pytest.mark.invariant("I11")
def test_epoch_rises_with_every_connection(agent: AgentProcess, technician: Technician) -> None:
    """Old words can be told from new ones."""
    first = technician.statuses()[-1].epoch
    agent.kill()
    agent.start()
    assert technician.online(above=first).epoch > first


@pytest.mark.invariant("I11")
@pytest.mark.usefixtures("agent")
def test_late_offline_is_corrected(broker: RunningBroker, technician: Technician) -> None:
    """A will of a former connection that comes late does not stand (F39)."""
    online = technician.statuses()[-1]
    late = Status(
        state=SiteState.OFFLINE, epoch=online.epoch - 1, boot=online.boot, since=online.since, version=online.version
    )
    with MqttClient(broker.login(technician.site, people=True)) as wire:
        wire.publish(str(StatusTopic(technician.site)), encode(late), retain=True)
    eventually(
        lambda: [each.state for each in technician.statuses()][-2:] == [SiteState.OFFLINE, SiteState.ONLINE],
        what="online after the late offline",
    )


@pytest.mark.invariant("I12")
def test_agent_that_hears_a_higher_epoch_stops_writing(
    agent: AgentProcess, broker: RunningBroker, technician: Technician, plc: FaultyPlc
) -> None:
    """A cloned PC: this one says so and stays away."""
    online = technician.statuses()[-1]
    twin = Status(
        state=SiteState.ONLINE, epoch=online.epoch + 1, boot="ab" * 8, since=online.since, version=online.version
    )
    with MqttClient(broker.login(technician.site, people=True)) as wire:
        wire.publish(str(StatusTopic(technician.site)), encode(twin))
    eventually(lambda: "duplicate-agent" in agent.log(), what="a report about the twin")
    command = technician.send({"portion_g": 230})
    agent.stop()
    assert technician.acks(command) == []
    assert plc.writes == []


@pytest.mark.invariant("I2")
def test_agent_that_slept_refuses_what_waited_for_it(
    agent: AgentProcess, technician: Technician, plc: FaultyPlc
) -> None:
    """A command that arrived while the process was frozen, and is too old when it wakes, is not carried out."""
    beat = technician.beats()[-1]
    agent.signal(signal.SIGSTOP)
    after = After(epoch=beat.epoch, seq=beat.seq, age_s=0.0)
    command = technician.send({"portion_g": 235}, ttl_s=0.5, after=after)
    asleep_until_s = time.monotonic() + 0.6
    eventually(lambda: time.monotonic() > asleep_until_s, what="the deadline")
    agent.signal(signal.SIGCONT)
    ack = technician.final(command)
    assert (ack.state, ack.code) == (State.EXPIRED, AckCode.DEADLINE_PASSED)
    assert plc.writes == []


@pytest.mark.usefixtures("agent")
@pytest.mark.invariant("I15")
def test_bytes_that_are_no_command_are_survived(technician: Technician) -> None:
    """Garbage is reported and the next command works."""
    for payload in (b"", b"\xff", b"[]", b"{" * 5_000, b'{"input": {"portion_g": NaN}}', b'{"input": 1}'):
        technician.send_bytes(payload)
    assert technician.final(technician.send({"portion_g": 240})).state is State.APPLIED
