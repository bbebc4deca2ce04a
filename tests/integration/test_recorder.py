"""The recorder between a real broker, Redis and database: gates, epochs, acks, committed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gateway.broker import Login
from gateway.database import open_engine
from gateway.protocol.codec import encode
from gateway.protocol.description import Description
from gateway.protocol.lifecycle import State
from gateway.protocol.messages import Command, DeviceState, Quality, SiteState
from gateway.protocol.topics import (
    AckTopic,
    CommandTopic,
    DescriptionTopic,
    HeartbeatTopic,
    StateTopic,
    StatusTopic,
)
from gateway.sites import DeviceRecord
from tests.centre import Centre, fresh_asked, running_centre
from tests.conditions import eventually
from tests.databases import each_database, locked
from tests.entries import NOON, ack, answer, heartbeat, new_id
from tests.fake_agent import FakeAgent
from tests.mqtt_client import MqttClient
from tests.running_broker import RunningBroker

pytestmark = each_database


@pytest.fixture
def centre(broker: RunningBroker, redis_url: str, database_url: str) -> Iterator[Centre]:
    """A recorder that runs."""
    with running_centre(broker.login("@gateway"), redis_url, database_url) as centre:
        yield centre


@pytest.fixture
def login(broker: RunningBroker, site_id: str) -> Login:
    return broker.add_site(site_id)


@pytest.fixture
def agent(centre: Centre, login: Login) -> Iterator[FakeAgent]:  # noqa: ARG001 # the recorder must be there first
    with FakeAgent(login) as agent:
        yield agent


@pytest.mark.invariant("I4")
def test_live_beat_opens_the_gate(centre: Centre, agent: FakeAgent) -> None:
    """A beat becomes the key, byte for byte."""
    agent.beat(epoch=3, seq=9)
    eventually(lambda: centre.alive(agent.site), what="an open gate")
    alive = centre.liveness.read(agent.site)
    assert alive is not None
    assert alive.heartbeat == heartbeat(epoch=3, seq=9)


@pytest.mark.invariant("I4")
def test_retained_online_of_a_dead_agent_does_not_open_the_gate(centre: Centre, login: Login) -> None:
    """What the broker has stored informs people only (P5)."""
    centre.stop()
    with FakeAgent(login) as agent:
        agent.status(SiteState.ONLINE, epoch=3)
        agent.beat(epoch=3, seq=1, retain=True)
    centre.new()
    eventually(lambda: centre.sites.get(login.username), what="the site's record")
    assert not centre.alive(login.username)
    with FakeAgent(login) as agent:  # for the next tests with this broker
        agent.say(HeartbeatTopic(agent.site), b"", retain=True)


def test_retained_status_raises_the_epoch(centre: Centre, agent: FakeAgent) -> None:
    """A beat of an epoch below the stored status is not let in."""
    agent.status(SiteState.ONLINE, epoch=5)
    centre.new()
    agent.beat(epoch=4, seq=1)
    centre.settled_up_to(agent)
    assert not centre.alive(agent.site)


@pytest.mark.parametrize("state", [SiteState.OFFLINE, SiteState.STOPPED])
def test_will_or_goodbye_closes_the_gate(centre: Centre, agent: FakeAgent, state: SiteState) -> None:
    """The end of the connection that beat closes it before it expires."""
    agent.beat(epoch=3)
    eventually(lambda: centre.alive(agent.site), what="an open gate")
    agent.status(state, epoch=3)
    eventually(lambda: not centre.alive(agent.site), what="a closed gate")
    centre.settled_up_to(agent)
    eventually(lambda: _last_beat_epoch(centre, agent.site) == 3, within_s=3, what="the last beat, saved at once")


def _last_beat_epoch(centre: Centre, site: str) -> int | None:
    record = centre.sites.get(site)
    return None if record is None else record.last_beat_epoch


@pytest.mark.fault("F39")
@pytest.mark.invariant("I11")
def test_late_will_of_an_old_connection_is_ignored(centre: Centre, agent: FakeAgent) -> None:
    """The new connection's gate stays open (P7)."""
    agent.beat(epoch=4)
    eventually(lambda: centre.alive(agent.site), what="an open gate")
    agent.status(SiteState.OFFLINE, epoch=3)
    centre.settled_up_to(agent)
    assert centre.alive(agent.site)


