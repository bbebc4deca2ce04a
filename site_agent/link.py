"""The agent's MQTT 5 connection: the one adapter over aiomqtt, which nothing else here imports.

aiomqtt 2.5 hides what an agent must know, so this module takes it from the paho client inside: the reason code of
a refused publish. A connection object serves one connection only, and the next attempt gets a new one, since a
re-entered aiomqtt client can pretend to be connected. Nothing that was handed to a lost connection leaves later.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import aiomqtt
import structlog
from paho.mqtt.client import MQTT_ERR_SUCCESS, MQTTMessage
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions
from pydantic import SecretStr

from gateway.protocol.codec import encode
from gateway.protocol.errors import TidegateError, Unavailable
from gateway.protocol.ids import CLIENT_ID_PREFIX
from gateway.protocol.messages import MAX_PAYLOAD_BYTES, Message
from gateway.protocol.topics import Topic
from gateway.tls import REFUSED_HINT, Tls
from site_agent.sending import Sending

#: paho leaves Nagle on; without this a round trip costs 88 ms instead of 1.
_NODELAY: Final = ((socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),)
_CONNECT_TIMEOUT_S: Final = 5.0
#: The broker keeps the session this long after a loss, only so that the will delay can run; the next connection
#: starts clean, since a command sent while the site was silent must never arrive later.
_SESSION_EXPIRY_S: Final = 60
_REFUSED: Final = 0x80
_AT_LEAST_ONCE: Final = SubscribeOptions(qos=1)

log = structlog.get_logger(__name__)


class PublishRefused(TidegateError):
    """The broker said no to a publish, mostly because its ACL forbids the topic."""

    code = "publish-refused"

    def __init__(self, topic: str, reason: str) -> None:
        self.topic = topic
        self.reason = reason
        super().__init__(topic, reason)

    def __str__(self) -> str:
        return f"the broker refused a publish on {self.topic}: {self.reason}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """Where the broker is, and who we are; ``password`` None: our certificate says so."""

    host: str
    port: int
    username: str
    password: SecretStr | None
    keepalive_s: int
    tls: Tls | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Will:
    """What the broker publishes for us when we are gone, and how long it waits for us to come back."""

    topic: Topic
    message: Message
    delay_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A message as it came."""

    topic: str
    payload: bytes
    retained: bool
    response_topic: str | None
    correlation: bytes | None


