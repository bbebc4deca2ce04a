"""What waits for the recorder: one lane for each sender, so that who says too much only keeps itself waiting (S23).

The sender is the level of the topic that the broker has proved: the site, or who commands it. Senders are served in
turn, and when all is full, it is the fullest lane's newest that goes.
"""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict, deque
from typing import Final

from gateway.broker import Incoming

#: What all lanes may hold. A message weighs its payload and this much for itself.
CAPACITY: Final = 64 * 1024 * 1024
OVERHEAD: Final = 640
#: How much of a lane is served before it is the next one's turn.
_TURN: Final = 16 * 1024
_COMMANDS: Final = "commands"


class _Lane:
    __slots__ = ("messages", "weight")

    def __init__(self) -> None:
        self.messages: deque[Incoming] = deque()
        self.weight = 0


class FairQueue:
    """Safe from any thread; nobody waits in it for longer than others take to move some pointers."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._lock = threading.Lock()
        #: Those that hold something; who is served next stands first.
        self._lanes: OrderedDict[str, _Lane] = OrderedDict()
        self._weight = 0
        self._count = 0
        self._shed: Counter[str] = Counter()

    def __len__(self) -> int:
        return self._count

    def put(self, incoming: Incoming) -> None:
        """Let it wait; if that is too much, a message of whoever has most waiting is dropped and counted."""
        sender = sender_of(incoming.topic)
        with self._lock:
            lane = self._lanes.get(sender)
            if lane is None:
                lane = self._lanes[sender] = _Lane()
            lane.messages.append(incoming)
            self._move(lane, _weight(incoming))
            self._count += 1
            if self._weight > self._capacity:
                self._drop(sender, lane)

    def take(self, most: int, weight: int) -> list[Incoming]:
        """At most so many, and not many more bytes than that, of all senders in turn; each one's in their order."""
        taken: list[Incoming] = []
        with self._lock:
            until = self._weight - weight
            while self._lanes and len(taken) < most and self._weight > until:
                sender, lane = self._lanes.popitem(last=False)
                end = lane.weight - _TURN
                while lane.messages and lane.weight > end and len(taken) < most:
                    incoming = lane.messages.popleft()
                    self._move(lane, -_weight(incoming))
                    taken.append(incoming)
                if lane.messages:
                    self._lanes[sender] = lane
            self._count -= len(taken)
        return taken

    def shed(self) -> dict[str, int]:
        """How many messages of whom were dropped since this was last asked."""
        with self._lock:
            found, self._shed = self._shed, Counter()
        return found

    def _drop(self, sender: str, lane: _Lane) -> None:
        # Who floods has more than its part, and is found without a search.
        if lane.weight * len(self._lanes) <= self._weight:
            sender, lane = max(self._lanes.items(), key=lambda each: each[1].weight)
        self._move(lane, -_weight(lane.messages.pop()))
        self._count -= 1
        self._shed[sender] += 1
        if not lane.messages:
            del self._lanes[sender]

    def _move(self, lane: _Lane, weight: int) -> None:
        lane.weight += weight
        self._weight += weight


def sender_of(topic: str) -> str:
    """Who said something on this topic: it is as the broker let it pass, so nobody speaks in another's name."""
    levels = topic.split("/", 5)
    if len(levels) < 5:
        return levels[2] if len(levels) > 2 else ""
    return levels[4] if levels[3] == _COMMANDS else levels[2]


def _weight(incoming: Incoming) -> int:
    return len(incoming.payload) + OVERHEAD
