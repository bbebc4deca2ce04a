"""The answers' schemas, for OpenAPI only: the answers themselves are made in ``representations``.

A test holds the two together.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from gateway.events import Source
from gateway.protocol.lifecycle import State
from gateway.protocol.messages import PlcLink, Quality, Severity, SiteState, Value

#: As one type per choice: flask-openapi3 knows no list of types.
SCALAR: Final[dict[str, Any]] = {"anyOf": [{"type": each} for each in ("boolean", "integer", "number", "string")]}
Scalar = Annotated[Value, WithJsonSchema(SCALAR)]


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid", use_enum_values=True)


class Fault(_Answer):
    """One thing that is wrong with the input."""

    pointer: str = Field(description="JSON pointer (RFC 6901) into the body; empty for the whole")
    code: str
    detail: str


class Site(_Answer):
    """A site as the centre knows it."""

    site: str
    online: bool | None = Field(description="whether a live heartbeat is there; null if nobody can tell, see `cause`")
    cause: str | None
    state: SiteState | None = Field(description="what the agent, or its last will, said last; for information")
    since: datetime | None = Field(description="when `state` began; of `offline`, when it was last heard")
    reason: str
    version: str | None = Field(description="of the agent")
    heartbeat_age_s: float | None
    silent_s: float | None = Field(description="since the last heartbeat, for a site that is not online")
    last_beat_at: datetime | None = Field(description="by the centre's clock")
    alive_expiry_s: float = Field(description="after so many seconds without a heartbeat writes are refused")
    plcs: dict[str, PlcLink]
    outbox: int | None = Field(description="rows that wait at the site to be committed here")


class Sites(_Answer):
    """All sites."""

    items: list[Site]


class AcknowledgementOf(_Answer):
    """Somebody has taken note of an alarm."""

    by: str
    at: datetime
    note: str


class Alarm(_Answer):
    """An alarm that is active."""

    site: str
    device: str
    name: str
    source: Source = Field(description="`agent`: the site says so; `centre`: the site is silent, so the centre does")
    severity: Severity
    title: str
    detail: str
    since: datetime
    at: datetime = Field(description="when it was last told")
    acknowledged: AcknowledgementOf | None = Field(description="null: nobody yet, since it was raised")


class Alarms(_Answer):
    """All alarms that are active: critical ones first, then by age."""

    items: list[Alarm]


class Event(_Answer):
    """Something that happened at a device."""

    id: str
    site: str
    device: str
    name: str
    source: Source
    at: datetime = Field(description="by the clock of the source")
    detail: str
    active: bool | None = Field(description="of an alarm: whether it was raised or cleared")
    severity: Severity | None
    data: dict[str, Scalar]
    received_at: datetime


class Events(_Answer):
    """A page of events, newest first."""

    items: list[Event]
    next: str | None = Field(description="the `cursor` of the next page; null at the end")


class SamplesOf(_Answer):
    """Samples in columns; a `missing` one says since when there was none though one was due."""

    at_ms: list[int] = Field(description="milliseconds since 1970")
    value: list[Scalar | None]
    quality: list[Quality | Literal["missing"]]


class BucketsOf(_Answer):
    """Buckets in columns, one after the other; null where nothing was read."""

    start_ms: int = Field(description="of the first one, in milliseconds since 1970")
    width_ms: int
    count: list[int] = Field(description="samples with a number")
    least: list[float | None]
    mean: list[float | None]
    most: list[float | None]
    last: list[float | None]


class Course(_Answer):
    """A property over a stretch of time: either every sample, or buckets. Nothing is interpolated."""

    model_config = ConfigDict(populate_by_name=True)

    site: str
    device: str
    property: str
    start: datetime = Field(alias="from")
    end: datetime = Field(alias="to")
    every_s: float | None = Field(description="samples that are further apart have a gap between them")
    samples: SamplesOf | None
    buckets: BucketsOf | None


class Desired(_Answer):
    """The value that was last asked for, and by which command."""

    value: Scalar
    state: State
    command: str


class Device(_Answer):
    """A device as last reported, and as last asked for."""

    site: str
    device: str
    title: str
    plc: str | None
    quality: Quality | None
    cause: str = Field(description="why the quality is not good")
    at: datetime | None
    age_s: float | None
    revision: str | None = Field(description="of the settings; the ETag, for If-Match")
    settings: dict[str, Scalar | None] = Field(description="reported values that can be written")
    readings: dict[str, Scalar | None]
    desired: dict[str, Desired]
    drift: list[str] = Field(description="settings whose reported value is not the desired one")


class AllowanceOf(_Answer):
    """What an action's limits allow now, as far as the centre knows: the site decides, by its own journal.

    All but `as_of` is null where the action has no limits.
    """

    largest: float | None = Field(description="single dose")
    least_gap_s: float | None = Field(description="between two doses")
    most: float | None = Field(description="within any stretch of `window_s`")
    window_s: float | None
    used: float | None = Field(
        description="given within the last `window_s`, whoever asked: as counted, or as asked while that is not known"
    )
    left: float | None = Field(description="of `most`; null: it has no such limit")
    next_at: datetime | None = Field(description="when the least gap since the last dose is over; null: it is")
    as_of: datetime


class Devices(_Answer):
    """All devices of a site."""

    items: list[Device]


class EvidenceOf(_Answer):
    """By what an end is known."""

    code: str = Field(description="one stable word")
    detail: str


class Command(_Answer):
    """A command and what became of it."""

    id: str
    site: str
    device: str
    name: str
    requester: str
    actor: str | None
    source_address: str | None = Field(description="of the caller, as this facade saw it")
    idempotency_key: str | None
    reason: str | None
    input: dict[str, Scalar]
    expect_revision: str | None
    issued_at: datetime | None = Field(description="null, as `ttl_s`, if only the ack was seen")
    ttl_s: float | None
    deadline_at: datetime
    state: State
    final: bool = Field(description="whether the state can never change again")
    code: str | None
    detail: str
    result: dict[str, Scalar | None] = Field(description="what the PLC was read to hold afterwards")
    evidence: EvidenceOf | None = Field(description="by what the end is known")
    epoch: int | None


class Step(_Answer):
    """One entry of a command's time line."""

    what: str = Field(description="a state, or `published`, `written`, `verified`")
    at: datetime | None
    recorded_at: datetime
    source: str
    code: str | None
    detail: str
    evidence: EvidenceOf | None


