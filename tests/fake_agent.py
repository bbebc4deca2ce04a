"""A site that says over MQTT whatever a test wants it to say."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from gateway.broker import Login
from gateway.ledger import Answer
from gateway.protocol.codec import decode, encode
from gateway.protocol.history import Committed
from gateway.protocol.messages import Command, HostStatus, Message, SiteState
from gateway.protocol.topics import (
    HOST,
    AckTopic,
    CommandTopic,
    CommittedTopic,
    HeartbeatTopic,
    HostStatusTopic,
    StatusTopic,
    Topic,
    parse,
)
from tests.entries import heartbeat, status
from tests.mqtt_client import MqttClient


class FakeAgent:
    """Connected inside ``with``; every publish returns once the broker has it."""

    def __init__(self, login: Login) -> None:
        self.site = login.username
        self._client = MqttClient(login)

    def __enter__(self) -> Self:
        self._client.__enter__()
        self._client.subscribe(
            str(CommittedTopic(self.site)), str(HostStatusTopic()), CommandTopic.filter(site=self.site, requester=HOST)
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.__exit__(kind, error, trace)

    def say(self, topic: Topic, message: Message | bytes, *, retain: bool | None = None) -> None:
        """Any bytes on any topic."""
        payload = message if isinstance(message, bytes) else encode(message)
        self._client.publish(str(topic), payload, retain=topic.retain if retain is None else retain)

    def beat(self, *, epoch: int = 1, seq: int = 1, retain: bool = False) -> None:
        """Proof of life."""
        self.say(HeartbeatTopic(self.site), heartbeat(epoch=epoch, seq=seq), retain=retain)

    def status(self, state: SiteState = SiteState.ONLINE, *, epoch: int = 1) -> None:
        """Birth, goodbye or will, retained."""
        self.say(StatusTopic(self.site), status(state, epoch=epoch))

    def ack(self, answer: Answer) -> None:
        """What became of a command."""
        self.say(AckTopic(self.site, answer.requester, answer.ack.id), answer.ack)

    @property
    def committed(self) -> set[str]:
        """Ids of commands that this agent may forget."""
        found = [decode(Committed, *each) for each in self._bodies(CommittedTopic(self.site))]
        return {command for each in found for command in each.commands}

    @property
    def hosts(self) -> list[HostStatus]:
        """What the gateway has said of itself, the retained word first."""
        return [decode(HostStatus, *each) for each in self._bodies(HostStatusTopic())]

    @property
    def questions(self) -> list[tuple[CommandTopic, Command]]:
        """What the gateway has asked about."""
        found = [(parse(each.topic), each) for each in self._client.received()]
        return [
            (topic, decode(Command, each.topic, each.payload))
            for topic, each in found
            if isinstance(topic, CommandTopic)
        ]

    def _bodies(self, topic: Topic) -> list[tuple[str, bytes]]:
        return [(each.topic, each.payload) for each in self._client.received() if each.topic == str(topic)]
