"""The witnesses of a run: what the broker delivered, with times, and what the gate said."""

from __future__ import annotations

import contextlib
import secrets
import threading
import time
from typing import Any, Final

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

from gateway.broker import Login
from gateway.demo.readiness import live_epoch
from gateway.protocol.codec import decode
from gateway.protocol.errors import DecodeError
from gateway.protocol.ids import CLIENT_ID_PREFIX
from gateway.protocol.messages import Ack, Command, DeviceState, Heartbeat
from gateway.protocol.topics import AckTopic, CommandTopic, HeartbeatTopic, StateTopic, parse
from tests.faults.history import Acked, Beat, GateSeen, Published, Shown

_LOOK_S: Final = 0.5


def value_of(name: str, values: dict[str, Any]) -> tuple[str, int] | None:
    """What a command is about, and its value; None for what no client of a run asks for."""
    if name == "write" and len(values) == 1:
        ((setting, value),) = values.items()
        return (setting, value) if isinstance(value, int) else None
    grams = values.get("grams")
    return (name, grams) if isinstance(grams, int) else None


class Tap:
    """A technician who writes down everything, and comes back whenever the broker does."""

    def __init__(self, login: Login) -> None:
        self.published: list[Published] = []
        self.acks: list[Acked] = []
        self.beats: list[Beat] = []
        self.shown: list[Shown] = []
        self.gaps: list[tuple[float, float]] = []
        #: What could not be read, or did not come from us.
        self.strange = 0
        self._away_since: float | None = time.monotonic()
        self._client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id=CLIENT_ID_PREFIX + secrets.token_hex(8), protocol=paho.MQTTv5
        )
        self._client.username_pw_set(login.username, login.secret)
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_disconnect = self._on_disconnect
        self._client.on_message = self._on_message
        self._client.connect(login.host, login.port, keepalive=5)
        self._client.loop_start()

    @property
    def listening(self) -> bool:
        """Whether it hears everything now."""
        return self._away_since is None

    def close(self) -> None:
        """Listen no more."""
        self._client.disconnect()
        self._client.loop_stop()
        if self._away_since is not None:
            self.gaps.append((self._away_since, time.monotonic()))

    def publish(self, topic: str, payload: bytes) -> None:
        """Say something as this technician; nothing is queued while the broker is away."""
        if self._client.is_connected():
            self._client.publish(topic, payload, qos=1)

    def _on_connect(self, *_: object) -> None:
        for kind in (CommandTopic, AckTopic, HeartbeatTopic, StateTopic):
            self._client.subscribe(kind.filter(), qos=1)

    def _on_subscribe(self, *_: object) -> None:
        if self._away_since is not None:
            self.gaps.append((self._away_since, time.monotonic()))
            self._away_since = None

    def _on_disconnect(self, *_: object) -> None:
        # What was sent in the last seconds before may be lost with the connection.
        if self._away_since is None:
            self._away_since = time.monotonic() - 5

    def _on_message(self, _client: object, _data: object, message: paho.MQTTMessage) -> None:
        try:
            self._note(time.monotonic(), message)
        except DecodeError:
            self.strange += 1

    def _note(self, at: float, message: paho.MQTTMessage) -> None:
        topic = parse(message.topic)
        if isinstance(topic, CommandTopic):
            self._command(at, topic, decode(Command, message.topic, bytes(message.payload)), message.retain)
        elif isinstance(topic, AckTopic):
            ack = decode(Ack, message.topic, bytes(message.payload))
            self.acks.append(Acked(at=at, site=topic.site, id=ack.id, state=ack.state, code=ack.code))
        elif isinstance(topic, HeartbeatTopic):
            beat = decode(Heartbeat, message.topic, bytes(message.payload))
            seen = Beat(at=at, site=topic.site, epoch=beat.epoch, seq=beat.seq, retained=message.retain)
            self.beats.append(seen)
        elif isinstance(topic, StateTopic):
            state = decode(DeviceState, message.topic, bytes(message.payload))
            for name, value in state.properties.items():
                if isinstance(value, int) and not isinstance(value, bool):
                    self.shown.append(Shown(at=at, thing=(topic.site, topic.device, name), value=value))

    def _command(self, at: float, topic: CommandTopic, command: Command, retained: bool) -> None:
        about = value_of(topic.name, dict(command.input))
        if about is None or command.id is None:
            return
        after, order = command.after, command.order
        self.published.append(
            Published(
                at=at,
                id=command.id,
                thing=(topic.site, topic.device, about[0]),
                value=about[1],
                requester=topic.requester,
                retained=retained,
                ttl_s=command.ttl_s,
                beat=None if after is None else (after.epoch, after.seq),
                age_s=0.0 if after is None else after.age_s,
                order=None if order is None else (order.boot, order.number),
            )
        )


class GateWatch:
    """Looks at the gate's keys now and then."""

    def __init__(self, redis_url: str, sites: list[str], expiry_s: int) -> None:
        self.seen: list[GateSeen] = []
        self._where = (redis_url, expiry_s)
        self._sites = sites
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="gate-watch", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Look no more."""
        self._ended.set()
        self._thread.join(10)

    def _watch(self) -> None:
        url, expiry_s = self._where
        while not self._ended.wait(_LOOK_S):
            for site in self._sites:
                with contextlib.suppress(Exception):
                    at, epoch = time.monotonic(), live_epoch(url, site, expiry_s)
                    if epoch is not None:
                        self.seen.append(GateSeen(at=at, site=site, epoch=epoch))
