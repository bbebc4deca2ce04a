"""A plain MQTT client that may say anything to a broker, for tests of what the broker does with it."""

from __future__ import annotations

import secrets
import threading
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from gateway.broker import Login
from gateway.protocol.ids import CLIENT_ID_PREFIX
from tests.conditions import eventually

_PATIENCE_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Received:
    """A message as it came."""

    topic: str
    payload: bytes
    retained: bool


class MqttClient:
    """Connected inside ``with``; keeps every message that it gets."""

    def __init__(self, login: Login, *, client_id: str | None = None, will: str | None = None) -> None:
        self._login = login
        self._messages: list[Received] = []
        self._codes: dict[int, int] = {}
        self._granted: set[int] = set()
        self._connack = threading.Event()
        self.refused: int | None = None
        self.lost = threading.Event()
        client_id = CLIENT_ID_PREFIX + secrets.token_hex(8) if client_id is None else client_id
        self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id=client_id, protocol=paho.MQTTv5)
        if login.password is not None:
            self._client.username_pw_set(login.username, login.secret)
        if login.tls is not None:
            self._client.tls_set_context(login.tls.context())
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_message = self._on_message
        self._client.on_publish = self._on_publish
        self._client.on_subscribe = self._on_subscribe
        if will is not None:
            self._client.will_set(will, b"will", qos=1)

    def __enter__(self) -> Self:
        self._client.connect(self._login.host, self._login.port, keepalive=30)
        self._client.loop_start()
        assert self._connack.wait(_PATIENCE_S), "no CONNACK"
        assert self.refused is None, f"the broker refused the connection: {self.refused:#x}"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.disconnect()
        self._client.loop_stop()
        # Without the circle of callbacks paho closes its inner sockets now, not at some collection.
        client = self._client
        client.on_connect = client.on_disconnect = client.on_message = client.on_publish = client.on_subscribe = None

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> int:
        """The reason code of the PUBACK; 0x87 is "not authorized"."""
        sent = self._client.publish(topic, payload, qos=1, retain=retain)
        # paho stores no code itself, and calls back from its own thread.
        eventually(lambda: sent.mid in self._codes, within_s=_PATIENCE_S, what="a PUBACK")
        return self._codes[sent.mid]

    def send(self, topic: str, payload: bytes) -> None:
        """Publish without waiting for an answer."""
        self._client.publish(topic, payload, qos=0)

    def subscribe(self, *filters: str) -> None:
        """Return when the broker has answered; its SUBACK proves no right (it grants what it will not deliver)."""
        _, mid = self._client.subscribe([(each, SubscribeOptions(qos=1)) for each in filters])
        eventually(lambda: mid in self._granted, within_s=_PATIENCE_S, what="a SUBACK")

    def wait_for(self, payload: bytes) -> Received:
        """The first message with this payload."""
        return eventually(lambda: self._first(payload), within_s=_PATIENCE_S, what=f"message {payload!r}")

    def received(self) -> list[Received]:
        """All messages so far."""
        return list(self._messages)

    def payloads(self) -> set[bytes]:
        """The payloads of all messages so far."""
        return {message.payload for message in self._messages}

    def cut(self) -> None:
        """Drop the connection without a goodbye, as a crash would."""
        socket = self._client.socket()
        assert socket is not None
        self._client.loop_stop()
        socket.close()

    def _first(self, payload: bytes) -> Received | None:
        return next((message for message in list(self._messages) if message.payload == payload), None)

    def _on_connect(self, _client: object, _data: object, _flags: object, reason: ReasonCode, _more: object) -> None:
        self.refused = reason.value if reason.is_failure else None
        self._connack.set()

    def _on_disconnect(self, *_: object) -> None:
        self.lost.set()

    def _on_message(self, _client: object, _data: object, message: paho.MQTTMessage) -> None:
        self._messages.append(Received(message.topic, bytes(message.payload), message.retain))

    def _on_publish(self, _client: object, _data: object, mid: int, reason: ReasonCode, _more: object) -> None:
        self._codes[mid] = reason.value

    def _on_subscribe(self, _client: object, _data: object, mid: int, *_: object) -> None:
        self._granted.add(mid)