class CommandHistory(Command):
    """A command with its full time line."""

    steps: list[Step]


class Commands(_Answer):
    """A page of commands, newest first; `next` is the cursor of the page after it."""

    items: list[Command]
    next: str | None


class Part(_Answer):
    """Whether one part answers."""

    ok: bool
    detail: str


class Readiness(_Answer):
    """Readiness by part."""

    ready: bool
    parts: dict[str, Part]


class Health(_Answer):
    """The process lives."""

    ok: bool


class Problem(BaseModel):
    """RFC 9457; `code` is stable, branch on it."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str
    code: str
    instance: str
    errors: list[Fault] | None = Field(default=None, description="every fault of the input at once")
    command: Command | None = Field(default=None, description="the command, if one was recorded")
    silent_s: float | None = Field(default=None, description="with `site-offline`: since the last heartbeat")
    plc: str | None = Field(default=None, description="with `plc-lost`: which")
    first: str | None = Field(default=None, description="with `idempotency-conflict`: the command that the key names")
    limit: str | None = Field(default=None, description="with `limit-exceeded`: which")
    allowed: Scalar | None = Field(default=None, description="with `limit-exceeded`: what the limit allows")
    asked: Scalar | None = Field(default=None, description="with `limit-exceeded`: what was asked")
    interlock: str | None = Field(default=None, description="with `interlocked`: which")
    live: Scalar | None = Field(default=None, description="with `limit-exceeded` and `interlocked`: the value now")