@pytest.mark.invariant("I4")
def test_beat_after_its_connections_end_does_not_open_the_gate(centre: Centre, agent: FakeAgent) -> None:
    """A beat that was on its way when the connection ended proves nothing; the next connection's does."""
    agent.status(SiteState.OFFLINE, epoch=3)
    agent.beat(epoch=3, seq=8)
    centre.settled_up_to(agent)
    assert not centre.alive(agent.site)
    agent.beat(epoch=4, seq=1)
    eventually(lambda: centre.alive(agent.site), what="an open gate")


@pytest.mark.invariant("I4")
def test_beat_with_a_sequence_that_was_seen_is_ignored(centre: Centre, agent: FakeAgent) -> None:
    """A replayed beat does not keep a gate open, even across a restart of the gateway (P62)."""
    agent.beat(epoch=3, seq=5)
    eventually(lambda: centre.alive(agent.site), what="an open gate")
    centre.new()
    centre.liveness.forget(agent.site, 3)
    agent.beat(epoch=3, seq=5)
    centre.settled_up_to(agent)
    assert not centre.alive(agent.site)


@pytest.mark.invariant("I11")
def test_restarted_gateway_lets_no_lower_epoch_in(centre: Centre, agent: FakeAgent) -> None:
    """The highest epochs outlive the process."""
    agent.beat(epoch=7)
    eventually(lambda: centre.alive(agent.site), what="an open gate")
    centre.new()
    centre.liveness.forget(agent.site, 7)
    agent.beat(epoch=6, seq=99)
    centre.settled_up_to(agent)
    assert not centre.alive(agent.site)


def test_final_ack_is_committed_and_named(centre: Centre, agent: FakeAgent) -> None:
    """The agent hears that it may forget, and the ledger has the outcome by then."""
    command = fresh_asked(site=agent.site)
    centre.ledger.record([command])
    agent.ack(answer(command))
    eventually(lambda: command.id in agent.committed, what="committed")
    record = centre.ledger.get(command.id)
    assert record is not None
    assert record.state is State.APPLIED


def test_ack_that_the_ledger_knows_already_is_named_again(centre: Centre, agent: FakeAgent) -> None:
    """The agent repeats it because it has missed the first word."""
    command = fresh_asked(site=agent.site)
    centre.ledger.record([command])
    centre.ledger.settle([answer(command)])
    agent.ack(answer(command))
    eventually(lambda: command.id in agent.committed, what="committed")


def test_open_ack_is_recorded_but_not_named(centre: Centre, agent: FakeAgent) -> None:
    """An agent must not forget what is not final."""
    command = fresh_asked(site=agent.site)
    centre.ledger.record([command])
    agent.ack(answer(command, State.ACCEPTED, code="accepted"))
    centre.settled_up_to(agent)
    record = centre.ledger.get(command.id)
    assert record is not None
    assert record.state is State.ACCEPTED
    assert command.id not in agent.committed


@pytest.mark.invariant("I8")
def test_ack_is_named_only_after_the_commit(centre: Centre, agent: FakeAgent, database_url: str) -> None:
    """While the database is locked nothing is named and beats go on; once it is free a repeated ack is named."""
    command = fresh_asked(site=agent.site)
    centre.ledger.record([command])
    engine = open_engine(database_url)
    with locked(engine):
        agent.ack(answer(command))
        agent.beat(epoch=3)
        eventually(lambda: centre.alive(agent.site), what="an open gate")
        assert command.id not in agent.committed
        agent.beat(epoch=3, seq=2)
        eventually(lambda: _seq(centre, agent.site) == 2, within_s=10, what="the next beat")
        assert command.id not in agent.committed
    engine.dispose()

    def repeat() -> bool:
        agent.ack(answer(command))
        return command.id in agent.committed

    eventually(repeat, within_s=10, what="committed")


