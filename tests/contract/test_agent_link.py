"""The adapter over aiomqtt, on a real broker: what it takes from inside the library must stay there."""

import asyncio
import socket
from datetime import UTC, datetime

import pytest
from pydantic import SecretStr

from gateway.protocol.errors import Unavailable
from gateway.protocol.messages import SiteState, Status
from gateway.protocol.topics import StatusTopic
from site_agent.link import Arrival, Login, PublishRefused, Will, connected
from tests.running_broker import BrokerProcess, RunningBroker


def _login(broker: RunningBroker, site: str, password: str | None = None) -> Login:
    login = broker.add_site(site)
    secret = login.password if password is None else SecretStr(password)
    return Login(host=login.host, port=login.port, username=site, password=secret, keepalive_s=2)


def _status(reason: str = "") -> Status:
    now = datetime(2026, 11, 22, tzinfo=UTC)
    return Status(state=SiteState.OFFLINE, epoch=1, boot="ab" * 4, since=now, version="1", reason=reason)


def _will(site: str) -> Will:
    return Will(topic=StatusTopic(site), message=_status("gone"), delay_s=1)


async def test_publish_that_the_broker_refuses_raises_with_its_reason(broker: RunningBroker, site_id: str) -> None:
    """A foreign topic is refused aloud, not lost in silence (P15)."""
    async with connected(_login(broker, site_id), _will(site_id), lambda _: None) as session:
        with pytest.raises(PublishRefused, match="Not authorized"):
            await session.publish(StatusTopic("another-site"), _status())


async def test_publish_that_the_broker_takes_returns(broker: RunningBroker, site_id: str) -> None:
    """An own topic is confirmed, and comes back to whoever subscribed before the next one is handed over."""
    arrived: asyncio.Queue[Arrival] = asyncio.Queue()
    async with connected(_login(broker, site_id), _will(site_id), arrived.put_nowait) as session:
        await session.subscribe(StatusTopic.filter(site=site_id))
        await session.publish(StatusTopic(site_id), _status("hello"))
        async with asyncio.timeout(5):
            assert b"hello" in (await arrived.get()).payload


async def test_subscribe_retained_message_is_seen_before_the_next_suback(broker: RunningBroker, site_id: str) -> None:
    """The agent's look around relies on this order."""
    arrived: list[Arrival] = []
    login = _login(broker, site_id)
    async with connected(login, _will(site_id), lambda _: None) as session:
        await session.publish(StatusTopic(site_id), _status("retained"))
    async with connected(login, _will(site_id), arrived.append) as session:
        await session.subscribe(StatusTopic.filter(site=site_id))
        await session.subscribe(StatusTopic.filter(site=f"{site_id}-other"))
        assert [(each.retained, b"retained" in each.payload) for each in arrived] == [(True, True)]


async def test_connect_with_a_wrong_password_says_so(broker: RunningBroker, site_id: str) -> None:
    """A refused login is no time-out."""
    with pytest.raises(Unavailable, match=r"(?i)not authori[sz]ed"):
        async with connected(_login(broker, site_id, "wrong"), _will(site_id), lambda _: None):
            pass


async def test_connect_to_a_closed_port_is_unavailable() -> None:
    """Nobody listens."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        login = Login(
            host="127.0.0.1", port=closed.getsockname()[1], username="a", password=SecretStr("x"), keepalive_s=2
        )
        with pytest.raises(Unavailable):
            async with connected(login, _will("a"), lambda _: None):
                pass


async def test_lost_link_ends_the_wait_and_the_confirmations(own_broker: BrokerProcess, site_id: str) -> None:
    """When the broker dies, everybody who waits is told."""
    running = RunningBroker(own_broker.files, own_broker)
    async with connected(_login(running, site_id), _will(site_id), lambda _: None) as session:
        own_broker.kill()
        with pytest.raises(Unavailable):
            async with asyncio.timeout(10):
                await session.lost()


async def test_socket_does_not_wait_for_more_bytes(broker: RunningBroker, site_id: str) -> None:
    """With Nagle on, a round trip costs 88 ms instead of 1."""
    async with connected(_login(broker, site_id), _will(site_id), lambda _: None) as session:
        raw = session._client._client.socket()
        assert isinstance(raw, socket.socket)
        assert raw.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1


async def test_handler_that_fails_does_not_cost_the_link(broker: RunningBroker, site_id: str) -> None:
    """A fault of ours in one message is logged, and the next message is handled."""
    seen: asyncio.Queue[bytes] = asyncio.Queue()

    def handle(arrival: Arrival) -> None:
        seen.put_nowait(arrival.payload)
        raise RuntimeError("a fault of ours")

    async with connected(_login(broker, site_id), _will(site_id), handle) as session:
        await session.subscribe(StatusTopic.filter(site=site_id))
        for word in ("one", "two"):
            await session.publish(StatusTopic(site_id), _status(word))
        async with asyncio.timeout(5):
            assert b"one" in await seen.get()
            assert b"two" in await seen.get()
