"""Ids of commands that sort in the order in which this process made them."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from typing import Final

from gateway.protocol.ids import command_id

_RANDOM_BITS: Final = 74


class CommandIds:
    """UUIDs of version 7; within a millisecond, or while the clock steps back, the random part counts on.

    RFC 9562 section 6.2, method 2. Safe from any thread.
    """

    def __init__(self, clock_ns: Callable[[], int] = time.time_ns) -> None:
        self._clock_ns = clock_ns
        self._lock = threading.Lock()
        self._last = (0, 0)

    def next(self) -> str:
        """An id that is higher than all before it."""
        unix_ms, bits = self._clock_ns() // 1_000_000, secrets.randbits(_RANDOM_BITS - 1)
        with self._lock:
            last_ms, last_bits = self._last
            if unix_ms <= last_ms:
                # At most 2^32 at a time from half of the range: it is never used up.
                unix_ms, bits = last_ms, last_bits + 1 + secrets.randbits(32)
            self._last = (unix_ms, bits)
        return command_id(unix_ms, bits)
