"""What the centre keeps for good: series of values, and events, in batches that the agent holds until ``committed``.

Values of one property travel together, with one name and one start: a batch of a thousand is a quarter of the size
that it would be with a name and a time for each, and costs a tenth to read.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Final, Self

from pydantic import Field, FiniteFloat, StrictInt, model_validator

from gateway.protocol.ids import CommandId, Id, Name
from gateway.protocol.messages import Event, Message, Moment, Quality, Value

#: Samples, and events, of one batch.
MAX_BATCH: Final = 5_000
#: A batch spans ten years at most, so that no offset leads out of the calendar.
MAX_OFFSET_US: Final = 10 * 366 * 86_400 * 1_000_000
#: Between two samples of a property that is read well; polls may be a day apart, and a refresh as well.
MAX_EVERY_S: Final = 4 * 86_400.0
_MICROSECOND: Final = timedelta(microseconds=1)

Offset = Annotated[StrictInt, Field(ge=0, le=MAX_OFFSET_US)]


class Series(Message):
    """Values of one property of one quality, in the order in which they were read.

    The value at index i was read ``offset_us[i]`` microseconds after ``start``; null: it could not be read. While the
    property is read well, two samples are never further apart than ``every_s``: what lies beyond is a gap.
    """

    device: Id
    name: Name
    start: Moment
    offset_us: Annotated[tuple[Offset, ...], Field(min_length=1, max_length=MAX_BATCH)]
    values: Annotated[tuple[Value | None, ...], Field(min_length=1, max_length=MAX_BATCH)]
    quality: Quality = Quality.GOOD
    every_s: Annotated[FiniteFloat, Field(gt=0, le=MAX_EVERY_S)]

    @model_validator(mode="after")
    def _one_time_per_value(self) -> Self:
        if len(self.offset_us) != len(self.values):
            raise ValueError(f"{len(self.offset_us)} offsets for {len(self.values)} values")
        return self

    def at(self, index: int) -> datetime:
        """When the value at ``index`` was read."""
        return self.start + self.offset_us[index] * _MICROSECOND


class Happening(Event):
    """The durable copy of an event; ``id`` tells a repeated one from a second one."""

    id: CommandId
    device: Id
    name: Name


class History(Message):
    """``history``: a batch that the agent keeps until ``committed`` names it."""

    batch: CommandId
    series: Annotated[tuple[Series, ...], Field(max_length=MAX_BATCH)] = ()
    events: Annotated[tuple[Happening, ...], Field(max_length=MAX_BATCH)] = ()

    @model_validator(mode="after")
    def _not_too_many(self) -> Self:
        if self.samples > MAX_BATCH:
            raise ValueError(f"{self.samples} samples; a batch holds {MAX_BATCH} at most")
        return self

    @property
    def samples(self) -> int:
        """How many values it carries."""
        return sum(len(each.values) for each in self.series)


class Committed(Message):
    """``committed``: what is in the database now; the agent may forget it."""

    batches: Annotated[tuple[CommandId, ...], Field(max_length=MAX_BATCH)] = ()
    commands: Annotated[tuple[CommandId, ...], Field(max_length=MAX_BATCH)] = ()
