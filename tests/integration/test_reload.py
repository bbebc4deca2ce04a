"""A site's file that changes while its agent runs: taken over whole, or not at all, and nothing is lost meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gateway.protocol.codec import decode
from gateway.protocol.codes import AckCode
from gateway.protocol.description import Description
from gateway.protocol.lifecycle import State
from gateway.protocol.messages import Quality
from gateway.protocol.topics import DescriptionTopic, StateTopic
from tests import plc_faults as faults
from tests.agents import AgentProcess, Technician
from tests.centre import running_centre
from tests.conditions import eventually
from tests.mqtt_client import MqttClient
from tests.plc import FaultyPlc
from tests.running_broker import RunningBroker

SECOND_FEEDER = """
[[devices]]
id = "feeder-2"
title = "Feeder 2"
plc = "plc-1"
[devices.properties.portion_g]
type = "uint16"
register = 100
writable = true
"""


class _File:
    """The site's file of an agent."""

    def __init__(self, agent: AgentProcess) -> None:
        self._path = agent.folder / "site.toml"
        self._first = self._path.read_text()

    def change(self, edit: Callable[[str], str]) -> None:
        """Of the file as it was at first."""
        text = edit(self._first)
        assert text != self._path.read_text()
        self._path.write_text(text)

    def restore(self) -> None:
        """As at first."""
        self._path.write_text(self._first)


@pytest.fixture
def plc() -> Iterator[FaultyPlc]:
    """A PLC with a feeder that has a mailbox, and room for another."""
    with FaultyPlc.running() as running:
        running.set(0, 50, 60, 1)
        running.add_feeder(0, dose_s=1.5)
        yield running


@pytest.fixture
def agent(
    broker: RunningBroker, site_id: str, tmp_path: Path, plc: FaultyPlc, technician: Technician
) -> Iterator[AgentProcess]:
    """The site's agent, which gives doses."""
    process = AgentProcess(
        broker.add_site(site_id),
        tmp_path / "site",
        plc.port,
        heartbeat_s=0.3,
        feed={"limits": {"most_per_day": 3000}},
    )
    with process.running() as running:
        technician.online()
        eventually(lambda: any(state.quality == "good" for state in technician.states()), what="a good state")
        yield running


@pytest.fixture
def file(agent: AgentProcess) -> _File:
    """What the agent reads."""
    return _File(agent)


class _Witness:
    """Follows what the site says of its devices."""

    def __init__(self, client: MqttClient, site: str) -> None:
        self._client, self.site = client, site
        client.subscribe(DescriptionTopic.filter(site=site), StateTopic.filter(site=site))

    def last(self, topic: DescriptionTopic | StateTopic) -> bytes | None:
        found = [each.payload for each in self._client.received() if each.topic == str(topic)]
        return found[-1] if found else None

    def description(self, device: str) -> Description | None:
        topic = DescriptionTopic(self.site, device)
        payload = self.last(topic)
        return decode(Description, str(topic), payload) if payload else None

    def good(self, device: str) -> bool:
        payload = self.last(StateTopic(self.site, device))
        return payload is not None and f'"{Quality.GOOD}"'.encode() in payload


@pytest.fixture
def witness(broker: RunningBroker, site_id: str) -> Iterator[_Witness]:
    """Bob's terminal."""
    with MqttClient(broker.add_person("@bob")) as client:
        yield _Witness(client, site_id)


def _beats_go_on(technician: Technician) -> bool:
    """One connection from the beginning, and no beat is missing."""
    beats = technician.beats()
    return [each.seq for each in beats] == [*range(beats[0].seq, beats[0].seq + len(beats))] and len(
        {each.epoch for each in beats}
    ) == 1


def test_device_that_is_added_appears_everywhere_by_itself(
    file: _File, witness: _Witness, technician: Technician
) -> None:
    """Description and state, on the same connection, without a missing beat."""
    file.change(lambda text: text + SECOND_FEEDER)
    eventually(lambda: witness.description("feeder-2"), within_s=15, what="the description")
    eventually(lambda: witness.good("feeder-2"), within_s=15, what="a good state")
    assert technician.final(technician.send({"portion_g": 75})).state is State.APPLIED
    assert _beats_go_on(technician)


def test_device_that_is_taken_out_leaves_nothing_behind(
    file: _File, witness: _Witness, redis_url: str, database_url: str, broker: RunningBroker
) -> None:
    """Neither at the broker nor at the centre."""
    with running_centre(broker.login("@gateway"), redis_url, database_url) as centre:
        file.change(lambda text: text + SECOND_FEEDER)

        def names() -> list[str]:
            return [each.device for each in centre.sites.devices(witness.site)]

        eventually(lambda: names() == ["feeder-1", "feeder-2"], within_s=15, what="both at the centre")
        file.restore()
        eventually(lambda: witness.last(DescriptionTopic(witness.site, "feeder-2")) == b"", within_s=15, what="the end")
        eventually(lambda: names() == ["feeder-1"], within_s=15, what="one at the centre")


def test_device_taken_out_while_the_agent_was_dead_leaves_nothing_behind(
    file: _File, witness: _Witness, agent: AgentProcess
) -> None:
    """The new run finds what the broker still holds."""
    file.change(lambda text: text + SECOND_FEEDER)
    eventually(lambda: witness.description("feeder-2"), within_s=15, what="the description")
    agent.kill()
    agent.start()  # it writes the first file anew
    eventually(lambda: witness.last(StateTopic(witness.site, "feeder-2")) == b"", within_s=15, what="the end")
    assert witness.description("feeder-2") is None


