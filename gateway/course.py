"""The course of a property over a stretch of time, small enough to draw: samples, or what buckets of them come to.

Nothing is interpolated. Where a property was not read there is no value: a bucket that is None, or between samples one
without a value that is marked as missing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from gateway.protocol.messages import Quality, Value
from gateway.roll_ups import MINUTE_US, Bucket
from gateway.samples import HOUR_US

SECOND_US: Final = 1_000_000
#: Widths that people read without arithmetic; beyond the last, whole days.
_WIDTHS_US: Final = tuple(
    sorted(
        [
            *(each * SECOND_US for each in (1, 2, 5, 10, 15, 30)),
            *(each * MINUTE_US for each in (1, 2, 3, 5, 10, 15, 20, 30)),
            *(each * HOUR_US for each in (1, 2, 3, 4, 6, 8, 9, 12)),
        ]
    )
)
DAY_US: Final = 24 * HOUR_US


@dataclass(frozen=True, slots=True)
class SeriesRecord:
    """A property of a device, as the samples' tables know it."""

    id: int
    every_s: float


@dataclass(frozen=True, slots=True)
class Sample:
    """A value and its time; ``quality`` None: no sample, but the moment from which on one was missing."""

    at_us: int
    value: Value | None
    quality: Quality | None


@dataclass(frozen=True, slots=True)
class Samples:
    """All samples of the stretch, with the gaps between them."""

    samples: Sequence[Sample]


@dataclass(frozen=True, slots=True)
class Buckets:
    """One bucket after the other from ``start_us``; None where nothing was read."""

    start_us: int
    width_us: int
    buckets: Sequence[Bucket | None]


Course = Samples | Buckets


def width_of(start_us: int, end_us: int, *, points: int, every_s: float, finest_us: int = 0) -> int:
    """The narrowest width that needs no more than ``points`` buckets and leaves no false gaps between samples.

    Nothing finer than ``finest_us`` is known any more.
    """
    # One bucket more than the stretch is long: its ends seldom fall on the edges of buckets.
    least_us = max((end_us - start_us) / max(1, points - 1), every_s * SECOND_US, finest_us)
    for width_us in _WIDTHS_US:
        if width_us >= least_us:
            return width_us
    return -(-int(least_us) // DAY_US) * DAY_US


def with_gaps(samples: Iterable[Sample], every_s: float, *, end_us: int) -> Samples:
    """Samples, and where the next one took longer than it does while the property is read well, a missing one."""
    longest_us, found, last = int(every_s * SECOND_US), list[Sample](), None
    for each in samples:
        if last is not None and last.value is not None and each.at_us - last.at_us > longest_us:
            found.append(Sample(last.at_us + longest_us, None, None))
        found.append(each)
        last = each
    if last is not None and last.value is not None and end_us - last.at_us > longest_us:
        found.append(Sample(last.at_us + longest_us, None, None))
    return Samples(found)


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a stretch; ``stale``: the roll-ups do not hold it yet."""

    start_us: int
    end_us: int
    stale: bool


def parts(stale_hours: Sequence[int], start_us: int, end_us: int) -> Iterator[Part]:
    """The stretch without gap or overlap, cut at the stale hours, which come in the order of their starts."""
    at_us = start_us
    for first_us, over_us in _runs(stale_hours):
        if first_us > at_us:
            yield Part(at_us, first_us, stale=False)
        yield Part(max(first_us, start_us), min(over_us, end_us), stale=True)
        at_us = over_us
    if at_us < end_us:
        yield Part(at_us, end_us, stale=False)


def _runs(hours: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Hours that follow one another, as one."""
    first_us: int | None = None
    over_us = 0
    for hour_us in hours:
        if first_us is None or hour_us != over_us:
            if first_us is not None:
                yield first_us, over_us
            first_us = hour_us
        over_us = hour_us + HOUR_US
    if first_us is not None:
        yield first_us, over_us


def in_row(buckets: Mapping[int, Bucket], start_us: int, end_us: int, width_us: int) -> Buckets:
    """Buckets by their starts, from the one of ``start_us`` to the one before ``end_us``."""
    first_us = start_us - start_us % width_us
    return Buckets(first_us, width_us, [buckets.get(each) for each in range(first_us, end_us, width_us)])


def merged(former: Bucket | None, other: Bucket) -> Bucket:
    """Two parts of one bucket."""
    if former is None:
        return other
    later = max(former, other, key=lambda each: each.last_at_us)
    return Bucket(
        start_us=former.start_us,
        count=former.count + other.count,
        least=_known(min, former.least, other.least),
        most=_known(max, former.most, other.most),
        total=_known(lambda one, two: one + two, former.total, other.total),
        last=later.last,
        last_at_us=later.last_at_us,
        last_quality=later.last_quality,
    )


def _known(join: Callable[[float, float], float], one: float | None, two: float | None) -> float | None:
    if one is None or two is None:
        return two if one is None else one
    return join(one, two)