class Session:
    """One connection; use it inside :func:`connected`."""

    def __init__(self, client: aiomqtt.Client, on_arrival: Callable[[Arrival], None]) -> None:
        self._client = client
        self._on_arrival = on_arrival
        self._unconfirmed: dict[int, tuple[str, asyncio.Future[None] | None]] = {}
        # aiomqtt can neither publish without waiting nor show a reason code, and its queue costs a task a message.
        self._paho = client._client  # a contract test watches over this
        self._paho.on_publish = self._on_publish
        self._paho.on_message = self._on_message
        self._sending = Sending(self._paho)

    async def subscribe(self, *filters: str) -> None:
        """Subscribe and wait for the SUBACK (which grants even what the ACL will filter).

        Raises:
            Unavailable: the link was lost.
        """
        try:
            await self._client.subscribe([(each, _AT_LEAST_ONCE) for each in filters])
        except aiomqtt.MqttError as error:
            raise Unavailable("broker", str(error)) from error

    def send(
        self, topic: Topic, message: Message | None, *, at: str | None = None, correlation: bytes | None = None
    ) -> None:
        """Publish without waiting; a refusal is logged. ``at`` replaces the topic's own string (a Response Topic).

        None is an empty body: nothing stays retained there.

        Raises:
            Unavailable: the link was lost.
        """
        self._hand_over(topic, message, at or str(topic), correlation, None)

    async def publish(self, topic: Topic, message: Message) -> None:
        """Publish and wait for the broker's word.

        Raises:
            Unavailable: the link was lost, so nobody knows whether it was published.
            PublishRefused: the broker said no.
        """
        confirmed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._hand_over(topic, message, str(topic), None, confirmed)
        try:
            async with asyncio.timeout(_CONNECT_TIMEOUT_S):
                await confirmed
        except TimeoutError:
            raise Unavailable("broker", f"no PUBACK within {_CONNECT_TIMEOUT_S:.0f} s") from None

    async def lost(self) -> None:
        """Wait until the link is lost; never returns otherwise.

        Raises:
            Unavailable: always, at the end of the connection.
        """
        try:
            # Messages go to on_arrival, so this iterator only ever ends.
            async for _ in self._client.messages:
                pass
        except aiomqtt.MqttError as error:
            raise Unavailable("broker", str(error)) from error

    def _on_message(self, _client: object, _userdata: object, message: MQTTMessage) -> None:
        properties = message.properties
        arrival = Arrival(
            topic=message.topic,
            payload=bytes(message.payload),
            retained=message.retain,
            response_topic=getattr(properties, "ResponseTopic", None),
            correlation=getattr(properties, "CorrelationData", None),
        )
        try:
            self._on_arrival(arrival)
        except Exception:
            # A fault of ours in one message must not cost the link and so the heartbeat.
            log.exception("message-not-handled", topic=arrival.topic)

    def _hand_over(
        self,
        topic: Topic,
        message: Message | None,
        at: str,
        correlation: bytes | None,
        confirmed: asyncio.Future[None] | None,
    ) -> None:
        payload = b"" if message is None else encode(message)
        if len(payload) > MAX_PAYLOAD_BYTES:
            # Beyond the broker's limit the client library would resend it for ever.
            raise PublishRefused(at, f"{len(payload)} bytes, {MAX_PAYLOAD_BYTES} at most")
        properties = None
        if topic.expiry_s is not None or correlation is not None:
            properties = _properties(PacketTypes.PUBLISH)
            if topic.expiry_s is not None:
                properties.MessageExpiryInterval = topic.expiry_s
            if correlation is not None:
                properties.CorrelationData = correlation
        info = self._paho.publish(at, payload, topic.qos, topic.retain, properties)
        if info.rc != MQTT_ERR_SUCCESS:
            raise Unavailable("broker", f"publish failed with code {info.rc}")
        self._unconfirmed[info.mid] = (at, confirmed)

    def _on_publish(
        self, _client: object, _userdata: object, mid: int, reason: ReasonCode, _properties: object
    ) -> None:
        topic, confirmed = self._unconfirmed.pop(mid, ("?", None))
        refused = reason.value >= _REFUSED
        if refused:
            log.error("publish-refused", topic=topic, reason=str(reason))
        if confirmed is None or confirmed.done():
            return
        if refused:
            confirmed.set_exception(PublishRefused(topic, str(reason)))
        else:
            confirmed.set_result(None)

    def abandon(self) -> None:
        """Let nobody wait for a confirmation that cannot come any more."""
        for _, confirmed in self._unconfirmed.values():
            if confirmed is not None and not confirmed.done():
                confirmed.set_exception(Unavailable("broker", "the link was lost"))
        self._unconfirmed.clear()


def _properties(packet: int) -> Properties:
    return Properties(packet)  # type: ignore[no-untyped-call] # paho leaves it untyped


@asynccontextmanager
async def connected(login: Login, will: Will, on_arrival: Callable[[Arrival], None]) -> AsyncIterator[Session]:
    """Connect; ``on_arrival`` gets every message, at once and in order.

    Left by a clean DISCONNECT, so that no will is published.

    Raises:
        Unavailable: no connection, or the login was refused; the text says which.
    """
    connect = _properties(PacketTypes.CONNECT)
    connect.SessionExpiryInterval = _SESSION_EXPIRY_S
    last = _properties(PacketTypes.WILLMESSAGE)
    last.WillDelayInterval = will.delay_s
    client = aiomqtt.Client(
        login.host,
        login.port,
        identifier=CLIENT_ID_PREFIX + login.username,
        username=None if login.password is None else login.username,
        password=None if login.password is None else login.password.get_secret_value(),
        tls_context=None if login.tls is None else login.tls.context(),
        protocol=aiomqtt.ProtocolVersion.V5,
        clean_start=True,
        keepalive=login.keepalive_s,
        timeout=_CONNECT_TIMEOUT_S,
        socket_options=_NODELAY,
        max_inflight_messages=100,
        properties=connect,
        will=aiomqtt.Will(
            str(will.topic), encode(will.message), qos=will.topic.qos, retain=will.topic.retain, properties=last
        ),
        logger=logging.getLogger("site_agent.mqtt"),
    )
    try:
        await client.__aenter__()
    except aiomqtt.MqttError as error:
        hint = "" if login.tls is None or "timed out" not in str(error) else f" ({REFUSED_HINT})"
        raise Unavailable("broker", f"{login.host}:{login.port} as {login.username}: {error}{hint}") from error
    session = Session(client, on_arrival)
    try:
        yield session
    finally:
        session.abandon()
        try:
            await client.__aexit__(None, None, None)
        except aiomqtt.MqttError as error:
            log.debug("goodbye-failed", cause=str(error))
