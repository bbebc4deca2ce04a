"""How far a counter of a PLC rose in stretches of time, from its values over time. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

#: A counter that falls from so near its end has wrapped; from elsewhere it began anew at 0.
_WRAP: Final = 2**32
_NEAR_WRAP: Final = _WRAP - 10_000_000

#: When a counter was read, in microseconds, and its value.
Step = tuple[int, float]


def begun(lasts: Iterable[tuple[int, float, float | None]]) -> Iterator[Step]:
    """Steps from the last values of short stretches: when they were read, they themselves, the least of each stretch.

    Where the first stretch lies nothing was read before, so what the counter rose in it shows only by its least value.
    No day begins within a stretch: it matters to nobody when in it that was.
    """
    known = iter(lasts)
    for at_us, value, least in known:
        if least is not None and least < value:
            yield at_us - 1, least
        yield at_us, value
        break
    for at_us, value, _ in known:
        yield at_us, value


@dataclass(frozen=True, slots=True)
class Rise:
    """How far a counter rose; ``whole``: nothing can be missing from it, and nothing of before is in it."""

    amount: float
    whole: bool


def rises(
    steps: Iterable[Step], stretches: Sequence[tuple[int, int]], *, near_us: int, now_us: int
) -> Sequence[Rise | None]:
    """How far a counter rose in each stretch; None where it was not read.

    A rise between two values counts where the second of them lies. It is whole if it is known where the counter stood
    at both ends, since it was read within ``near_us`` before them or had not moved when it was read next, and if the
    counter did not begin anew in between. A stretch that reaches behind ``now_us`` ends there.
    """
    course = _Course(steps, near_us)
    return [course.rise(start_us, min(end_us, now_us)) for start_us, end_us in stretches]


class _Course:
    """The values of a counter in their order."""

    def __init__(self, steps: Iterable[Step], near_us: int) -> None:
        known = list(steps)
        self._times = [at_us for at_us, _ in known]
        self._values = [value for _, value in known]
        self._near_us = near_us

    def rise(self, start_us: int, end_us: int) -> Rise | None:
        first, over = bisect_left(self._times, start_us), bisect_left(self._times, end_us)
        if first == over:
            return None
        pairs = list(pairwise(self._values[max(first - 1, 0) : over]))
        whole = self._is_known(first, start_us) and self._is_known(over, end_us)
        return Rise(sum(_rise(*each) for each in pairs), whole and not any(_is_anew(*each) for each in pairs))

    def _is_known(self, next_: int, at_us: int) -> bool:
        """Where the counter stood then; ``next_`` is the first value from then on."""
        if next_ < len(self._times) and self._times[next_] == at_us:
            return True
        if next_ == 0:
            return False
        unmoved = next_ < len(self._values) and self._values[next_] == self._values[next_ - 1]
        return unmoved or at_us - self._times[next_ - 1] <= self._near_us


def _rise(before: float, after: float) -> float:
    if after >= before:
        return after - before
    return after if _is_anew(before, after) else after + _WRAP - before


def _is_anew(before: float, after: float) -> bool:
    return after < before < _NEAR_WRAP
