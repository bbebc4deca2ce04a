"""The gate (I4): may a write pass? Open only while the mirror holds a live heartbeat of the site.

The gate is advice; the agent judges again by its own clock. For that it is told which beat was the last one, and how
long ago it had come (``After``).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final, Protocol

from gateway.liveness import Alive
from gateway.protocol.errors import Unavailable
from gateway.protocol.messages import After, PlcLink
from http_facade.refusals import GateUnavailable, PlcLost, SiteOffline

#: Sites whose beats are remembered; far above what one facade serves.
MAX_SITES: Final = 100_000


class Mirror(Protocol):
    """Where the last live heartbeat of each site is kept until it expires."""

    def read(self, site: str) -> Alive | None:
        """The site's beat, None if it has expired; raises Unavailable."""


class _Seen:
    """The newest beat of a site that this process has seen, in seconds of its monotonic clock."""

    __slots__ = ("beat", "before_s", "first_s", "last_s")

    def __init__(self, beat: tuple[int, int], first_s: float, last_s: float, before_s: float | None) -> None:
        self.beat = beat
        self.first_s = first_s  # by then the mirror had it
        self.last_s = last_s  # at that time the mirror had nothing newer
        self.before_s = before_s  # at that time the mirror did not have it yet


_NONE: Final = (-1, -1)


class Ages:
    """How old a beat is, by the mirror's clock and corrected by this machine's monotonic one.

    The mirror's clock may step, as a wall clock does. What we saw ourselves bounds the truth: a beat is at least as
    old as the time since we first saw it, and no older than the time since we last saw the mirror without it.
    """

    def __init__(self) -> None:
        self._seen: dict[str, _Seen] = {}
        self._lock = threading.Lock()

    def absent(self, site: str, asked_s: float) -> None:
        """Note that the mirror, asked at ``asked_s``, had no beat of the site."""
        with self._lock:
            seen = self._seen.get(site)
            if seen is None:
                self._remember(site, _Seen(_NONE, asked_s, asked_s, None))
            else:
                seen.last_s = max(seen.last_s, asked_s)

    def age_s(self, site: str, alive: Alive, *, asked_s: float, now_s: float) -> float:
        """Seconds since the mirror took the beat; rather too few than too many, which is the safe side."""
        beat = (alive.heartbeat.epoch, alive.heartbeat.seq)
        with self._lock:
            seen = self._seen.get(site)
            if seen is None or beat > seen.beat:
                seen = _Seen(beat, now_s, asked_s, None if seen is None else seen.last_s)
                self._remember(site, seen)
            elif beat < seen.beat:
                return max(alive.age_s, 0.0)  # overtaken by another thread while it read
            else:
                seen.last_s = max(seen.last_s, asked_s)
        age_s = max(alive.age_s, now_s - seen.first_s, 0.0)
        return age_s if seen.before_s is None else min(age_s, now_s - seen.before_s)

    def _remember(self, site: str, seen: _Seen) -> None:
        if site not in self._seen and len(self._seen) >= MAX_SITES:
            self._seen.pop(next(iter(self._seen)))
        self._seen[site] = seen


class Gate:
    """Asks the mirror before every write.

    ``expiry_s``: how long a beat opens the gate, whatever the mirror says. ``silent_s``: how long a site has been
    silent, as far as the database knows; asked only when the gate is shut.
    """

    def __init__(
        self,
        mirror: Mirror,
        *,
        expiry_s: float,
        silent_s: Callable[[str], float | None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._mirror = mirror
        self._expiry_s = expiry_s
        self._silent_s = silent_s
        self._clock = clock
        self._ages = Ages()

    def check(self, site: str, plc: str) -> After:
        """Let a write to ``plc`` pass, and name the beat that it relies on.

        Raises:
            GateUnavailable: the mirror does not answer.
            SiteOffline: there is no live beat.
            PlcLost: the beat says that the PLC is lost.
        """
        asked_s = self._clock()
        try:
            alive = self._mirror.read(site)
        except Unavailable as error:
            raise GateUnavailable(f"{error}; without it nothing may be written") from error
        if alive is None:
            self._ages.absent(site, asked_s)
            raise SiteOffline(site, self._silent_s(site))
        age_s = self._ages.age_s(site, alive, asked_s=asked_s, now_s=self._clock())
        if age_s > self._expiry_s:  # the mirror's clock was set back: its key outlives the beat (I4)
            raise SiteOffline(site, age_s)
        if alive.heartbeat.plcs.get(plc) is PlcLink.LOST:
            raise PlcLost(plc)
        return After(epoch=alive.heartbeat.epoch, seq=alive.heartbeat.seq, age_s=age_s)
