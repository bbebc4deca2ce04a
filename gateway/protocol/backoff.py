"""How long to wait before trying to connect again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

FIRST_DELAY_S: Final = 0.1
LAST_DELAY_S: Final = 5.0


def delays(uniform: Callable[[float, float], float]) -> Iterator[float]:
    """Seconds before each further attempt, without end: jittered under a cap that doubles up to 5 s.

    ``uniform(low, high)`` draws a number, ``random.uniform`` in a process. Make a new one after a success.
    """
    cap_s = FIRST_DELAY_S
    while True:
        cap_s = min(cap_s * 2, LAST_DELAY_S)
        yield uniform(FIRST_DELAY_S, cap_s)
