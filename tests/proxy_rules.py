"""What a proxy does with single frames: the n-th that matches is held, dropped, doubled, swapped, or ends it all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from random import Random

from tests.proxy_frames import Frame, Packet


class Way(Enum):
    """A direction through the proxy."""

    TO_SERVER = auto()
    TO_CLIENT = auto()


class Verb(Enum):
    """What becomes of a frame."""

    PASS = auto()
    HOLD = auto()  # it alone waits until `release`; what comes after overtakes it
    DROP = auto()
    DUPLICATE = auto()
    CUT_BEFORE = auto()  # the connection is reset, the frame never arrives
    CUT_AFTER = auto()  # the frame arrives, then the connection is reset
    SWAP = auto()  # it comes after the next one that matches


Match = Callable[[Frame], bool]


def publish(topic_part: str = "") -> Match:
    """An MQTT PUBLISH whose topic holds these words."""
    return lambda frame: frame.mqtt and frame.kind == Packet.PUBLISH and topic_part in frame.topic


def packet(kind: Packet) -> Match:
    """An MQTT packet of this type."""
    return lambda frame: frame.mqtt and frame.kind == kind


def function(*codes: int) -> Match:
    """A Modbus frame with one of these function codes."""
    return lambda frame: not frame.mqtt and frame.kind in codes


def anything(_frame: Frame) -> bool:
    """Every frame."""
    return True


@dataclass(slots=True, kw_only=True)
class Rule:
    """Of the frames on this way that match: let ``after`` pass, then treat ``times`` (None: all) by ``chance``."""

    verb: Verb
    way: Way
    match: Match = anything
    after: int = 0
    times: int | None = 1
    chance: float = 1.0
    #: How many it has treated.
    hits: int = 0

    def takes(self, way: Way, frame: Frame, random: Random) -> bool:
        """Whether this frame is one to treat; counts it."""
        if way is not self.way or self.times == 0 or not self.match(frame):
            return False
        if self.after:
            self.after -= 1
            return False
        if self.chance < 1 and random.random() >= self.chance:
            return False
        if self.times is not None:
            self.times -= 1
        self.hits += 1
        return True
