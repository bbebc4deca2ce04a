"""A site without PLCs: says what an agent says, and answers commands as the test wants."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from types import TracebackType
from typing import Final, Self

from gateway.broker import BrokerLink, Incoming, Login
from gateway.protocol.codec import decode
from gateway.protocol.description import (
    ActionAffordance,
    DataSchema,
    Description,
    Form,
    ObjectSchema,
    PropertyAffordance,
    SecurityScheme,
    ValueType,
)
from gateway.protocol.lifecycle import State
from gateway.protocol.messages import Ack, Command, DeviceState, Message, Quality, SiteState, Status
from gateway.protocol.topics import AckTopic, CommandTopic, DescriptionTopic, StateTopic, StatusTopic, Topic, parse
from tests.conditions import eventually

EPOCH: Final = 7
DEVICE: Final = "feeder-1"
FORMS: Final = (Form(href="mqtt:///", op=("writeproperty",)),)
FEEDER: Final = Description(
    id="urn:tidegate:test:feeder-1",
    title="Feeder 1",
    security_definitions={"login": SecurityScheme(scheme="basic")},
    security=("login",),
    plc="plc-1",
    properties={
        "portion_g": PropertyAffordance(type=ValueType.INTEGER, unit="g", minimum=0, maximum=2000, forms=FORMS),
        "enabled": PropertyAffordance(type=ValueType.BOOLEAN, forms=FORMS),
        "hopper_kg": PropertyAffordance(type=ValueType.NUMBER, unit="kg", read_only=True, forms=FORMS),
    },
    actions={
        "feed": ActionAffordance(
            input=ObjectSchema(
                properties={"grams": DataSchema(type=ValueType.INTEGER, unit="g", minimum=5, maximum=500)},
                required=("grams",),
            ),
            forms=FORMS,
        )
    },
)
Answer = Callable[[Command], tuple[State, str, str] | None]


def applied(_command: Command) -> tuple[State, str, str]:
    """The usual answer."""
    return State.APPLIED, "applied", ""


class FakeSite:
    """``with FakeSite(login) as site`` is online with one feeder; ``answer`` gives state, code and detail of an ack."""

    def __init__(self, login: Login, answer: Answer = applied) -> None:
        self.name = login.username
        self.answer = answer
        self.evidence_follows = False
        self.commands: list[tuple[CommandTopic, Command]] = []
        self._link = BrokerLink(
            login, subscriptions=[CommandTopic.filter(site=self.name)], on_message=self._obey, client_id=None
        )

    def __enter__(self) -> Self:
        self._link.start()
        eventually(lambda: self._link.connected, what="the fake site's connection")
        self.say(SiteState.ONLINE)
        self.publish(DescriptionTopic(site=self.name, device=DEVICE), FEEDER)
        self.show(portion_g=100, enabled=True, hopper_kg=12.5)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._link.stop()

    def publish(self, topic: Topic, message: Message) -> None:
        """Publish, and return when the broker has it."""
        self._link.publish(topic, message).result(5)

    def say(self, state: SiteState) -> None:
        """Publish the retained status."""
        status = Status(state=state, epoch=EPOCH, boot="00c0ffee", since=datetime.now(UTC), version="0.1.0")
        self.publish(StatusTopic(site=self.name), status)

    def show(self, **properties: float | bool | str) -> None:
        """Publish the feeder's retained state."""
        state = DeviceState(at=datetime.now(UTC), quality=Quality.GOOD, properties=dict(properties))
        self.publish(StateTopic(site=self.name, device=DEVICE), state)

    def _obey(self, incoming: Incoming) -> None:
        topic = parse(incoming.topic)
        assert isinstance(topic, CommandTopic)
        command = decode(Command, incoming.topic, incoming.payload)
        self.commands.append((topic, command))
        answer = self.answer(command)
        while answer is not None and command.id is not None:
            self._acknowledge(topic, command, *answer)
            # Evidence may follow an unknown at once.
            answer = self.answer(command) if answer[0] is State.UNKNOWN and self.evidence_follows else None

    def _acknowledge(self, topic: CommandTopic, command: Command, state: State, code: str, detail: str) -> None:
        assert command.id is not None
        ack = Ack(
            id=command.id,
            device=topic.device,
            name=topic.name,
            input=command.input,
            state=state,
            code=code,
            detail=detail,
            result=dict(command.input) if state is State.APPLIED else {},
            epoch=EPOCH,
            at=datetime.now(UTC),
        )
        self._link.publish(AckTopic(site=self.name, requester=topic.requester, id=command.id), ack)
