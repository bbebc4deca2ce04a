"""The broker as we configure it: who may log in, under which client id, and what it bounds."""

from __future__ import annotations

import dataclasses
import socket

import pytest
from pydantic import SecretStr

from gateway.broker_files import PACKET_BYTES
from gateway.protocol.ids import CLIENT_ID_PREFIX
from gateway.protocol.topics import HostStatusTopic, StatusTopic
from tests.conditions import eventually
from tests.mqtt_client import MqttClient
from tests.running_broker import BrokerProcess, RunningBroker, connack

NOT_AUTHORIZED = 0x87
ANONYMOUS_CONNECT = bytes.fromhex("100d00044d51545405020014000000")
CONNACK = 0x20


def test_anonymous_connect_refused_on_both_listeners(broker: RunningBroker) -> None:
    """Nobody gets in without a password, neither as a machine nor as a person."""
    for port in (broker.port, broker.people_port):
        with socket.create_connection((broker.host, port), timeout=5) as connection:
            connection.sendall(ANONYMOUS_CONNECT)
            answer = connection.recv(16)
        assert (answer[0], answer[3]) == (CONNACK, NOT_AUTHORIZED)


def test_wrong_password_refused(broker: RunningBroker) -> None:
    """A wrong password is answered "not authorized"."""
    login = dataclasses.replace(broker.login("@gateway"), password=SecretStr("wrong"))
    assert connack(login) == NOT_AUTHORIZED


def test_person_with_the_client_id_of_a_service_refused(broker: RunningBroker) -> None:
    """A person who claims the facade's client id is refused, and the facade stays connected."""
    ana = broker.add_person("@ana")
    with MqttClient(broker.login("@facade")) as facade:
        assert connack(ana, client_id="@facade") == NOT_AUTHORIZED
        facade.subscribe(HostStatusTopic.filter())
        assert not facade.lost.is_set()


def test_person_with_an_empty_client_id_gets_one_with_the_prefix(own_broker: BrokerProcess) -> None:
    """Tools that send no id, as Mosquitto's own do, are let in."""
    broker = RunningBroker(own_broker.files, own_broker)
    assert connack(broker.login("@facade", people=True), client_id="") == 0


def test_site_with_the_client_id_of_another_site_evicts_only_itself(broker: RunningBroker, site_id: str) -> None:
    """At the machines' listener the id that a client sends does not count: the user name is its id."""
    mine, other = broker.add_site(site_id), broker.add_site(f"{site_id}-b")
    with MqttClient(other) as victim, MqttClient(mine, client_id=f"{CLIENT_ID_PREFIX}{other.username}"):
        victim.subscribe(HostStatusTopic.filter())
        assert not victim.lost.is_set()


def test_second_connection_of_a_machine_replaces_the_first(broker: RunningBroker, site_id: str) -> None:
    """At the machines' listener a user has one connection."""
    login = broker.add_site(site_id)
    with MqttClient(login) as first, MqttClient(login):
        assert first.lost.wait(5)


def test_second_terminal_of_a_person_leaves_the_first_alone(broker: RunningBroker) -> None:
    """People may open several terminals, with ids of their own under the prefix or with none."""
    ana = broker.add_person("@ana")
    with MqttClient(ana) as first, MqttClient(ana), MqttClient(ana, client_id=f"{CLIENT_ID_PREFIX}desk") as third:
        first.subscribe(HostStatusTopic.filter())
        third.subscribe(HostStatusTopic.filter())
        assert not first.lost.is_set()


@pytest.mark.fault("F40")
def test_packet_above_the_limit_ends_the_connection(broker: RunningBroker, site_id: str) -> None:
    """The broker takes nothing larger than the protocol's largest body with its wrapping."""
    login = broker.add_site(site_id)
    with MqttClient(login) as site:
        site.send(str(StatusTopic(site=site_id)), bytes(PACKET_BYTES + 1))
        assert site.lost.wait(5)


def test_user_added_while_it_runs_keeps_others_connected(broker: RunningBroker, site_id: str) -> None:
    """Adding a user does not disturb who is there."""
    with MqttClient(broker.add_site(site_id)) as site:
        broker.add_person(f"@{site_id}")
        site.subscribe(HostStatusTopic.filter())
        assert not site.lost.is_set()


def test_log_of_the_broker_holds_no_password(own_broker: BrokerProcess) -> None:
    """After good and bad logins and a reload the log names users, and no secret of anybody."""
    broker = RunningBroker(own_broker.files, own_broker)
    secrets = {"@ana": broker.add_person("@ana").secret, "typed": "typed-in-the-wrong-place"}
    wrong = dataclasses.replace(broker.login("@ana"), password=SecretStr(secrets["typed"]))
    connack(wrong)
    own_broker.reload()
    eventually(lambda: "@ana" in own_broker.log, what="a line about @ana")
    assert [secret for secret in secrets.values() if secret in own_broker.log] == []


def test_kill_without_persistence_forgets_what_was_retained(own_broker: BrokerProcess) -> None:
    """The broker may lose everything: after a kill -9 nothing retained comes back, so nothing may depend on it."""
    broker = RunningBroker(own_broker.files, own_broker)
    topic = str(HostStatusTopic())
    with MqttClient(broker.login("@gateway")) as gateway:
        gateway.publish(topic, b"kept?", retain=True)
    own_broker.kill()
    own_broker.start()
    with MqttClient(broker.login("@gateway")) as gateway:
        gateway.subscribe(topic)
        gateway.publish(topic, b"fence")
        gateway.wait_for(b"fence")
        assert [message.payload for message in gateway.received()] == [b"fence"]
