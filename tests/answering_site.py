"""A site that acks every command at once, as told; and an ear on everything that is published to it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from gateway.broker import BrokerLink, Incoming, Login
from gateway.protocol.codec import decode
from gateway.protocol.lifecycle import State
from gateway.protocol.messages import Ack, Command
from gateway.protocol.topics import AckTopic, CommandTopic, parse
from tests.conditions import eventually

Answers = Callable[[CommandTopic, Command], Sequence[tuple[AckTopic, Ack]]]


def applied(topic: CommandTopic, command: Command, **changes: object) -> tuple[AckTopic, Ack]:
    """The ack of a write that was read back equal, unless told otherwise."""
    fields = {
        "id": command.id,
        "device": topic.device,
        "name": topic.name,
        "input": command.input,
        "state": State.APPLIED,
        "code": "applied",
        "result": command.input,
        "epoch": 1,
        "at": datetime.now(UTC),
    }
    ack = Ack.model_validate(fields | changes)
    return AckTopic(site=topic.site, requester=topic.requester, id=ack.id), ack


class AnsweringSite:
    """Connected inside ``with``; ``answers`` makes the acks of each command, in the site's own thread."""

    def __init__(self, login: Login, answers: Answers = lambda topic, command: [applied(topic, command)]) -> None:
        self.site = login.username
        self.heard: list[tuple[CommandTopic, Command]] = []
        self.answers = answers
        self._lock = threading.Lock()
        self._link = BrokerLink(login, subscriptions=[CommandTopic.filter(site=self.site)], on_message=self._hear)

    def __enter__(self) -> Self:
        self._link.start()
        self.wait_connected()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._link.stop()

    def wait_connected(self) -> None:
        """Return when everything that is published to the site will be heard."""
        eventually(lambda: self._link.connected, within_s=15, what="the site's link")

    def say(self, topic: AckTopic, ack: Ack) -> None:
        """Publish an ack that nobody asked for."""
        self._link.publish(topic, ack).result(5)

    def _hear(self, incoming: Incoming) -> None:
        topic = parse(incoming.topic)
        assert isinstance(topic, CommandTopic)
        command = decode(Command, incoming.topic, incoming.payload)
        with self._lock:
            self.heard.append((topic, command))
        for reply, ack in self.answers(topic, command):
            self._link.publish(reply, ack)
