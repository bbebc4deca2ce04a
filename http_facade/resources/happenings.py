"""``/v1/alarms`` and ``/v1/events``: what needs somebody now, who has taken note of it, and what happened."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Final

from flask import Response, g, request
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictStr

from gateway.acknowledgements import Raised
from gateway.events import EventRecord, Events, Source
from gateway.protocol.ids import CommandId, Id, Name
from gateway.protocol.messages import Moment
from http_facade import bodies, comma_separated, file_rows, representations, schemas
from http_facade.auth import caller
from http_facade.comma_separated import CSV
from http_facade.openapi import a_problem, blueprint, path_parameter, query_parameters, reads_itself, request_body
from http_facade.refusals import AlarmOver, NotFound
from http_facade.representations import Json
from http_facade.services import services

api = blueprint("happenings", "Alarms that are active, and everything that happened at devices.")


LONGEST_NOTE: Final = 500


def _printable(note: str) -> str:
    if not note.isprintable() or not note.strip():
        raise ValueError("one line of printable characters, and not only spaces")
    return note


class AcknowledgementAsked(BaseModel):
    """Which activation of the alarm, and a word about it."""

    model_config = ConfigDict(extra="forbid")

    since: Moment = Field(description="of the alarm, exactly as it was told: not that of another activation is meant")
    source: Source = Field(default=Source.AGENT, description="of the alarm")
    note: Annotated[StrictStr, Field(min_length=1, max_length=LONGEST_NOTE), AfterValidator(_printable)] = Field(
        description="what is known, or will be done; one line"
    )


class AlarmsQuery(BaseModel):
    """Which alarms to list."""

    model_config = ConfigDict(extra="forbid")

    site: Id | None = Field(default=None, description="only of this site")
    device: Id | None = Field(default=None, description="only of devices with this id")
    limit: Annotated[int, Field(ge=1, le=10_000)] = Field(default=1_000, description="the most to list")


class _Events(BaseModel):
    model_config = ConfigDict(extra="forbid")

    site: Id | None = Field(default=None, description="only of this site")
    device: Id | None = Field(default=None, description="only of devices with this id")
    name: Name | None = Field(default=None, description="only of this name: `changed-at-site`, or an alarm's")
    start: Moment | None = Field(default=None, alias="from", description="only what happened from then on")
    end: Moment | None = Field(default=None, alias="to", description="only what happened before then")


class EventsQuery(_Events):
    """Which events to list."""

    limit: Annotated[int, Field(ge=1, le=200)] = Field(default=50, description="the most to list")
    cursor: CommandId | None = Field(default=None, description="`next` of the page before")


class EventsFileQuery(_Events):
    """Which events to keep."""


@api.get(
    "/v1/alarms",
    responses={200: schemas.Alarms},
    openapi_extensions={"parameters": query_parameters(AlarmsQuery)},
)
def list_alarms() -> Json:
    """List the alarms that are active: critical ones first, then by age."""
    asked = bodies.query(AlarmsQuery)
    found = services().events.active(site=asked.site, device=asked.device, limit=asked.limit, sites=caller().sites)
    return {"items": [representations.alarm(each) for each in found]}


@api.post(
    "/v1/sites/<site>/devices/<device>/alarms/<alarm>/acknowledgement",
    responses={200: schemas.Alarm, **{status: a_problem() for status in (400, 409, 413, 415)}},
    openapi_extensions={
        "parameters": [path_parameter("site"), path_parameter("device"), path_parameter("alarm")],
        "requestBody": request_body(AcknowledgementAsked),
    },
)
@reads_itself
def acknowledge_alarm(site: str, device: str, alarm: str) -> Json:
    """Take note of an alarm that is active; nothing changes at the site, and raised anew it is unacknowledged again.

    The first word stands: a second one adds nothing, and the answer shows the first. 409: it is over, or raised anew.
    """
    asked = bodies.arguments_as(AcknowledgementAsked)
    seen = Raised(site=site, device=device, name=alarm, source=asked.source, since=asked.since)
    doer = services().audit_notes.doer(g.actor, request.remote_addr)
    found = services().acknowledgements.add(seen, asked.note, doer)
    if found is None:
        raise NotFound("alarm", alarm)
    if not found.active or found.record.since != asked.since:
        raise AlarmOver(alarm)
    return representations.alarm(found.record)


@api.get(
    "/v1/events",
    responses={200: schemas.Events},
    openapi_extensions={"parameters": query_parameters(EventsQuery)},
)
def list_events() -> Json:
    """List events, newest first."""
    asked = bodies.query(EventsQuery)
    records, following = services().events.page(
        site=asked.site,
        device=asked.device,
        name=asked.name,
        limit=asked.limit,
        before=asked.cursor,
        start=asked.start,
        end=asked.end,
        sites=caller().sites,
    )
    return {"items": [representations.event(each) for each in records], "next": following}


@api.get(
    "/v1/events.csv",
    responses={200: {"description": "OK", "content": {CSV: {"schema": {"type": "string"}}}}},
    openapi_extensions={"parameters": query_parameters(EventsFileQuery)},
)
def read_events() -> Response:
    """Read every event, newest first, as CSV (RFC 4180)."""
    asked, events = bodies.query(EventsFileQuery), services().events
    rows = (file_rows.event_row(each) for each in _every(events, asked, caller().sites))
    return comma_separated.response("events.csv", file_rows.EVENT_COLUMNS, rows)


def _every(events: Events, asked: EventsFileQuery, sites: frozenset[str] | None) -> Iterator[EventRecord]:
    before: str | None = None
    while True:
        records, before = events.page(
            site=asked.site,
            device=asked.device,
            name=asked.name,
            limit=comma_separated.PAGE,
            before=before,
            start=asked.start,
            end=asked.end,
            sites=sites,
        )
        yield from records
        if before is None:
            return
