"""``/v1/alarms`` and ``/v1/events``: what needs somebody now, and what happened."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from gateway.protocol.ids import CommandId, Id, Name
from gateway.protocol.messages import Moment
from http_facade import bodies, representations, schemas
from http_facade.openapi import blueprint, query_parameters
from http_facade.representations import Json
from http_facade.services import services

api = blueprint("happenings", "Alarms that are active, and everything that happened at devices.")


class AlarmsQuery(BaseModel):
    """Which alarms to list."""

    model_config = ConfigDict(extra="forbid")

    site: Id | None = Field(default=None, description="only of this site")
    device: Id | None = Field(default=None, description="only of devices with this id")
    limit: Annotated[int, Field(ge=1, le=10_000)] = Field(default=1_000, description="the most to list")


class EventsQuery(BaseModel):
    """Which events to list."""

    model_config = ConfigDict(extra="forbid")

    site: Id | None = Field(default=None, description="only of this site")
    device: Id | None = Field(default=None, description="only of devices with this id")
    name: Name | None = Field(default=None, description="only of this name: `changed-at-site`, or an alarm's")
    start: Moment | None = Field(default=None, alias="from", description="only what happened from then on")
    end: Moment | None = Field(default=None, alias="to", description="only what happened before then")
    limit: Annotated[int, Field(ge=1, le=200)] = Field(default=50, description="the most to list")
    cursor: CommandId | None = Field(default=None, description="`next` of the page before")


@api.get(
    "/v1/alarms",
    responses={200: schemas.Alarms},
    openapi_extensions={"parameters": query_parameters(AlarmsQuery)},
)
def list_alarms() -> Json:
    """List the alarms that are active: critical ones first, then by age."""
    asked = bodies.query(AlarmsQuery)
    found = services().events.active(site=asked.site, device=asked.device, limit=asked.limit)
    return {"items": [representations.alarm(each) for each in found]}


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
    )
    return {"items": [representations.event(each) for each in records], "next": following}
