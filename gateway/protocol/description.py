"""The part of the W3C Web of Things Thing Description 1.1 that Tidegate speaks, and the check of a write.

https://www.w3.org/TR/wot-thing-description11/ (sections 5.3.1 and 5.3.2). The facade checks with it before
anything is published, the agent checks with the same code before anything is written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from fractions import Fraction
from math import isfinite
from typing import Annotated, Final, Literal

from pydantic import ConfigDict, Field, FiniteFloat

from gateway.protocol.errors import Fault, json_pointer
from gateway.protocol.ids import Name
from gateway.protocol.meals import MealPlan
from gateway.protocol.messages import MAX_PROPERTIES, MAX_TEXT, Message, Severity, Text, Value, Whole

CONTEXT: Final = "https://www.w3.org/2022/wot/td/v1.1"
Number = Whole | FiniteFloat


class ValueType(StrEnum):
    """JSON Schema's names of the types a property may have."""

    BOOLEAN = "boolean"
    INTEGER = "integer"
    NUMBER = "number"
    STRING = "string"


class _Part(Message):
    model_config = ConfigDict(populate_by_name=True, extra="ignore")


class Form(_Part):
    """Where and how to reach an affordance (TD section 5.3.4.2), here over MQTT."""

    href: Text
    op: tuple[Text, ...]
    content_type: Text = Field(default="application/json", alias="contentType")


class DataSchema(_Part):
    """Type, unit and limits of a value (TD section 5.3.2)."""

    type: ValueType
    title: Text | None = None
    description: Text | None = None
    unit: Text | None = None
    minimum: Number | None = None
    maximum: Number | None = None
    multiple_of: Annotated[Number, Field(gt=0)] | None = Field(default=None, alias="multipleOf")
    max_length: Annotated[int, Field(ge=0)] | None = Field(default=None, alias="maxLength")
    enum: tuple[Value, ...] | None = None


class PropertyAffordance(DataSchema):
    """A property; ``readOnly`` false makes it a setting, true a reading."""

    read_only: bool = Field(default=False, alias="readOnly")
    observable: bool = True
    forms: tuple[Form, ...]


class ObjectSchema(_Part):
    """The arguments of an action: an object of named values, all of them required (TD section 5.3.2.7)."""

    type: Literal["object"] = "object"
    properties: Annotated[dict[Name, DataSchema], Field(max_length=16)] = Field(default_factory=dict)
    required: tuple[Name, ...] = ()


class Effect(StrEnum):
    """How often an action may act for one command."""

    #: The PLC's mailbox tells a repeat from a new command: exactly once, and the end is always found out.
    MAILBOX = "mailbox"
    #: Sent once; if the reply is lost, nobody can know.
    ONCE = "once"


class Limit(StrEnum):
    """The names of the limits that a site may set for an action."""

    LARGEST = "largest"
    LEAST_GAP_S = "least_gap_s"
    MOST_PER_DAY = "most_per_day"


class Comparison(StrEnum):
    """How an interlock compares its property with its threshold."""

    EQUALS = "equals"
    BELOW = "below"
    ABOVE = "above"


class Interlock(_Part):
    """A condition under which the site refuses: ``property`` compared with ``value`` is true, or unreadable."""

    name: Name
    property: Name
    comparison: Comparison
    value: Value
    title: Text | None = None

    def holds(self, live: Value | None) -> bool:
        """Whether it forbids while the property reads ``live``; what cannot be read forbids too."""
        if live is None or isinstance(live, str) is not isinstance(self.value, str):
            return True
        if self.comparison is Comparison.EQUALS or isinstance(live, str) or isinstance(self.value, str):
            return live == self.value
        return live < self.value if self.comparison is Comparison.BELOW else live > self.value


class ActionAffordance(_Part):
    """A thing to do once (TD section 5.3.1.4), with the limits and interlocks that the site keeps.

    ``argument`` names the one that the limits count (grams of a dose).
    """

    title: Text | None = None
    description: Text | None = None
    input: ObjectSchema = ObjectSchema()
    idempotent: bool = False
    effect: Effect = Field(default=Effect.ONCE, alias="tidegate:effect")
    argument: Name | None = Field(default=None, alias="tidegate:argument")
    limits: dict[Limit, Number] = Field(default_factory=dict, alias="tidegate:limits")
    interlocks: Annotated[tuple[Interlock, ...], Field(max_length=16)] = Field(default=(), alias="tidegate:interlocks")
    forms: tuple[Form, ...]


class EventAffordance(_Part):
    """A thing that may happen; one with a severity is an alarm, which is raised and later cleared."""

    severity: Severity | None = Field(default=None, alias="tidegate:severity")
    title: Text | None = None
    description: Text | None = None
    forms: tuple[Form, ...]


class SecurityScheme(_Part):
    """How the caller proves who it is (TD section 5.3.3)."""

    scheme: Literal["basic", "bearer"]
    location: Literal["header", "body"] = Field(default="header", alias="in")


