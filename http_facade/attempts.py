"""How often wrong tokens came: per address and per token's id. Who has the right one is never kept waiting."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from typing import Final

#: Wrong ones in a minute, of one address or for one id, that are answered with 401; more are told to wait.
MOST: Final = 20
WINDOW_S: Final = 60.0
#: Addresses and ids that are remembered; those that were quiet for longest go first (I15).
REMEMBERED: Final = 10_000


class Attempts:
    """Safe from any thread."""

    def __init__(self, most: int = MOST, window_s: float = WINDOW_S) -> None:
        self._most = most
        self._window_s = window_s
        self._lock = threading.Lock()
        #: Who -> when the window began, and how many came in it.
        self._counts: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def failed(self, *who: str) -> float | None:
        """Count one wrong token of all these; how long to wait, if one of them sent too many."""
        now_s = time.monotonic()
        with self._lock:
            waits = [self._count(each, now_s) for each in who]
        longest_s = max(waits, default=0.0)
        return longest_s if longest_s > 0 else None

    def waits(self, *who: str) -> float | None:
        """How long to wait, if one of these has sent too many; counts nothing."""
        now_s = time.monotonic()
        with self._lock:
            found = [self._counts.get(each, (now_s, 0)) for each in who]
        left = [began_s + self._window_s - now_s for began_s, count in found if count >= self._most]
        longest_s = max(left, default=0.0)
        return longest_s if longest_s > 0 else None

    def _count(self, who: str, now_s: float) -> float:
        began_s, count = self._counts.pop(who, (now_s, 0))
        if now_s - began_s >= self._window_s:
            began_s, count = now_s, 0
        self._counts[who] = began_s, count + 1
        while len(self._counts) > REMEMBERED:
            self._counts.popitem(last=False)
        return began_s + self._window_s - now_s if count + 1 > self._most else 0.0
