"""The answers' schemas of groups, for OpenAPI; the answers themselves are made in ``representations``."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from gateway.protocol.description import Comparison
from gateway.protocol.messages import Quality
from http_facade.groups.rows import Cause, GroupState
from http_facade.schemas import Fault, Scalar


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid", use_enum_values=True)


class Change(_Answer):
    """What a write does to one setting."""

    setting: str
    unit: str | None
    old: Scalar | None = Field(description="as last reported; null if that is not known")
    new: Any
    unchanged: bool


class GroupEffect(_Answer):
    """Of a write: its `settings`. Of an action: its arguments, and the one that is counted."""

    settings: list[Change] | None = None
    arguments: dict[str, Any] | None = None
    counted: str | None = Field(default=None, description="the argument that limits and totals are about")
    amount: float | None = None
    unit: str | None = None


class GroupInterlock(_Answer):
    """A condition under which the site refuses."""

    name: str
    title: str | None
    property: str
    comparison: Comparison
    value: Scalar
    live: Scalar | None = Field(description="as last reported")
    holds: bool | None = Field(description="whether it forbids; null if the device has never reported")


class GroupRefusal(_Answer):
    """Why a target's command would be refused, or was: the problem's code."""

    code: str
    detail: str
    errors: list[Fault]


class GroupReported(_Answer):
    """How far the last report of a device can be trusted."""

    quality: Quality | None
    at: datetime | None
    age_s: float | None
    revision: str | None


class GroupTarget(_Answer):
    """A target: what the preview said, and what became of it."""

    site: str
    device: str
    effect: GroupEffect | None = Field(description="null if the device is not known, or has no such action")
    limits: dict[str, Any]
    interlocks: list[GroupInterlock]
    refusal: GroupRefusal | None
    reported: GroupReported
    state: str = Field(description="`waiting`, `not-sent`, `begun`, `refused`, or the state of its command")
    command: str | None = Field(description="its id in the ledger")
    code: str | None
    detail: str


class GroupTotal(_Answer):
    """The counted argument over all targets."""

    argument: str
    unit: str | None
    all: float
    passing: float


class GroupSummary(_Answer):
    """The preview in numbers."""

    model_config = ConfigDict(populate_by_name=True)

    targets: int
    passing: int = Field(alias="pass")
    refused: int
    unchanged: int = Field(description="devices that hold all the new values already")
    totals: list[GroupTotal]


class GroupProgress(_Answer):
    """How far the run has come."""

    targets: int
    failed: int
    states: dict[str, int]


class Group(_Answer):
    """A group without its targets."""

    id: str
    state: GroupState
    cause: Cause | None = Field(description="why it was stopped")
    actor: str = Field(description="who asked for the preview")
    run_by: str | None = Field(description="who ran it")
    name: str
    input: dict[str, Any]
    rate_per_s: float
    stop_share: float
    ttl_s: float
    created_at: datetime
    expires_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    summary: GroupSummary
    progress: GroupProgress


class GroupInFull(Group):
    """A group with its targets."""

    targets: list[GroupTarget]


class GroupPreviewed(GroupInFull):
    """A new group."""

    token: str = Field(description="for one run; not told again")


class Groups(_Answer):
    """A page of groups, newest first; `next` is the cursor of the page after it."""

    items: list[Group]
    next: str | None


class RunAsked(BaseModel):
    """The body of a run."""

    model_config = ConfigDict(extra="forbid")

    token: str = Field(min_length=1, max_length=128, description="of the preview")
