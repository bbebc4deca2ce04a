"""A real agent's life: births, deaths, epochs, twins, and what it owes the centre."""

import signal
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.protocol.codec import encode
from gateway.protocol.codes import AckCode
from gateway.protocol.history import Committed
from gateway.protocol.lifecycle import State
from gateway.protocol.messages import After, SiteState, Status
from gateway.protocol.topics import CommittedTopic, StatusTopic
from tests import plc_faults as faults
from tests.agents import AgentProcess, Technician
from tests.conditions import eventually
from tests.mqtt_client import MqttClient
from tests.plc import FaultyPlc, Write
from tests.running_broker import RunningBroker


@pytest.mark.fault("F46")
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


@pytest.mark.fault("F21")
@pytest.mark.invariant("I11")
def test_agent_restarted_twice_at_once_is_known_by_its_last_life(
    agent: AgentProcess, technician: Technician, plc: FaultyPlc
) -> None:
    """Killed at its first word, and started again: epochs only rise, no goodbye of a former life stands."""
    first = technician.statuses()[-1].epoch
    for _ in range(2):
        agent.kill()
        said = len(technician.statuses())
        agent.start()
        eventually(lambda: _births(technician, since=said), within_s=20, what="a birth")  # noqa: B023 # now
    command = technician.send({"portion_g": 240})
    assert technician.final(command).state is State.APPLIED
    births = _births(technician)
    assert births == sorted(set(births))
    assert len(births) == 3
    assert births[0] == first
    eventually(lambda: technician.statuses()[-1].state is SiteState.ONLINE, what="online, for good")
    assert technician.statuses()[-1].epoch == births[-1]
    assert plc.writes == [Write(6, 0, (240,))]


def _births(technician: Technician, since: int = 0) -> list[int]:
    statuses = technician.statuses()[since:]
    return list(dict.fromkeys(each.epoch for each in statuses if each.state is SiteState.ONLINE))


@pytest.mark.fault("F39")
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


@pytest.mark.fault("F22")
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


@pytest.mark.fault("F24")
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


@pytest.mark.invariant("I12")
def test_command_that_waits_when_a_twin_appears_is_not_written(
    agent: AgentProcess, broker: RunningBroker, technician: Technician, plc: FaultyPlc
) -> None:
    """What was taken on, but not begun, is left to nobody."""
    online = technician.statuses()[-1]
    twin = Status(
        state=SiteState.ONLINE, epoch=online.epoch + 1, boot="ab" * 8, since=online.since, version=online.version
    )
    plc.misbehave(faults.LOST, on=faults.WRITES)
    technician.send({"portion_g": 255})
    eventually(lambda: plc.writes, what="the first write")
    waiting = technician.send({"interval_min": 15})
    with MqttClient(broker.login(technician.site, people=True)) as wire:
        wire.publish(str(StatusTopic(technician.site)), encode(twin))
    eventually(lambda: "duplicate-agent" in agent.log(), what="a report about the twin")
    agent.stop()
    assert plc.writes == [Write(6, 0, (255,))]
    assert not [ack for ack in technician.acks(waiting) if ack.state is State.APPLIED]


@pytest.mark.invariant("I11")
def test_agent_restored_from_an_old_image_goes_on_above_its_former_life(
    broker: RunningBroker, site_id: str, tmp_path: Path, plc: FaultyPlc, technician: Technician
) -> None:
    """The broker remembers how far that one came; whatever is lower would be ignored."""
    login = broker.add_site(site_id)
    former = Status(state=SiteState.OFFLINE, epoch=2**31, boot="0123456789abcdef", since=datetime.now(UTC), version="1")
    with MqttClient(login) as gone:
        gone.publish(str(StatusTopic(site_id)), encode(former), retain=True)
    with AgentProcess(login, tmp_path / "site", plc.port).running():
        assert technician.online().epoch == former.epoch + 1
