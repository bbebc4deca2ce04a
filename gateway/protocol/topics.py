"""The topics of wire protocol v1, built and parsed here and nowhere else.

Each class is one row of the protocol's table: its fields are the topic's levels, its class attributes say QoS,
retain, expiry and body. ``str(topic)`` builds the topic, :func:`parse` reads one, ``Class.filter(...)`` gives
the subscription with ``+`` for every field left out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import ClassVar, Final

from gateway.protocol import history, messages
from gateway.protocol.description import Description
from gateway.protocol.errors import DecodeError, Fault
from gateway.protocol.ids import is_command_id, is_id, is_name, is_principal

ROOT: Final = "tidegate/v1"
#: The gateway's own level, beside the sites.
HOST: Final = "@gateway"
WRITE: Final = "write"
CANCEL: Final = "cancel"
#: The event of a setting that changed without a command of ours.
CHANGED_AT_SITE: Final = "changed-at-site"
#: The alarm of a feeder that did not feed when it should have.
MEAL_MISSED: Final = "meal-missed"
#: The event of a device that the site's file does not name any more.
DEVICE_REMOVED: Final = "device-removed"
#: The event that tells of events that had to be dropped.
EVENTS_LOST: Final = "events-lost"
SAMPLES_LOST: Final = "samples-lost"
#: The event of bytes that were no message of ours.
BAD_MESSAGE: Final = "bad-message"
#: Names of events that no alarm of a site's file can have.
EVENT_NAMES: Final = frozenset({CHANGED_AT_SITE, MEAL_MISSED, DEVICE_REMOVED, EVENTS_LOST, SAMPLES_LOST, BAD_MESSAGE})
#: Names of commands that no action can have.
RESERVED: Final = frozenset({WRITE, CANCEL})
#: Longest Response Topic that is honoured, in characters.
MAX_REPLY_TOPIC: Final = 256


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic of the protocol; see the subclasses."""

    pattern: ClassVar[str]
    body: ClassVar[type[messages.Message]]
    qos: ClassVar[int] = 1
    retain: ClassVar[bool] = False
    #: Seconds after which the broker drops an undelivered message; a broom for its queues, never a deadline.
    expiry_s: ClassVar[int | None] = None
    sender: ClassVar[str]

    def __str__(self) -> str:
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return f"{ROOT}/{self.pattern.format(**values)}"

    @classmethod
    def filter(cls, **levels: str) -> str:
        """The subscription filter of this topic; a level that is not named matches anything."""
        names = [field.name for field in fields(cls)]
        unknown = set(levels) - set(names)
        if unknown:
            raise TypeError(f"{cls.__name__} has no level {', '.join(sorted(unknown))}")
        return f"{ROOT}/{cls.pattern.format(**{name: levels.get(name, '+') for name in names})}"


@dataclass(frozen=True, slots=True)
class StatusTopic(Topic):
    """The agent's retained word about itself, and its last will."""

    pattern = "{site}/status"
    body = messages.Status
    retain = True
    sender = "agent"
    site: str


@dataclass(frozen=True, slots=True)
class HeartbeatTopic(Topic):
    """Proof of life; a late one proves nothing, hence the expiry."""

    pattern = "{site}/heartbeat"
    body = messages.Heartbeat
    expiry_s = 5
    sender = "agent"
    site: str


@dataclass(frozen=True, slots=True)
class DescriptionTopic(Topic):
    """A device's Thing Description."""

    pattern = "{site}/devices/{device}/description"
    body = Description
    retain = True
    sender = "agent"
    site: str
    device: str


@dataclass(frozen=True, slots=True)
class StateTopic(Topic):
    """A device's last known values."""

    pattern = "{site}/devices/{device}/state"
    body = messages.DeviceState
    retain = True
    sender = "agent"
    site: str
    device: str


@dataclass(frozen=True, slots=True)
class EventTopic(Topic):
    """The live copy of something that happened at a device."""

    pattern = "{site}/devices/{device}/events/{name}"
    body = messages.Event
    sender = "agent"
    site: str
    device: str
    name: str


