"""One connection to the broker: a paho client that is used once and thrown away.

paho repeats what is unacknowledged on its next connection, with the expiry it had at first, and keeps what is
published while offline. For commands that is a lie told late, so a client lives for one connection only: once that
is lost, whatever it still held goes with it and can never leave.
"""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, InvalidStateError
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar, Final

import structlog
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions
from pydantic import SecretStr

from gateway.protocol.codec import encode
from gateway.protocol.errors import TidegateError, Unavailable
from gateway.protocol.messages import Message
from gateway.protocol.topics import Topic
from gateway.tls import REFUSED_HINT, Tls

log = structlog.get_logger(__name__)

#: From the TCP connect to the SUBACK; a broker that takes longer is tried anew.
HANDSHAKE_S: Final = 5.0
IN_FLIGHT: Final = 1_000
#: Publishes that wait for a place in the window; beyond that the broker is called unavailable.
WAITING: Final = 10_000
_FAILURE: Final = 0x80


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """Where the broker is, and as whom we go there; ``password`` None: our certificate says who we are."""

    host: str
    port: int
    username: str
    password: SecretStr | None
    tls: Tls | None = None

    @property
    def secret(self) -> str:
        """The password itself; empty if there is none."""
        return "" if self.password is None else self.password.get_secret_value()


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """A message as it came; ``received_s`` is of this machine's monotonic clock."""

    topic: str
    payload: bytes
    retained: bool
    received_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Will:
    """What the broker says for us when the connection ends without a goodbye."""

    topic: Topic
    message: Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What every connection of a link does; the callbacks run in the thread that runs the connection."""

    login: Login
    #: Topic filter -> QoS at which the broker shall deliver.
    subscriptions: Mapping[str, int]
    on_message: Callable[[Incoming], None]
    on_ready: Callable[[Connection], None]
    will: Will | None
    keepalive_s: int
    client_id: str
    rest_s: float


class BrokerRefused(TidegateError):
    """The broker took the connection but refused this publish, so nobody received it."""

    code: ClassVar[str] = "broker-refused"

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)

    def __str__(self) -> str:
        return f"the broker refused the publish: {self.reason}"


class Connection:
    """From CONNECT to the end, in the thread that calls :meth:`run`; :meth:`publish` is safe from any thread."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self.ready_at_s: float | None = None
        self.lost = False
        self.reason = "the connection broke" if plan.login.tls is None else REFUSED_HINT
        self._packets = 0
        #: Packet id -> who waits for its PUBACK; or the PUBACK itself, if it was quicker than ``publish`` returned.
        self._waiting: dict[int, Future[None] | ReasonCode] = {}
        self._client = _client_of(plan, self)

    def run(self) -> None:
        """Connect and move bytes until the connection ends.

        Raises:
            OSError: it could not even begin.
        """
        login, started_s = self._plan.login, time.monotonic()
        try:
            self._client.connect(login.host, login.port, self._plan.keepalive_s, clean_start=True)
            while self._client.loop(timeout=1.0) == paho.MQTT_ERR_SUCCESS and self._read_on():
                if self.ready_at_s is None and time.monotonic() - started_s > HANDSHAKE_S:
                    self.reason = f"no answer to CONNECT or SUBSCRIBE within {HANDSHAKE_S:g} s"
                    break
        finally:
            self.lost = True
            sock = self._client.socket()
            if sock is not None:
                sock.close()
            self._fail_waiting()
            _let_go(self._client)

    def _read_on(self) -> bool:
        """Rest, so that more can come, and read all that did; whether the connection still stands."""
        if self._plan.rest_s and self.ready_at_s is not None:
            time.sleep(self._plan.rest_s)
            before = -1
            while before != self._packets:
                before = self._packets
                if self._client.loop(timeout=0.0) != paho.MQTT_ERR_SUCCESS:
                    return False
        return True

    def cut(self) -> None:
        """End it without a goodbye, from any thread."""
        sock = self._client.socket()
        if isinstance(sock, socket.socket):
            with contextlib.suppress(OSError):  # the peer was quicker
                sock.shutdown(socket.SHUT_RDWR)

    def goodbye(self) -> None:
        """Ask the broker to end it, so that no will is published."""
        self._client.disconnect()

    def publish(self, topic: Topic, payload: bytes, expiry_s: int | None) -> Future[None]:
        """See :meth:`gateway.broker.BrokerLink.publish`."""
        properties = None if expiry_s is None else _expiring(max(1, expiry_s))
        info = self._client.publish(str(topic), payload, topic.qos, topic.retain, properties)
        if info.rc != paho.MQTT_ERR_SUCCESS:
            raise Unavailable("broker", paho.error_string(info.rc))
        future: Future[None] = Future()
        # A lock of ours would deadlock with paho's, so the two threads meet in one atomic setdefault.
        found = self._waiting.setdefault(info.mid, future)
        if isinstance(found, ReasonCode):
            self._waiting.pop(info.mid, None)
            _settle(future, found)
        if self.lost:
            self._fail_waiting()
        return future

    @property
    def unconfirmed(self) -> list[Future[None]]:
        """Publishes without a PUBACK so far."""
        return [each for each in self._waiting.copy().values() if isinstance(each, Future)]

    def _fail_waiting(self) -> None:
        while self._waiting:
            with contextlib.suppress(KeyError, InvalidStateError):  # another thread took it, or its owner gave up
                _, waiter = self._waiting.popitem()
                if isinstance(waiter, Future):
                    waiter.set_exception(Unavailable("broker", "the link was lost before the broker confirmed"))

    def on_connect(self, client: paho.Client, _data: object, _flags: object, reason: ReasonCode, _p: object) -> None:
        """CONNACK."""
        subscriptions = self._plan.subscriptions
        if reason.is_failure:
            self.reason = f"the broker refused the login: {reason}"
        elif subscriptions:
            client.subscribe([(each, SubscribeOptions(qos=qos)) for each, qos in subscriptions.items()])
        else:
            self._ready()

    def on_subscribe(
        self, client: paho.Client, _data: object, _mid: int, reasons: list[ReasonCode], _p: object
    ) -> None:
        """SUBACK."""
        pairs = zip(self._plan.subscriptions, reasons, strict=False)
        refused = [f"{topic} ({why})" for topic, why in pairs if why.value >= _FAILURE]
        if refused:
            self.reason = f"the broker refused to subscribe {', '.join(refused)}"
            client.disconnect()
        else:
            self._ready()

    def _ready(self) -> None:
        self.ready_at_s = time.monotonic()
        self.reason = "the connection broke"
        try:
            self._plan.on_ready(self)
        except Exception:  # the link must outlive its users' faults
            log.exception("connect-handler-failed")

    def on_disconnect(
        self, _client: paho.Client, _data: object, flags: paho.DisconnectFlags, reason: ReasonCode, _p: object
    ) -> None:
        """The end, whoever wanted it."""
        self.lost = True
        if flags.is_disconnect_packet_from_server:
            self.reason = f"the broker ended the connection: {reason}"

    def on_publish(self, _client: paho.Client, _data: object, mid: int, reason: ReasonCode, _p: object) -> None:
        """PUBACK."""
        self._packets += 1
        found = self._waiting.setdefault(mid, reason)
        if isinstance(found, Future):
            self._waiting.pop(mid, None)
            _settle(found, reason)

    def on_message(self, _client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        """PUBLISH from the broker."""
        received_s = time.monotonic()
        self._packets += 1
        try:
            self._plan.on_message(
                Incoming(
                    topic=message.topic,
                    payload=bytes(message.payload),
                    retained=message.retain,
                    received_s=received_s,
                )
            )
        except Exception:  # paho would end its loop over one message
            log.exception("message-handler-failed", payload=repr(message.payload[:200]))


def _client_of(plan: Plan, connection: Connection) -> paho.Client:
    client = paho.Client(
        CallbackAPIVersion.VERSION2, client_id=plan.client_id, protocol=paho.MQTTv5, reconnect_on_failure=False
    )
    if plan.login.password is not None:
        client.username_pw_set(plan.login.username, plan.login.secret)
    if plan.login.tls is not None:
        client.tls_set_context(plan.login.tls.context())
    client.connect_timeout = HANDSHAKE_S
    client.max_inflight_messages_set(IN_FLIGHT)
    client.max_queued_messages_set(WAITING)
    if plan.will is not None:
        topic = plan.will.topic
        client.will_set(str(topic), encode(plan.will.message), topic.qos, topic.retain)
    client.on_socket_open = _no_delay
    # With this set, publish() leaves all writing to the loop: two writers could tear a packet in two.
    client.on_socket_register_write = _leave_it_to_the_loop
    client.on_connect = connection.on_connect
    client.on_subscribe = connection.on_subscribe
    client.on_disconnect = connection.on_disconnect
    client.on_publish = connection.on_publish
    client.on_message = connection.on_message
    return client


def _let_go(client: paho.Client) -> None:
    """Undo the circle of client and connection, so that paho closes its two inner sockets now, not at a collection."""
    client.on_connect = client.on_subscribe = client.on_disconnect = client.on_publish = client.on_message = None


@lru_cache(maxsize=1_024)
def _expiring(seconds: int) -> Properties:
    # paho builds its tables anew for every Properties object, so those that we need again are kept.
    properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]  # paho's own types end here
    properties.MessageExpiryInterval = seconds
    return properties


def _settle(future: Future[None], reason: ReasonCode) -> None:
    with contextlib.suppress(InvalidStateError):  # its owner has cancelled it
        if reason.value >= _FAILURE:
            future.set_exception(BrokerRefused(str(reason)))
        else:
            future.set_result(None)


def _no_delay(_client: paho.Client, _data: object, sock: paho.SocketLike) -> None:
    # Without it a PUBACK followed by a PUBLISH waits 40 ms for the peer's delayed TCP acknowledgement.
    if isinstance(sock, socket.socket):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _leave_it_to_the_loop(_client: paho.Client, _data: object, _sock: paho.SocketLike) -> None:
    pass
