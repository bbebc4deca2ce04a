"""Is there another agent with our identity? Told from the retained and live words on our own topics (I11, I12).

Pure: it is told what was seen and says what follows.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from gateway.protocol.messages import Heartbeat, SiteState, Status

#: Without a beat for this long, a foreign `online` is only the memory of an agent that is gone.
SILENCE_S = 30.0


class Verdict(Enum):
    """What an agent has to do."""

    CLEAR = auto()
    #: Somebody says we are offline though we are not: say online again.
    REASSERT = auto()
    #: A foreign agent claims an epoch not below ours, and only its retained word is known: listen for its beats.
    DOUBT = auto()
    #: A former life of ours, or another agent, came further than we did, and is gone: go on above it.
    BEHIND = auto()
    #: A foreign agent lives: stop writing, say so, stay away.
    TWIN = auto()


@dataclass(frozen=True, slots=True)
class Fence:
    """Our own epoch and boot id, to compare others' words with."""

    epoch: int
    boot: str

    def status(self, status: Status, *, retained: bool) -> Verdict:
        """Judge a status seen on our own topic."""
        foreign = status.boot != self.boot
        if status.state is SiteState.ONLINE:
            if not foreign or status.epoch < self.epoch:
                return Verdict.CLEAR
            return Verdict.DOUBT if retained else Verdict.TWIN
        if retained and (status.epoch > self.epoch or (foreign and status.epoch == self.epoch)):
            return Verdict.BEHIND
        # A late will of a former connection of ours, or of a former run; our own `stopped` comes back to us too.
        late = status.state is SiteState.OFFLINE and status.epoch <= self.epoch and not retained
        return Verdict.REASSERT if late else Verdict.CLEAR

    def beat(self, beat: Heartbeat, own: bool) -> Verdict:
        """Judge a live heartbeat on our own topic; ``own`` if it is one of those we sent."""
        return Verdict.CLEAR if own or beat.epoch < self.epoch else Verdict.TWIN