@dataclass(frozen=True, slots=True)
class AlarmTopic(Topic):
    """An alarm that is active; its body is empty once it is over, so that nothing stays retained."""

    pattern = "{site}/devices/{device}/alarms/{name}"
    body = messages.Alarm
    retain = True
    sender = "agent"
    site: str
    device: str
    name: str


@dataclass(frozen=True, slots=True)
class CommandTopic(Topic):
    """A command; the requester is a level that the broker's ACL proves."""

    pattern = "{site}/commands/{requester}/{device}/{name}"
    body = messages.Command
    sender = "requester"
    site: str
    requester: str
    device: str
    name: str


@dataclass(frozen=True, slots=True)
class AckTopic(Topic):
    """What became of a command."""

    pattern = "{site}/acks/{requester}/{id}"
    body = messages.Ack
    sender = "agent"
    site: str
    requester: str
    id: str


@dataclass(frozen=True, slots=True)
class HistoryTopic(Topic):
    """Batches of samples and events on their way to the database."""

    pattern = "{site}/history"
    body = history.History
    sender = "agent"
    site: str


@dataclass(frozen=True, slots=True)
class CommittedTopic(Topic):
    """What the database holds now, so that the agent may forget it."""

    pattern = "{site}/committed"
    body = history.Committed
    sender = "gateway"
    site: str


@dataclass(frozen=True, slots=True)
class HostStatusTopic(Topic):
    """Birth and will of the gateway."""

    pattern = HOST + "/status"
    body = messages.HostStatus
    retain = True
    sender = "gateway"


@dataclass(frozen=True, slots=True)
class HostAlarmTopic(Topic):
    """What the gateway alone can tell of a site that is silent; empty once it is over."""

    pattern = HOST + "/alarms/{site}/{device}/{name}"
    body = messages.Alarm
    retain = True
    sender = "gateway"
    site: str
    device: str
    name: str


TOPICS: Final[tuple[type[Topic], ...]] = (
    StatusTopic,
    HeartbeatTopic,
    DescriptionTopic,
    StateTopic,
    EventTopic,
    AlarmTopic,
    CommandTopic,
    AckTopic,
    HistoryTopic,
    CommittedTopic,
    HostStatusTopic,
    HostAlarmTopic,
)

_LEVEL_RULES: Final[dict[str, Callable[[str], bool]]] = {
    "site": is_id,
    "device": is_id,
    "name": is_name,
    "requester": is_principal,
    "id": is_command_id,
}
_SHAPES: Final = {
    cls: tuple((level[1:-1] if level[0] == "{" else None, level) for level in cls.pattern.split("/")) for cls in TOPICS
}


def _match(cls: type[Topic], levels: list[str]) -> Topic | None:
    shape = _SHAPES[cls]
    if len(shape) != len(levels):
        return None
    values: dict[str, str] = {}
    for (name, literal), level in zip(shape, levels, strict=True):
        if name is None:
            if level != literal:
                return None
        elif _LEVEL_RULES[name](level):
            values[name] = level
        else:
            return None
    return cls(**values)


def parse(topic: str) -> Topic:
    """Read a topic.

    Raises:
        DecodeError: it is not one of ours, or a level breaks the rules for names.
    """
    if topic.startswith(ROOT + "/"):
        levels = topic[len(ROOT) + 1 :].split("/")
        for cls in TOPICS:
            found = _match(cls, levels)
            if found is not None:
                return found
    raise DecodeError(topic, b"", [Fault("", "unknown-topic", "no topic of the protocol has this form")])


def reply_topic(asked: str | None, default: AckTopic) -> str:
    """Where an ack goes: the MQTT 5 Response Topic, honoured only at or below ``acks/{requester}``.

    Anything else is ignored rather than refused, since the ack on its own topic reaches the requester anyway.
    """
    home = f"{ROOT}/{default.site}/acks/{default.requester}"
    if asked is None or not (asked == home or asked.startswith(home + "/")):
        return str(default)
    # A broker ends the connection of whoever publishes to a wildcard or a control character.
    fit = len(asked) <= MAX_REPLY_TOPIC and asked.isprintable() and not {"+", "#"} & set(asked)
    return asked if fit else str(default)
