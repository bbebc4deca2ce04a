"""The tables of a site's file that are about actions: mailbox, arguments, limits, interlocks."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, StrictBool, StrictInt, StrictStr, model_validator

from gateway.protocol.description import Comparison, Effect, Limit, Number, ValueType
from gateway.protocol.errors import Fault, json_pointer
from gateway.protocol.ids import Name
from gateway.protocol.messages import Text, Value
from gateway.protocol.topics import RESERVED, WRITE
from site_agent import mailbox
from site_agent.layout import Layout
from site_agent.registers import ByteOrder, RegisterType, WordOrder

#: What one Modbus write of function 16 can carry (Modbus Application Protocol 1.1b3, section 6.12).
MAX_REGISTER = 65_535

#: A result is called after it, with ``_counted`` behind, and is a name of at most 63 characters too.
LONGEST_ARGUMENT = 55

Register = Annotated[StrictInt, Field(ge=0, le=MAX_REGISTER)]


class Table(BaseModel):
    """Any table of the file; unknown keys are faults."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class MailboxTable(Table):
    """``[devices.mailbox]``: where the PLC's command registers begin; ``watchdog_s`` 0 counts no watchdog."""

    register_: Annotated[StrictInt, Field(ge=0, le=MAX_REGISTER + 1 - mailbox.SIZE, alias="register")]
    watchdog_s: Annotated[FiniteFloat, Field(ge=0, le=3_600)] = 5.0
    counter_unit: Annotated[str, Field(pattern=r"^[a-z]{0,8}$")] = "g"


class ArgumentTable(Table):
    """``[devices.actions.NAME.input.ARGUMENT]``: in a mailbox's ``slot``, or at a ``register`` of its own."""

    title: Text | None = None
    type: RegisterType
    slot: Annotated[StrictInt, Field(ge=1, le=2)] | None = None
    register_: Annotated[Register | None, Field(alias="register")] = None
    #: None: as the PLC's table says.
    word_order: WordOrder | None = None
    byte_order: ByteOrder | None = None
    unit: Text | None = None
    minimum: Number | None = None
    maximum: Number | None = None
    step: Annotated[FiniteFloat, Field(gt=0)] | None = None

    @property
    def layout(self) -> Layout:
        """How the value lies in its registers."""
        return Layout(
            kind=self.type,
            word_order=self.word_order or WordOrder.BIG,
            byte_order=self.byte_order or ByteOrder.BIG,
        )

    @model_validator(mode="after")
    def _in_range(self) -> Self:
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise ValueError(f"minimum {self.minimum} is above maximum {self.maximum}")
        if self.type is RegisterType.STRING:
            raise ValueError("an argument is a number or a bool, not a string")
        if self.register_ is not None and self.register_ + self.layout.words - 1 > MAX_REGISTER:
            raise ValueError(f"the value reaches beyond register {MAX_REGISTER}")
        return self


class TriggerTable(Table):
    """``[devices.actions.NAME.trigger]``: written last, to start an action that has no mailbox."""

    register_: Annotated[StrictInt, Field(ge=0, le=MAX_REGISTER, alias="register")]
    value: Annotated[StrictInt, Field(ge=0, le=0xFFFF)] = 1


class LimitsTable(Table):
    """``[devices.actions.NAME.limits]``: kept by the site whoever asks; about the action's ``argument``."""

    largest: Annotated[FiniteFloat, Field(gt=0)] | None = None
    least_gap_s: Annotated[FiniteFloat, Field(gt=0, le=86_400)] | None = None
    most_per_day: Annotated[FiniteFloat, Field(gt=0)] | None = None

    def by_name(self) -> dict[Limit, float]:
        """Those that are set."""
        values = {Limit(name): value for name, value in self.model_dump().items()}
        return {limit: value for limit, value in values.items() if value is not None}


class ActionTable(Table):
    """``[devices.actions.NAME]``: a thing to do once."""

    title: Text | None = None
    description: Text | None = None
    effect: Effect = Effect.MAILBOX
    op: Annotated[StrictInt, Field(ge=1, le=0xFFFF)] | None = None
    argument: Name | None = None
    counter: Name | None = None
    longest_s: Annotated[FiniteFloat, Field(gt=0, le=3_600)] = 60.0
    input: Annotated[dict[Name, ArgumentTable], Field(max_length=16)] = Field(default_factory=dict)
    trigger: TriggerTable | None = None
    limits: LimitsTable = LimitsTable()


class InterlockTable(Table):
    """``[[devices.interlocks]]``: a reading under which commands are refused; without ``commands``, all actions."""

    name: Name
    title: Text | None = None
    property: Name
    comparison: Comparison
    value: StrictBool | StrictInt | FiniteFloat | StrictStr
    commands: tuple[Name, ...] | None = None

    def refuses(self, command: str) -> bool:
        """Whether it is about this command: ``write``, or an action's name."""
        return command != WRITE if self.commands is None else command in self.commands