class Description(_Part):
    """``devices/{device}/description``: what a device has, can do and may report."""

    context: Literal["https://www.w3.org/2022/wot/td/v1.1"] = Field(default=CONTEXT, alias="@context")
    id: Text
    title: Text
    security_definitions: dict[Name, SecurityScheme] = Field(alias="securityDefinitions")
    security: tuple[Name, ...]
    plc: Name = Field(alias="tidegate:plc")
    properties: Annotated[dict[Name, PropertyAffordance], Field(max_length=MAX_PROPERTIES)] = Field(
        default_factory=dict
    )
    actions: Annotated[dict[Name, ActionAffordance], Field(max_length=64)] = Field(default_factory=dict)
    events: Annotated[dict[Name, EventAffordance], Field(max_length=128)] = Field(default_factory=dict)
    meals: MealPlan | None = Field(default=None, alias="tidegate:meals")

    @property
    def settings(self) -> frozenset[str]:
        """Names of the writable properties."""
        return frozenset(name for name, each in self.properties.items() if not each.read_only)


def check_write(description: Description, values: Mapping[str, object]) -> tuple[Fault, ...]:
    """All faults of the settings in ``values`` at once; empty if they may be written."""
    if not values:
        return (Fault("", "empty", "name at least one setting"),)
    return tuple(fault for name, value in values.items() for fault in _check_setting(description, name, value))


def check_action(description: Description, action: str, values: Mapping[str, object]) -> tuple[Fault, ...]:
    """All faults of an action's arguments at once; empty if it may be asked for.

    Raises:
        KeyError: the device has no such action.
    """
    schema = description.actions[action].input
    missing = [name for name in schema.required if name not in values]
    faults = [Fault(json_pointer(name), "missing", "the action needs this argument") for name in missing]
    for name, value in values.items():
        place = json_pointer(name)
        if name in schema.properties:
            faults += check_value(schema.properties[name], value, place)
        else:
            known = ", ".join(sorted(schema.properties)) or "none"
            faults.append(Fault(place, "unknown-argument", f"the action has no such argument; it has: {known}"))
    return tuple(faults)


def _check_setting(description: Description, name: str, value: object) -> Iterator[Fault]:
    place = json_pointer(name)
    schema = description.properties.get(name)
    if schema is None:
        known = ", ".join(sorted(description.settings)) or "none"
        yield Fault(place, "unknown-property", f"the device has no such setting; it has: {known}")
    elif schema.read_only:
        yield Fault(place, "read-only", "a reading cannot be written")
    else:
        yield from check_value(schema, value, place)


def check_value(schema: DataSchema, value: object, place: str) -> Iterator[Fault]:
    """Faults of one value against its schema: type, range, step, length, choice."""
    if not _fits(schema.type, value):
        yield Fault(place, "wrong-type", f"must be of type {schema.type}, without conversion")
        return
    if schema.enum is not None and not any(_same(value, each) for each in schema.enum):
        yield Fault(place, "not-in-enum", f"must be one of {', '.join(map(str, schema.enum))}")
    if isinstance(value, str):
        yield from _check_text(schema, value, place)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield from _check_number(schema, value, place)


def _check_text(schema: DataSchema, value: str, place: str) -> Iterator[Fault]:
    longest = MAX_TEXT if schema.max_length is None else min(schema.max_length, MAX_TEXT)
    if len(value) > longest:
        yield Fault(place, "too-long", f"has {len(value)} characters, {longest} at most")
    if any("\ud800" <= character <= "\udfff" for character in value):
        yield Fault(place, "not-unicode", "holds half a surrogate pair, which no message can carry")


def _check_number(schema: DataSchema, value: float, place: str) -> Iterator[Fault]:
    if isinstance(value, int) and not -(2**63) <= value < 2**64:
        yield Fault(place, "too-large", "does not fit into 64 bits")
        return  # its digits would fill the page, and Python refuses to write them out
    unit = f" {schema.unit}" if schema.unit else ""
    if schema.minimum is not None and value < schema.minimum:
        yield Fault(place, "below-minimum", f"{value}{unit} is below the minimum of {schema.minimum}{unit}")
    if schema.maximum is not None and value > schema.maximum:
        yield Fault(place, "above-maximum", f"{value}{unit} is above the maximum of {schema.maximum}{unit}")
    # as decimals, since the float 0.3 is no multiple of the float 0.1
    if schema.multiple_of is not None and Fraction(str(value)) % Fraction(str(schema.multiple_of)):
        yield Fault(place, "off-step", f"{value}{unit} is not a multiple of {schema.multiple_of}{unit}")


def _same(one: object, other: object) -> bool:
    return one == other and isinstance(one, bool) == isinstance(other, bool)  # Python holds True to be 1, JSON does not


def _fits(kind: ValueType, value: object) -> bool:
    if kind is ValueType.BOOLEAN:
        return isinstance(value, bool)
    if kind is ValueType.STRING:
        return isinstance(value, str)
    if isinstance(value, bool):
        return False
    if kind is ValueType.INTEGER:
        return isinstance(value, int)
    return isinstance(value, int) or (isinstance(value, float) and isfinite(value))