def _seq(centre: Centre, site: str) -> int:
    alive = centre.liveness.read(site)
    return -1 if alive is None else alive.heartbeat.seq


@pytest.mark.invariant("I13")
def test_ack_about_another_sites_command_changes_nothing(centre: Centre, agent: FakeAgent) -> None:
    """A site speaks for itself only."""
    command = fresh_asked(site="somebody-else")
    centre.ledger.record([command])
    agent.ack(answer(command))
    centre.settled_up_to(agent)
    record = centre.ledger.get(command.id)
    assert record is not None
    assert record.state is State.PENDING
    assert command.id not in agent.committed


@pytest.mark.invariant("I14")
def test_technicians_command_is_recorded(centre: Centre, agent: FakeAgent, broker: RunningBroker) -> None:
    """Whoever asked, the ledger is whole; the end user is believed from a facade only."""
    ana = broker.add_person("@ana")
    command_id = new_id()
    topic = CommandTopic(agent.site, "@ana", "feeder-1", "write")
    command = Command(id=command_id, input={"portion_g": 80}, actor="the king", ttl_s=300)
    with MqttClient(ana) as client:
        client.publish(str(topic), encode(command))
    record = eventually(lambda: centre.ledger.get(command_id), what="the row")
    assert (record.requester, record.actor, record.input) == ("@ana", None, {"portion_g": 80})
    assert record.ttl_s == 30


@pytest.mark.fault("F41")
def test_undecodable_bytes_are_dropped_and_nothing_else(centre: Centre, agent: FakeAgent) -> None:
    """Whatever a site sends, the next message is handled (P30)."""
    for topic in (
        HeartbeatTopic(agent.site),
        StatusTopic(agent.site),
        StateTopic(agent.site, "feeder-1"),
        DescriptionTopic(agent.site, "feeder-1"),
        AckTopic(agent.site, "@ana", new_id()),
    ):
        for payload in (b"\xff", b"{", b"[" * 10_000, b'{"epoch":1e999}', b'{"epoch":NaN}'):
            agent.say(topic, payload, retain=False)
    agent.beat(epoch=1)
    eventually(lambda: centre.alive(agent.site), what="an open gate")


def test_ack_whose_body_names_another_id_is_dropped(centre: Centre, agent: FakeAgent) -> None:
    """Topic and body must agree."""
    command = fresh_asked(site=agent.site)
    centre.ledger.record([command])
    agent.say(AckTopic(agent.site, command.requester, new_id()), ack(id=command.id))
    centre.settled_up_to(agent)
    record = centre.ledger.get(command.id)
    assert record is not None
    assert record.state is State.PENDING


def test_description_and_state_reach_the_tables(centre: Centre, agent: FakeAgent) -> None:
    """What a device is and how it stands can be read at the centre."""
    description = Description.model_validate(
        {"id": "urn:x", "title": "Feeder 1", "securityDefinitions": {}, "security": (), "tidegate:plc": "plc-1"}
    )
    agent.say(DescriptionTopic(agent.site, "feeder-1"), description)
    agent.say(
        StateTopic(agent.site, "feeder-1"),
        DeviceState(at=NOON, quality=Quality.GOOD, properties={"portion_g": 120}),
    )

    def told() -> DeviceRecord | None:
        found = centre.sites.device(agent.site, "feeder-1")
        return found if found is not None and found.state is not None else None

    record = eventually(told, what="the device and its state")
    assert record.description == description
    assert record.state is not None
    assert record.state.properties == {"portion_g": 120}


def test_host_is_born_on_connect_and_says_goodbye_on_stop(centre: Centre, agent: FakeAgent) -> None:
    """Agents see each new life of the gateway, told apart by its boot id."""
    centre.new()
    hosts = eventually(lambda: agent.hosts if len(agent.hosts) >= 3 else None, what="goodbye and birth")
    assert [each.state for each in hosts] == [SiteState.ONLINE, SiteState.OFFLINE, SiteState.ONLINE]
    assert hosts[0].boot == hosts[1].boot != hosts[2].boot
