"""The link over a real broker: what is lost stays lost, and nothing ends the link but its owner."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from pydantic import SecretStr

from gateway.broker import BrokerLink, BrokerRefused, Incoming, Login, Will
from gateway.protocol.errors import Unavailable
from gateway.protocol.history import Committed
from gateway.protocol.messages import MAX_PAYLOAD_BYTES, HostStatus, Message, SiteState
from gateway.protocol.topics import CommittedTopic, HeartbeatTopic, HostStatusTopic, StatusTopic
from tests.conditions import eventually
from tests.entries import BOOT, heartbeat, new_id, status
from tests.mqtt_client import MqttClient
from tests.running_broker import BrokerProcess, RunningBroker

LinkMaker = Callable[..., BrokerLink]


@pytest.fixture
def make_link() -> Iterator[LinkMaker]:
    """Makes links that are started; all are stopped at the end."""
    made: list[BrokerLink] = []

    def make(
        login: Login,
        *subscriptions: str,
        on_message: Callable[[Incoming], None] = lambda _: None,
        will: Will | None = None,
        on_connect: Callable[[], None] | None = None,
    ) -> BrokerLink:
        link = BrokerLink(login, subscriptions=subscriptions, on_message=on_message, will=will, on_connect=on_connect)
        made.append(link)
        link.start()
        return link

    yield make
    for link in made:
        link.stop()


@pytest.fixture
def gateway_login(own_broker: BrokerProcess) -> Login:
    return RunningBroker(own_broker.files, own_broker).login("@gateway")


def _host(state: SiteState = SiteState.OFFLINE) -> Message:
    return HostStatus.model_validate(
        {"state": state, "boot": BOOT, "since": datetime.now(UTC), "version": "0"}, strict=False
    )


def _connected(link: BrokerLink) -> None:
    eventually(lambda: link.connected, within_s=15, what="the link")


def _disconnected(link: BrokerLink) -> None:
    eventually(lambda: not link.connected, what="the end of the link")


def test_publish_is_confirmed_and_received(broker: RunningBroker, site_id: str, make_link: LinkMaker) -> None:
    """The future completes, and who may read gets the message."""
    site = broker.add_site(site_id)
    topic, message = CommittedTopic(site_id), Committed(commands=(new_id(),))
    received: list[Incoming] = []
    reader = make_link(site, str(topic), on_message=received.append)
    _connected(reader)
    writer = make_link(broker.login("@gateway"))
    _connected(writer)
    writer.publish(topic, message).result(5)
    eventually(lambda: received, what="the message")
    assert (received[0].topic, received[0].retained) == (str(topic), False)


@pytest.mark.invariant("I5")
def test_publish_without_a_connection_is_refused_and_never_leaves(
    own_broker: BrokerProcess, gateway_login: Login, make_link: LinkMaker
) -> None:
    """What is published while the broker is away is not sent when it is back (P27)."""
    link = make_link(gateway_login)
    _connected(link)
    own_broker.kill()
    _disconnected(link)
    with pytest.raises(Unavailable):
        link.publish(HostStatusTopic(), _host())
    own_broker.start()
    _connected(link)
    # The refused message would be retained: had it left, it would be there.
    assert _retained(link, gateway_login, str(HostStatusTopic())) == []


@pytest.mark.invariant("I5")
def test_publish_handed_to_a_frozen_broker_fails_and_is_never_repeated(
    own_broker: BrokerProcess, gateway_login: Login, make_link: LinkMaker
) -> None:
    """What a lost connection held goes with it (P28): its outcome is unknown, and no later connection re-sends it."""
    link = make_link(gateway_login)
    _connected(link)
    own_broker.freeze()
    handed_over = link.publish(HostStatusTopic(), _host())
    own_broker.kill()
    assert isinstance(handed_over.exception(10), Unavailable)
    own_broker.start()
    _connected(link)
    assert _retained(link, gateway_login, str(HostStatusTopic())) == []


def _retained(link: BrokerLink, login: Login, topic: str) -> list[Incoming]:
    """What a new subscriber is given of ``topic``: all that came before a message published after its SUBACK."""
    received: list[Incoming] = []
    marker = CommittedTopic("marker")
    people = Login(host=login.host, port=login.port - 1, username=login.username, password=login.password)
    reader = BrokerLink(people, subscriptions=[topic, str(marker)], on_message=received.append)
    reader.start()
    _connected(reader)
    link.publish(marker, Committed()).result(5)
    eventually(lambda: any(each.topic == str(marker) for each in received), what="the marker")
    reader.stop()
    return [each for each in received if each.topic == topic]


def test_exception_in_a_message_handler_does_not_end_the_link(
    broker: RunningBroker, site_id: str, make_link: LinkMaker
) -> None:
    """A handler that fails costs one message (P30)."""
    topic = CommittedTopic(site_id)
    site = broker.add_site(site_id)
    seen: list[bytes] = []

    def fail_on_the_first(incoming: Incoming) -> None:
        seen.append(incoming.payload)
        if len(seen) == 1:
            raise ValueError("a fault of ours")

    reader = make_link(site, str(topic), on_message=fail_on_the_first)
    _connected(reader)
    writer = make_link(broker.login("@gateway"))
    _connected(writer)
    for _ in range(2):
        writer.publish(topic, Committed()).result(5)
    eventually(lambda: len(seen) == 2, what="the second message")
    assert reader.connected


def test_exception_in_the_connect_handler_does_not_end_the_link(broker: RunningBroker, make_link: LinkMaker) -> None:
    """A birth that fails leaves the link usable."""

    def fail() -> None:
        raise ValueError("a fault of ours")

    link = make_link(broker.login("@gateway"), on_connect=fail)
    _connected(link)
    link.publish(CommittedTopic("marker"), Committed()).result(5)


def test_publish_that_the_broker_refuses_fails_with_its_reason(
    broker: RunningBroker, site_id: str, make_link: LinkMaker
) -> None:
    """A topic that the ACL denies is no success (P15)."""
    broker.add_site(site_id)
    link = make_link(broker.login("@gateway"))
    _connected(link)
    refused = link.publish(HeartbeatTopic(site_id), heartbeat())
    with pytest.raises(BrokerRefused, match="Not authorized"):
        refused.result(5)
    assert link.connected


@pytest.mark.fault("F40")
def test_publish_of_a_body_beyond_the_limit_is_refused_here(broker: RunningBroker, make_link: LinkMaker) -> None:
    """The broker would end the connection, and paho would repeat it for ever (P17, P18)."""
    link = make_link(broker.login("@gateway"))
    _connected(link)
    ids = tuple(new_id() for _ in range(MAX_PAYLOAD_BYTES // 38 + 1))
    large = Committed.model_construct(batches=(), commands=ids)
    with pytest.raises(BrokerRefused):
        link.publish(CommittedTopic("marker"), large)


def test_link_with_a_wrong_password_never_connects(broker: RunningBroker, make_link: LinkMaker) -> None:
    """A refused login is no connection."""
    right = broker.login("@gateway")
    wrong = Login(host=right.host, port=right.port, username=right.username, password=SecretStr("wrong"))
    refused = threading.Event()
    link = make_link(wrong, on_connect=refused.set)
    assert not refused.wait(0.5)
    with pytest.raises(Unavailable):
        link.publish(CommittedTopic("marker"), Committed())


def test_link_comes_back_with_its_subscriptions(
    own_broker: BrokerProcess, make_link: LinkMaker, gateway_login: Login
) -> None:
    """A new connection subscribes anew, and calls on_connect anew."""
    received: list[Incoming] = []
    connects: list[int] = []
    site = RunningBroker(own_broker.files, own_broker).add_site("arava-1")
    reader = make_link(
        site,
        CommittedTopic.filter(site="arava-1"),
        on_message=received.append,
        on_connect=lambda: connects.append(1),
    )
    _connected(reader)
    own_broker.kill()
    _disconnected(reader)
    own_broker.start()
    _connected(reader)
    writer = make_link(gateway_login)
    _connected(writer)
    writer.publish(CommittedTopic("arava-1"), Committed()).result(5)
    eventually(lambda: received, what="the message")
    assert len(connects) == 2


def test_stop_publishes_no_will_and_a_cut_does(broker: RunningBroker, site_id: str, make_link: LinkMaker) -> None:
    """A goodbye is not a death."""
    site = broker.add_site(site_id)
    will = Will(topic=StatusTopic(site_id), message=status(SiteState.OFFLINE))
    with MqttClient(broker.login("@gateway", people=True)) as witness:
        witness.subscribe(str(StatusTopic(site_id)))
        first = make_link(site, will=will)
        _connected(first)
        first.publish(StatusTopic(site_id), status(SiteState.STOPPED)).result(5)
        first.stop()
        second = make_link(site, will=will)
        _connected(second)
        sock = second._connection._client.socket()  # type: ignore[union-attr]  # it is connected
        assert isinstance(sock, socket.socket)
        sock.shutdown(socket.SHUT_RDWR)
        eventually(lambda: any(b"offline" in each for each in witness.payloads()), what="the will")
        live = [each.payload for each in witness.received() if not each.retained]
        assert [b"stopped" in each for each in live] == [True, False]


def test_link_sets_tcp_no_delay(broker: RunningBroker, make_link: LinkMaker) -> None:
    """Without it every confirmed message waits 40 ms for the peer."""
    link = make_link(broker.login("@gateway"))
    _connected(link)
    sock = link._connection._client.socket()  # type: ignore[union-attr]  # it is connected
    assert isinstance(sock, socket.socket)
    assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0


def test_stop_while_the_broker_is_frozen_ends(own_broker: BrokerProcess, gateway_login: Login) -> None:
    """A broker that does not answer cannot keep us."""
    link = BrokerLink(gateway_login, subscriptions=[], on_message=lambda _: None)
    link.start()
    _connected(link)
    own_broker.freeze()
    waiting = link.publish(CommittedTopic("marker"), Committed())
    stopper = threading.Thread(target=link.stop)
    stopper.start()
    stopper.join(3)
    assert not stopper.is_alive()
    own_broker.thaw()
    assert waiting.done() or isinstance(waiting.exception(5), Unavailable)
