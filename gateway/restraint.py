"""So much a second of each, and so much at once: who asks for more is told so, and nobody else pays for it."""

from __future__ import annotations

from typing import Final

#: Names that are remembered; those that have their whole quota again need not be (I15).
_REMEMBERED: Final = 10_000
#: Six times what an agent sends at its default pace when it catches up.
HISTORY_BYTES_PER_S: Final = 1024 * 1024
HISTORY_BYTES_AT_ONCE: Final = 8 * 1024 * 1024
WORDS_PER_S: Final = 0.2
WORDS_AT_ONCE: Final = 5


class Quota:
    """For one thread; ``now_s`` is monotonic. A name that was never heard has all of ``at_once``."""

    def __init__(self, *, per_s: float, at_once: float) -> None:
        self._per_s = per_s
        self._at_once = at_once
        #: What is left, and when that was so.
        self._left: dict[str, tuple[float, float]] = {}

    def take(self, name: str, amount: float, now_s: float) -> bool:
        """Whether so much is left of the name's quota; then it is taken from it, otherwise nothing is."""
        left = self._now(name, now_s)
        if amount > left:
            return False
        if name not in self._left and len(self._left) >= _REMEMBERED:
            self._forget(now_s)
        self._left[name] = left - amount, now_s
        return True

    def _now(self, name: str, now_s: float) -> float:
        left, at_s = self._left.get(name, (self._at_once, now_s))
        return min(self._at_once, left + (now_s - at_s) * self._per_s)

    def _forget(self, now_s: float) -> None:
        self._left = {name: each for name, each in self._left.items() if self._now(name, now_s) < self._at_once}


class Restraint:
    """What one sender may cost us, whatever it says (S23)."""

    def __init__(self) -> None:
        #: Bytes of history. An agent sends again what is not committed, so that it comes later, and nothing is lost.
        self.history = Quota(per_s=HISTORY_BYTES_PER_S, at_once=HISTORY_BYTES_AT_ONCE)
        #: Lines in our log about what it says.
        self.words = Quota(per_s=WORDS_PER_S, at_once=WORDS_AT_ONCE)