def action_faults(
    actions: Mapping[str, ActionTable], has_mailbox: bool, counters: Collection[str], place: str
) -> Iterator[Fault]:
    """What contradicts itself in a device's actions.

    ``counters`` are the properties that can serve as such, ``place`` is the device's JSON pointer.
    """
    for name, action in actions.items():
        here = f"{place}/actions{json_pointer(name)}"
        if name in RESERVED:
            yield Fault(here, "reserved", f"an action cannot be called {name!r}: that is a command of its own")
        if action.argument is not None and action.argument not in action.input:
            known = ", ".join(action.input) or "none"
            yield Fault(f"{here}/argument", "unknown-argument", f"no such argument; the action has: {known}")
        if action.argument is not None and len(action.argument) > LONGEST_ARGUMENT:
            yield Fault(f"{here}/argument", "too-long", f"at most {LONGEST_ARGUMENT} characters: results add to it")
        if action.limits.by_name() and action.argument is None:
            yield Fault(f"{here}/limits", "no-argument", "say with `argument` which argument the limits are about")
        if action.counter is not None and action.counter not in counters:
            yield Fault(f"{here}/counter", "no-counter", "must name a property of a whole number")
        yield from (
            _mailbox_faults(action, has_mailbox, here) if action.effect is Effect.MAILBOX else _once(action, here)
        )


def _mailbox_faults(action: ActionTable, has_mailbox: bool, here: str) -> Iterator[Fault]:
    if not has_mailbox:
        yield Fault(f"{here}/effect", "no-mailbox", "the device has no [devices.mailbox]; give it one, or say once")
    if action.op is None:
        yield Fault(f"{here}/op", "missing", "say which operation of the mailbox this is")
    if action.trigger is not None:
        yield Fault(f"{here}/trigger", "not-with-mailbox", "the mailbox starts the action by itself")
    slots: dict[int, str] = {}
    for name, argument in action.input.items():
        place = f"{here}/input{json_pointer(name)}"
        if argument.slot is None or argument.register_ is not None:
            yield Fault(place, "no-slot", "an argument of a mailbox has a slot (1 or 2), and no register")
        elif (other := slots.setdefault(argument.slot, name)) != name:
            yield Fault(f"{place}/slot", "twice", f"slot {argument.slot} is taken by {other} already")
        if argument.type is not RegisterType.UINT16:
            yield Fault(f"{place}/type", "not-uint16", "an argument of a mailbox is a uint16")


def _once(action: ActionTable, here: str) -> Iterator[Fault]:
    if action.op is not None:
        yield Fault(f"{here}/op", "not-without-mailbox", "only a mailbox has operations")
    if not action.input and action.trigger is None:
        yield Fault(here, "nothing-to-write", "without a mailbox it needs an argument with a register, or a trigger")
    for name, argument in action.input.items():
        if argument.register_ is None or argument.slot is not None:
            place = f"{here}/input{json_pointer(name)}"
            yield Fault(place, "no-register", "without a mailbox an argument has a register, and no slot")


def interlock_faults(
    interlocks: tuple[InterlockTable, ...],
    actions: Mapping[str, ActionTable],
    properties: Mapping[str, ValueType],
    place: str,
) -> Iterator[Fault]:
    """What contradicts itself in a device's interlocks."""
    names: set[str] = set()
    for number, each in enumerate(interlocks):
        here = f"{place}/interlocks/{number}"
        if each.name in names:
            yield Fault(f"{here}/name", "twice", f"there is an interlock {each.name!r} already")
        names.add(each.name)
        kind = properties.get(each.property)
        if kind is None:
            known = ", ".join(sorted(properties))
            yield Fault(f"{here}/property", "unknown-property", f"the device has no such property; it has: {known}")
        elif _value_type(each.value) is not _comparable(kind):
            yield Fault(f"{here}/value", "wrong-type", f"{each.property} is a {kind}, which never has this value")
        elif _comparable(kind) is not ValueType.NUMBER and each.comparison is not Comparison.EQUALS:
            yield Fault(f"{here}/comparison", "wrong-type", "only numbers can be below or above; say equals")
        for command in each.commands or ():
            if command != WRITE and command not in actions:
                known = ", ".join(["write", *sorted(actions)])
                yield Fault(
                    here + json_pointer("commands"), "unknown-command", f"no command {command!r}; there are: {known}"
                )


def _comparable(kind: ValueType) -> ValueType:
    return ValueType.NUMBER if kind is ValueType.INTEGER else kind


def _value_type(value: Value) -> ValueType:
    if isinstance(value, bool):
        return ValueType.BOOLEAN
    return ValueType.STRING if isinstance(value, str) else ValueType.NUMBER
