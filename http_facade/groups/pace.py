"""How fast a run may go, and when it must stop: arithmetic, without waiting."""

from __future__ import annotations

from collections.abc import Callable


class Pace:
    """At most ``rate_per_s`` starts in a second, evenly; time that was lost is not made up for."""

    def __init__(self, rate_per_s: float, clock: Callable[[], float]) -> None:
        self._gap_s = 1 / rate_per_s
        self._clock = clock
        self._next_s = clock()

    def left_s(self) -> float:
        """Seconds until the next start is due; zero if it is."""
        return max(0.0, self._next_s - self._clock())

    def begin(self) -> None:
        """Note a start now."""
        self._next_s = self._clock() + self._gap_s


def broken(failed: int, *, targets: int, stop_share: float) -> bool:
    """Whether more than ``stop_share`` of all ``targets`` have failed; with a share of 0 the first one is too many."""
    return failed > stop_share * targets
