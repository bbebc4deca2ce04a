"""Did this process pay attention all the time? A machine that slept finds old messages in its sockets (I2). Pure.

Somebody notes every quarter of a second that the event loop runs. A message that was read just now may have lain in
the socket since the last such moment, and after a pause for as long as the pause was.
"""

from __future__ import annotations

from typing import Final

EVERY_S: Final = 0.25
#: A gap above this is a pause: what is read for a second after it may be as old as the gap.
PAUSE_S: Final = 0.75
#: A gap above this is sleep: others may have taken our place, and what the broker has queued for us is old.
SLEEP_S: Final = 3.0
_DOUBT_S: Final = 1.0


class Attention:
    """Times are of :func:`site_agent.clock.elapsed_s`."""

    def __init__(self, now_s: float) -> None:
        self._last_s = now_s
        self._doubt_from_s = now_s
        self._doubt_until_s = now_s
        self._subscribed_s = now_s

    def subscribe(self, now_s: float) -> None:
        """Messages are asked for now, on a new connection: none that comes from here on is older than this."""
        self._subscribed_s = now_s

    def note(self, now_s: float) -> float:
        """The event loop runs; returns the seconds since it was last seen to."""
        gap_s = now_s - self._last_s
        if gap_s > PAUSE_S:
            if now_s >= self._doubt_until_s:
                self._doubt_from_s = self._last_s
            self._doubt_until_s = now_s + _DOUBT_S
        self._last_s = now_s
        return gap_s

    def received_s(self, now_s: float) -> float:
        """The earliest time at which a message that was read now can have reached this machine."""
        awake_s = self._doubt_from_s if now_s < self._doubt_until_s else self._last_s
        return max(awake_s, self._subscribed_s)

    def asleep(self, now_s: float) -> bool:
        """Whether the process has just slept, and has not yet noticed."""
        return now_s - self._last_s > SLEEP_S
