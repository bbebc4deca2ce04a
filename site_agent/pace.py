"""How fast a backlog may go: so much per second, whatever the size of each part. Pure; time is an argument."""

from __future__ import annotations


class Pace:
    """At most ``per_s`` on average; the first part goes at once."""

    def __init__(self, per_s: float) -> None:
        self._per_s = per_s
        self._free_s = float("-inf")

    def wait_s(self, count: int, now_s: float) -> float:
        """How long this part, of ``count``, has to wait; from then on it counts as gone."""
        begin_s = max(now_s, self._free_s)
        self._free_s = begin_s + count / self._per_s
        return begin_s - now_s
