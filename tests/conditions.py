"""Waiting for what must become true, instead of sleeping and hoping."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Final, TypeVar

T = TypeVar("T")

#: Slow machines stretch every deadline by this factor; no test asserts how long something took.
STRETCH: Final = float(os.environ.get("TEST_STRETCH", "1"))
_TICK_S: Final = 0.02


def eventually(question: Callable[[], T | None], *, within_s: float = 5.0, what: str = "the condition") -> T:
    """The first true answer to ``question``; AssertionError with the last one if none comes in time."""
    deadline_s = time.monotonic() + within_s * STRETCH
    while not (answer := question()):
        assert time.monotonic() < deadline_s, f"{what} did not come true within {within_s} s; last answer: {answer!r}"
        time.sleep(_TICK_S)
    return answer
