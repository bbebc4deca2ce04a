"""``…/{device}/history``: the course of a property, to draw or to keep."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

from flask import Response
from pydantic import BaseModel, ConfigDict, Field

from gateway.course import Sample, SeriesRecord
from gateway.database.tables import microseconds
from gateway.protocol.errors import Fault, InvalidInput
from gateway.protocol.ids import Name
from gateway.protocol.messages import Moment
from http_facade import bodies, comma_separated, file_rows, reports, representations, schemas
from http_facade.comma_separated import CSV
from http_facade.cursor import Cursor, next_of
from http_facade.openapi import blueprint, path_parameter, query_parameters, reads_itself
from http_facade.refusals import NotFound
from http_facade.representations import Json
from http_facade.services import services

api = blueprint("history", "What was read, over any stretch of time.")

_DEVICE: Final = [path_parameter("site"), path_parameter("device")]
_SPAN: Final = timedelta(days=1)


class _Stretch(BaseModel):
    model_config = ConfigDict(extra="forbid")

    property: Name = Field(description="which one")
    start: Moment | None = Field(default=None, alias="from", description="from then on; a day before `to` by default")
    end: Moment | None = Field(default=None, alias="to", description="before then; now by default")


class CourseQuery(_Stretch):
    """What to draw."""

    points: Annotated[int, Field(ge=2, le=5_000)] = Field(
        default=500, description="the most to answer; where there are more samples, they come in buckets"
    )


class SamplesQuery(_Stretch):
    """What to keep."""


class ChangesQuery(BaseModel):
    """Which changes to list."""

    model_config = ConfigDict(extra="forbid")

    property: Name | None = Field(default=None, description="only of this setting")
    limit: Annotated[int, Field(ge=1, le=200)] = Field(default=50, description="the most to list")
    cursor: Cursor | None = Field(default=None, description="`next` of the page before")


@dataclass(frozen=True, slots=True)
class _Asked:
    """Of a property that is known; ``series`` is None if no sample of it ever came. Times in microseconds."""

    series: SeriesRecord | None
    start_us: int
    end_us: int
    now_us: int


@api.get(
    "/v1/sites/<site>/devices/<device>/history",
    responses={200: schemas.Course},
    openapi_extensions={"parameters": [*_DEVICE, *query_parameters(CourseQuery)]},
)
@reads_itself
def read_course(site: str, device: str) -> Json:
    """Read the course of a property: its samples if they are few, else least, mean and most of buckets."""
    query = bodies.query(CourseQuery)
    asked = _asked(site, device, query)
    course = None
    if asked.series is not None:
        course = services().samples.course(
            asked.series, asked.start_us, asked.end_us, points=query.points, now_us=asked.now_us
        )
    about = {"site": site, "device": device, "property": query.property}
    return about | representations.course(course, asked.start_us, asked.end_us, asked.series)


@api.get(
    "/v1/sites/<site>/devices/<device>/samples",
    responses={200: {"description": "OK", "content": {CSV: {"schema": {"type": "string"}}}}},
    openapi_extensions={"parameters": [*_DEVICE, *query_parameters(SamplesQuery)]},
)
@reads_itself
def read_samples(site: str, device: str) -> Response:
    """Read every sample of a property, as CSV (RFC 4180): time, value and quality."""
    query = bodies.query(SamplesQuery)
    asked = _asked(site, device, query)
    samples: Iterable[Sample] = ()
    if asked.series is not None:
        samples = services().samples.stream(asked.series, asked.start_us, asked.end_us)
    rows = (file_rows.sample_row(each) for each in samples)
    return comma_separated.response(f"{site}_{device}_{query.property}.csv", file_rows.SAMPLE_COLUMNS, rows)


@api.get(
    "/v1/sites/<site>/devices/<device>/settings/history",
    responses={200: reports.SettingsChanges},
    openapi_extensions={"parameters": [*_DEVICE, *query_parameters(ChangesQuery)]},
)
@reads_itself
def list_settings_changes(site: str, device: str) -> Json:
    """List who or what changed a device's settings, newest first: commands, and hands at the panel."""
    query = bodies.query(ChangesQuery)
    services().catalogue.description(site, device)
    found, following = services().settings_history.page(
        site, device, name=query.property, limit=query.limit, before=query.cursor
    )
    return {"items": [reports.settings_change(each) for each in found], "next": next_of(following)}


def _asked(site: str, device: str, query: _Stretch) -> _Asked:
    now = datetime.now(UTC)
    end = query.end or now
    start = query.start or end - _SPAN
    if start >= end:
        raise InvalidInput(
            [Fault("/from", "not-before", f"must lie before `to`, which is {representations.instant(end)}")]
        )
    found = services().samples.series(site, device, query.property)
    if found is None and query.property not in services().catalogue.description(site, device).properties:
        raise NotFound("property", query.property)
    return _Asked(found, microseconds(start), microseconds(end), microseconds(now))
