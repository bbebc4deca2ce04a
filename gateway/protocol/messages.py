"""Every message body of wire protocol v1, frozen and validated.

What agents and gateways report may grow, so unknown fields there are ignored; in a command an unknown field
is refused, since ignoring what somebody asked for is a lie.
"""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    FiniteFloat,
    StrictBool,
    StrictInt,
    StringConstraints,
    Tag,
    WithJsonSchema,
    computed_field,
)

from gateway.protocol.codes import Evidence
from gateway.protocol.ids import CommandId, Id, Name, Principal
from gateway.protocol.lifecycle import FINAL, State

#: Counters stay within what every JSON reader keeps exact (RFC 8259 section 6).
MAX_COUNTER = 2**53 - 1
MAX_TEXT = 1024
MAX_PROPERTIES = 256
FIRST_YEAR, LAST_YEAR = 1970, 2999
#: Larger bodies are refused unread, on both ends; the broker's limits lie a little above.
MAX_PAYLOAD_BYTES = 256 * 1024

Counter = Annotated[int, Field(ge=0, le=MAX_COUNTER)]
Text = Annotated[str, StringConstraints(max_length=MAX_TEXT)]
Boot = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8,32}$")]
Code = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,62}$")]
Revision = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8,64}$")]
Whole = Annotated[StrictInt, Field(ge=-(2**63), le=2**64 - 1)]

#: Marks of the kinds of value; no name on the wire can look like one.
VALUE_KINDS: Final[dict[type, str]] = {bool: "(boolean)", int: "(integer)", float: "(number)", str: "(string)"}


def _kind(value: object) -> str | None:
    return VALUE_KINDS.get(type(value))


#: A property's value, as JSON Schema's boolean, integer, number or string. The kind is decided first, so that a
#: wrong value has one fault, and an integer beyond 64 bits is refused instead of rounded to a float.
Value = Annotated[
    Annotated[StrictBool, Tag("(boolean)")]
    | Annotated[Whole, Tag("(integer)")]
    | Annotated[FiniteFloat, Tag("(number)")]
    | Annotated[Text, Tag("(string)")],
    Discriminator(
        _kind, custom_error_type="value-type", custom_error_message="Input should be a boolean, number or string"
    ),
    WithJsonSchema({"type": ["boolean", "integer", "number", "string"]}),
]
Values = Annotated[dict[Name, Value], Field(max_length=MAX_PROPERTIES)]

_YEARS: Final = f"the year must lie between {FIRST_YEAR} and {LAST_YEAR}"


def _in_range(at: datetime) -> datetime:
    try:
        moment = at.astimezone(UTC)
    except OverflowError:
        raise ValueError(_YEARS) from None
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise ValueError(_YEARS)
    return moment


#: A time with its offset (RFC 3339), kept in UTC. The years leave room for every clock that is merely wrong, and
#: none for times that arithmetic and time zones cannot bear.
Moment = Annotated[AwareDatetime, AfterValidator(_in_range)]