def test_file_that_is_wrong_changes_nothing_and_says_why(file: _File, technician: Technician) -> None:
    """In the site's status, for who looks from afar; and the right file takes it back."""
    file.change(lambda text: text.replace('type = "uint16"', 'type = "uint61"', 1))
    eventually(
        lambda: "uint61" in technician.statuses()[-1].reason or "type" in technician.statuses()[-1].reason,
        within_s=15,
        what="the reason",
    )
    assert technician.statuses()[-1].state == "online"
    assert technician.final(technician.send({"portion_g": 75})).state is State.APPLIED
    file.restore()
    eventually(lambda: technician.statuses()[-1].reason == "", within_s=15, what="no reason")
    assert _beats_go_on(technician)


def test_file_with_another_broker_needs_a_restart(file: _File, technician: Technician) -> None:
    """The agent goes on as it was, and says so."""
    file.change(lambda text: text.replace("keepalive_s = 2", "keepalive_s = 3"))
    eventually(lambda: "stop and start" in technician.statuses()[-1].reason, within_s=15, what="the reason")
    assert technician.final(technician.feed(5)).state is State.APPLIED


@pytest.mark.invariant("I1")
@pytest.mark.invariant("I7")
def test_dose_under_way_ends_well_and_one_that_comes_meanwhile_follows(
    file: _File, witness: _Witness, technician: Technician, plc: FaultyPlc
) -> None:
    """The first began under the old file, the second is done under the new one, each once."""
    first = technician.feed(400)
    file.change(lambda text: text + SECOND_FEEDER)
    eventually(lambda: witness.description("feeder-2"), within_s=20, what="the new file")
    second = technician.feed(60, ttl_s=30)
    assert [technician.final(each, within_s=30).state for each in (first, second)] == [State.APPLIED] * 2
    assert [dose.asked for dose in plc.doses] == [400, 60]
    assert _beats_go_on(technician)


@pytest.mark.invariant("I2")
@pytest.mark.invariant("I10")
def test_commands_during_the_change_end_in_order_or_expire(file: _File, technician: Technician, plc: FaultyPlc) -> None:
    """A stream of writes over several changes of the file: each ends, and the PLC held them in order."""
    ids = []
    for number in range(40):
        if number % 10 == 5:
            file.change(lambda text, number=number: f"{text}\n# {number}\n{SECOND_FEEDER if number % 20 == 5 else ''}")  # type: ignore[misc]  # number
        ids.append(technician.send({"portion_g": 5 * number}, ttl_s=30))
        if number % 5 == 4:
            assert technician.final(ids[-1], within_s=30).state is State.APPLIED
    assert {technician.final(each, within_s=30).state for each in ids} == {State.APPLIED}
    assert [write.words for write in plc.writes if write.address == 0] == [(5 * number,) for number in range(40)]


def test_limit_that_is_lowered_counts_for_the_next_dose(file: _File, technician: Technician, plc: FaultyPlc) -> None:
    """And what was given under the old file counts in the new one's sum."""
    assert technician.final(technician.feed(60)).state is State.APPLIED
    file.change(lambda text: text.replace("most_per_day = 3000", "most_per_day = 100"))

    def refused() -> bool:
        ack = technician.final(technician.feed(45), within_s=20)
        return ack.code == AckCode.LIMIT_EXCEEDED

    eventually(refused, within_s=20, what="the limit")
    assert sum(dose.asked for dose in plc.doses) <= 150


@pytest.mark.invariant("I7")
def test_unknown_of_the_old_file_is_resolved_under_the_new_one(
    file: _File, witness: _Witness, technician: Technician, plc: FaultyPlc
) -> None:
    """The PLC was silent after the write; the search goes on after the change."""
    plc.misbehave(faults.LOST, on=faults.WRITES).misbehave(faults.DROP, on=faults.READS, times=None)
    id = technician.send({"portion_g": 75})
    eventually(lambda: any(ack.state is State.UNKNOWN for ack in technician.acks(id)), within_s=15, what="unknown")
    file.change(lambda text: text + SECOND_FEEDER)
    eventually(lambda: witness.description("feeder-2"), within_s=20, what="the new file")
    plc.behave()
    assert technician.final(id, within_s=20).state is State.APPLIED
    assert [write.words for write in plc.writes if write.address == 0] == [(75,)]


def test_change_at_one_plc_leaves_the_others_alone(file: _File, witness: _Witness, plc: FaultyPlc) -> None:
    """Lane by lane: the connection to a PLC whose part of the file is the same stays open."""
    with FaultyPlc.running() as other:
        second = SECOND_FEEDER.replace("plc-1", "plc-2")
        table = f'[[plcs]]\nname = "plc-2"\nhost = "127.0.0.1"\nport = {other.port}\npoll_s = 0.2\n{second}'
        file.change(lambda text: text + table)
        eventually(lambda: witness.good("feeder-2"), within_s=15, what="a good state")
        file.change(lambda text: text + table.replace("poll_s = 0.2", "poll_s = 0.3"))
        eventually(lambda: other.connections_made == 2, within_s=15, what="a new connection")
        assert plc.connections_made == 1
