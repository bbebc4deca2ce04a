"""Made-up samples in a real database, and what is done with them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import Engine, func, select

from gateway.course import Course
from gateway.database import reading, writing
from gateway.database.sample_tables import samples, stale_hours
from gateway.database.tables import microseconds
from gateway.protocol.history import Series
from gateway.protocol.messages import Quality, Value
from gateway.roll_ups import QUIET, RollUps
from gateway.sample_reads import SampleReads
from gateway.samples import Samples, SeriesSeen
from tests.entries import NOON

NOON_US: Final = microseconds(NOON)
SECOND_US: Final = 1_000_000


@dataclass
class SampleStore:
    """The tables of samples, and what is done with them; ``roll`` works out every hour that has samples."""

    engine: Engine

    def __post_init__(self) -> None:
        self.samples = Samples(self.engine)
        self.reads = SampleReads(self.engine)

    def save(self, *seen: Series, site: str = "arava-1") -> None:
        """As the gateway does."""
        known = [SeriesSeen(site, each) for each in seen]
        self.samples.know(known)
        with writing(self.engine) as connection:
            self.samples.save_in(connection, known, NOON)

    def roll(self) -> None:
        """Until there is nothing to do."""
        roll_ups = RollUps(self.engine, now=lambda: NOON + QUIET + timedelta(seconds=1))
        while roll_ups.step():
            pass

    def count(self) -> int:
        """Rows in all."""
        with reading(self.engine) as connection:
            return connection.execute(select(func.count()).select_from(samples)).scalar_one()

    def stale(self) -> int:
        """Hours that are not worked out."""
        with reading(self.engine) as connection:
            return connection.execute(select(func.count()).select_from(stale_hours)).scalar_one()

    def course(self, start_s: float, end_s: float, *, points: int, now_s: float | None = None) -> Course:
        """Of ``water_c`` of ``feeder-1``, seconds from noon."""
        of = self.reads.series("arava-1", "feeder-1", "water_c")
        assert of is not None
        start_us, end_us = (NOON_US + int(each * SECOND_US) for each in (start_s, end_s))
        now_us = end_us if now_s is None else NOON_US + int(now_s * SECOND_US)
        return self.reads.course(of, start_us, end_us, points=points, now_us=now_us)


def series(
    *values: Value | None,
    start_s: float = 0,
    step_s: float = 10,
    quality: Quality = Quality.GOOD,
    name: str = "water_c",
) -> Series:
    """Values of a property, so many seconds apart, from so many seconds after noon."""
    return Series(
        device="feeder-1",
        name=name,
        start=NOON + timedelta(seconds=start_s),
        offset_us=tuple(int(index * step_s * SECOND_US) for index in range(len(values))),
        values=values,
        quality=quality,
        every_s=60.0,
    )