class Message(BaseModel):
    """A body that travels on a topic."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True, allow_inf_nan=False)


class SiteState(StrEnum):
    """What an agent, or its last will, says about itself."""

    ONLINE = "online"
    OFFLINE = "offline"
    STOPPED = "stopped"


class Status(Message):
    """``status``: retained; published on connect, on a clean stop, and by the broker as the last will."""

    state: SiteState
    epoch: Counter
    boot: Boot
    since: Moment
    version: Text
    reason: Text = ""


class PlcLink(StrEnum):
    """Whether a PLC answers its agent."""

    OK = "ok"
    LOST = "lost"


class Heartbeat(Message):
    """``heartbeat``: proof of life; ``seq`` rises by one per beat and starts anew with every epoch."""

    epoch: Counter
    seq: Counter
    at: Moment
    plcs: Annotated[dict[Name, PlcLink], Field(max_length=MAX_PROPERTIES)]
    outbox: Counter = 0


class Quality(StrEnum):
    """How far the values of a device can be trusted."""

    GOOD = "good"
    STALE = "stale"
    BAD = "bad"


class DeviceState(Message):
    """``devices/{device}/state``: retained; a property that could not be read yet is null.

    ``cause`` says why the quality is not good.
    """

    at: Moment
    quality: Quality
    cause: Text = ""
    revision: Revision | None = None
    properties: Annotated[dict[Name, Value | None], Field(max_length=MAX_PROPERTIES)]


class Severity(StrEnum):
    """How soon somebody has to come."""

    #: Look at it today.
    WARNING = "warning"
    #: Fish are at risk now.
    CRITICAL = "critical"


class Alarm(Message):
    """``devices/{device}/alarms/{name}``: retained while it is active, an empty body when it is over."""

    since: Moment
    severity: Severity
    title: Text = ""
    detail: Text = ""


class Event(Message):
    """``devices/{device}/events/{name}``: the live copy of something that happened.

    Of an alarm ``active`` says whether it was raised or cleared, and ``title`` and ``severity`` what it is.
    """

    at: Moment
    detail: Text = ""
    active: bool | None = None
    title: Text = ""
    severity: Severity | None = None
    data: Values = Field(default_factory=dict)


class After(Message):
    """The causal reference of a command: a beat, and its age in seconds when the command was issued."""

    model_config = ConfigDict(extra="forbid")

    epoch: Counter
    seq: Counter
    age_s: Annotated[FiniteFloat, Field(ge=0, le=86_400)]


class Expect(Message):
    """Makes a write conditional on the settings' revision."""

    model_config = ConfigDict(extra="forbid")

    revision: Revision


class Order(Message):
    """A command's place among those that one run of a requester sent, so that a late one cannot overtake (I10)."""

    model_config = ConfigDict(extra="forbid")

    boot: Boot
    number: Counter


class Command(Message):
    """``commands/{requester}/{device}/{name}``: ``write`` (settings), an action's name, or ``cancel``.

    With ``ttl_s`` 0 it is a question: nothing may start any more, the agent says what became of the id.
    ``asked_by`` names the principal whose command is meant, where another one asks or cancels; it is believed only
    of ``@gateway`` for questions, and of one facade about another's command.
    """

    model_config = ConfigDict(extra="forbid")

    id: CommandId | None = None
    input: Values
    issued_at: Moment | None = None
    ttl_s: Annotated[FiniteFloat, Field(ge=0, le=300)] = 10.0
    after: After | None = None
    expect: Expect | None = None
    order: Order | None = None
    asked_by: Principal | None = None
    actor: Text | None = None
    reason: Text | None = None


def _reportable(state: State) -> State:
    if state is State.PENDING:
        raise ValueError("an agent never reports pending")
    return state


class Deed(StrEnum):
    """What an agent did on the way to a command's end."""

    ACCEPTED = "accepted"
    WRITTEN = "written"
    VERIFIED = "verified"


class Mark(Message):
    """One deed and its time, by the agent's wall clock."""

    deed: Deed
    at: Moment


class Ack(Message):
    """``acks/{requester}/{id}``: what became of a command; repeated until it is named in ``committed``.

    ``trail`` tells what was done and when; ``evidence`` by what the end is known.
    """

    id: CommandId
    device: Id
    name: Name
    input: Values
    actor: Text | None = None
    state: Annotated[State, AfterValidator(_reportable)]
    code: Code
    detail: Text = ""
    result: Annotated[dict[Name, Value | None], Field(max_length=MAX_PROPERTIES)] = Field(default_factory=dict)
    evidence: Evidence | None = None
    trail: Annotated[tuple[Mark, ...], Field(max_length=16)] = ()
    epoch: Counter
    at: Moment
    duplicate: bool = False

    @computed_field  # type: ignore[prop-decorator]  # mypy cannot see that pydantic wants it on top
    @property
    def final(self) -> bool:
        """Whether the state can never change again; on the wire for readers without the table."""
        return self.state in FINAL


class HostStatus(Message):
    """``@gateway/status``: host birth and will; agents beat at once when they see it."""

    state: Literal[SiteState.ONLINE, SiteState.OFFLINE]
    boot: Boot
    since: Moment
    version: Text
