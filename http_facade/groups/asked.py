"""What somebody wants of many devices, read strictly: every fault of the body at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError

from gateway.protocol.codec import faults_of
from gateway.protocol.errors import Fault, InvalidInput, json_pointer
from gateway.protocol.ids import Id, Name
from gateway.protocol.messages import MAX_PROPERTIES
from gateway.protocol.topics import RESERVED, WRITE

MOST_TARGETS: Final = 500
DEFAULT_TTL_S: Final = 10.0

Arguments = Annotated[dict[str, Any], Field(max_length=MAX_PROPERTIES)]


class Target(BaseModel):
    """One device."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    site: Id
    device: Id


class GroupAsked(BaseModel):
    """One write, or one action, for many devices; and how fast and how far the run may go."""

    model_config = ConfigDict(extra="forbid")

    targets: Annotated[list[Target], Field(min_length=1, max_length=MOST_TARGETS)] = Field(
        description="which devices, in the order in which the run takes them; none twice"
    )
    write: Annotated[Arguments, Field(min_length=1)] | None = Field(default=None, description="settings to change")
    action: Name | None = Field(default=None, description="an action to ask for; instead of `write`")
    input: Arguments | None = Field(default=None, description="the action's arguments")
    rate_per_s: Annotated[FiniteFloat, Field(ge=0.1, le=20)] = Field(
        default=2.0, description="the most commands that are begun in a second"
    )
    stop_share: Annotated[FiniteFloat, Field(ge=0, le=1)] = Field(
        default=0.1, description="the run stops when more than this share of the targets has failed"
    )
    ttl_s: Annotated[FiniteFloat, Field(ge=1, le=60)] = Field(
        default=DEFAULT_TTL_S, description="deadline of each command, in seconds from when it is sent"
    )

    @property
    def name(self) -> str:
        """The command's name."""
        return WRITE if self.action is None else self.action

    @property
    def values(self) -> Mapping[str, Any]:
        """The command's input."""
        return (self.write if self.action is None else self.input) or {}


def read(body: Mapping[str, Any]) -> GroupAsked:
    """The body as a group.

    Raises:
        InvalidInput: with every fault.
    """
    faults: list[Fault] = []
    asked = None
    try:
        asked = GroupAsked.model_validate(body)
    except ValidationError as error:
        faults += faults_of(error)
    faults += [*_twice(body.get("targets")), *_one_wish(body)]
    if asked is None or faults:
        raise InvalidInput(faults)
    return asked


def _twice(targets: object) -> Iterator[Fault]:
    seen: dict[tuple[str, str], int] = {}
    for position, each in enumerate(targets[:MOST_TARGETS] if isinstance(targets, list) else []):
        if isinstance(each, dict) and isinstance(each.get("site"), str) and isinstance(each.get("device"), str):
            first = seen.setdefault((each["site"], each["device"]), position)
            if first != position:
                detail = f"the same device as /targets/{first}"
                yield Fault(json_pointer("targets", position), "duplicate", detail)


def _one_wish(body: Mapping[str, Any]) -> Iterator[Fault]:
    write, action, arguments = (body.get(name) is not None for name in ("write", "action", "input"))
    if write and action:
        yield Fault("/action", "one-of", "a group either writes settings or asks for an action, not both")
    elif not write and not action:
        yield Fault("", "one-of", "name the settings in 'write', or an action in 'action'")
    if arguments and not action:
        yield Fault("/input", "one-of", "'input' holds an action's arguments, and there is no 'action'")
    if action and body["action"] in RESERVED:
        yield Fault("/action", "reserved", "this is the name of no action")
