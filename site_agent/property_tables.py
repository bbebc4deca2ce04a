"""The tables of a site's file that say where a value lies in a PLC, and what it means."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field, FiniteFloat, StrictInt, StrictStr, model_validator

from gateway.protocol.description import Number, ValueType
from gateway.protocol.errors import Fault, json_pointer
from gateway.protocol.ids import Name
from gateway.protocol.messages import Text
from site_agent.action_tables import MAX_REGISTER, Register, Table
from site_agent.layout import WHOLE, Layout
from site_agent.registers import RANGES, ByteOrder, RegisterType, Space, WordOrder

#: A string must fit into one write of function 16 (Modbus Application Protocol 1.1b3, section 6.12).
LONGEST_STRING: Final = 120
_COUNTS: Final = (RegisterType.UINT16, RegisterType.UINT32, RegisterType.UINT64)
_FUNCTIONS: Final = {Space.HOLDING: (6, 16), Space.COIL: (5, 15)}


_FORM: Final = ("type", "bit", "length", "scale", "offset", "choices", "word_order", "byte_order")
_PLACE: Final = {"table", "register_", "node", "verify", *_FORM}

#: A node of an OPC UA server in its text form (OPC 10000-6, section 5.3.1.10).
NodeId = Annotated[StrictStr, Field(pattern=r"^(ns=\d{1,5};)?[isgb]=.{1,512}$")]


class Cells(Table):
    """What any value in a PLC says of itself: in which of Modbus' tables, where, and in which order; or at which node.

    A value with a node has a register too once the file is loaded: an address of our own.
    """

    type: RegisterType
    table: Space = Space.HOLDING
    register_: Annotated[Register, Field(alias="register")]
    node: NodeId | None = None
    #: None: as the PLC's table says.
    word_order: WordOrder | None = None
    byte_order: ByteOrder | None = None

    @property
    def layout(self) -> Layout:
        """How the value lies in its registers."""
        return Layout(
            kind=self.type,
            word_order=self.word_order or WordOrder.BIG,
            byte_order=self.byte_order or ByteOrder.BIG,
        )


class VerifyTable(Table):
    """``[devices.properties.NAME.verify]``: where the value is read, if not where it is written."""

    table: Space = Space.HOLDING
    register_: Annotated[Register, Field(alias="register")]
    node: NodeId | None = None


class PropertyTable(Cells):
    """``[devices.properties.NAME]``: a value of a device; ``writable`` makes it a setting."""

    title: Text | None = None
    description: Text | None = None
    bit: Annotated[StrictInt, Field(ge=0, le=15)] | None = None
    length: Annotated[StrictInt, Field(ge=1, le=LONGEST_STRING)] | None = None
    scale: Annotated[FiniteFloat, Field(ge=-1e12, le=1e12)] = 1.0
    offset: Annotated[FiniteFloat, Field(ge=-1e12, le=1e12)] = 0.0
    decimals: Annotated[StrictInt, Field(ge=0, le=9)] | None = None
    choices: Annotated[dict[Text, StrictInt], Field(max_length=64)] = Field(default_factory=dict)
    poll_s: Annotated[FiniteFloat, Field(ge=0.05, le=86_400)] | None = None
    dead_band: Annotated[FiniteFloat, Field(ge=0)] = 0.0
    least_interval_s: Annotated[FiniteFloat, Field(ge=0, le=86_400)] = 0.0
    writable: bool = False
    write_function: Literal[5, 6, 15, 16] | None = None
    verify: VerifyTable | None = None
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
            bit=self.bit,
            length=self.length or 0,
            scale=Fraction(str(self.scale)),
            offset=Fraction(str(self.offset)),
            decimals=self.decimals,
            choices=self.choices,
        )

    @property
    def read_at(self) -> tuple[Space, int]:
        """Where it is read."""
        place = self if self.verify is None else self.verify
        return place.table, place.register_

    @property
    def place(self) -> dict[str, Any]:
        """Where it is written and read, and in which form: what evidence of a write depends on."""
        parts = self.model_dump(mode="json", include=_PLACE)
        for each in (parts, parts["verify"] or {}):
            if each.get("node") is not None:
                del each["register_"]  # an address of our own, which other properties may move
        return parts

    @property
    def counts(self) -> bool:
        """Whether it may serve as the counter of an action: it starts anew after the greatest number of its type."""
        return self.type in _COUNTS and not self.layout.scaled and not self.choices

    @model_validator(mode="after")
    def _in_range(self) -> Self:
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise ValueError(f"minimum {self.minimum} is above maximum {self.maximum}")
        return self


def property_faults(properties: Mapping[str, PropertyTable], place: str) -> Iterator[Fault]:
    """What contradicts itself in a device's properties; ``place`` is the device's JSON pointer."""
    for name, each in properties.items():
        here = f"{place}/properties{json_pointer(name)}"
        yield from cell_faults(each, each.length or 1, here)
        yield from _shape_faults(each, here)
        if each.dead_band and each.layout.value_type not in (ValueType.INTEGER, ValueType.NUMBER):
            yield Fault(f"{here}/dead_band", "wrong-type", "only a number can leave a band")
        if each.writable:
            yield from _setting_faults(each, here)
        else:
            for member in ("write_function", "verify"):
                if getattr(each, member) is not None:
                    yield Fault(f"{here}/{member}", "not-writable", "only a setting, with writable = true, has one")


def cell_faults(cells: Cells, length: int, here: str) -> Iterator[Fault]:
    """What cannot lie where it is said to lie."""
    count = length if cells.type is RegisterType.STRING else cells.layout.words
    if cells.register_ + count - 1 > MAX_REGISTER:
        yield Fault(f"{here}/register", "too-large", f"the value reaches beyond register {MAX_REGISTER}")
    if cells.table.bits and cells.type is not RegisterType.BOOL:
        yield Fault(f"{here}/type", "wrong-type", f"a {cells.table} holds a bit, which is a bool")


def value_types(properties: Mapping[str, PropertyTable]) -> dict[Name, ValueType]:
    """What JSON calls the values."""
    return {name: each.layout.value_type for name, each in properties.items()}


def _shape_faults(each: PropertyTable, here: str) -> Iterator[Fault]:
    if (each.length is None) is (each.type is RegisterType.STRING):
        yield Fault(f"{here}/length", "length", "a string, and nothing else, says how many registers it takes")
    if each.bit is not None and (each.type is not RegisterType.BOOL or each.table.bits):
        yield Fault(f"{here}/bit", "wrong-type", "only a bool in a holding or input register is one bit of it")
    if each.scale == 0:
        yield Fault(f"{here}/scale", "zero", "a scale of 0 would make all values the same")
    if (each.layout.scaled or each.decimals is not None) and not (each.type.whole or each.type.real):
        yield Fault(f"{here}/type", "wrong-type", f"a {each.type} cannot be scaled or rounded")
    if each.choices:
        yield from _choice_faults(each, here)
    elif each.type.whole and each.scale:
        yield from _range_faults(each, here)


def _choice_faults(each: PropertyTable, here: str) -> Iterator[Fault]:
    if not each.type.whole or each.layout.scaled:
        yield Fault(f"{here}/choices", "wrong-type", "choices are names of whole numbers that are not scaled")
        return
    low, high = RANGES[each.type]
    seen: dict[int, str] = {}
    for name, number in each.choices.items():
        if not low <= number <= high:
            yield Fault(f"{here}/choices{json_pointer(name)}", "out-of-range", f"a {each.type} holds {low} to {high}")
        if (other := seen.setdefault(number, name)) != name:
            yield Fault(f"{here}/choices{json_pointer(name)}", "twice", f"{number} is called {other!r} already")


def _range_faults(each: PropertyTable, here: str) -> Iterator[Fault]:
    """What is stated beyond what the registers can carry."""
    low, high = sorted(Fraction(raw) * each.layout.scale + each.layout.offset for raw in RANGES[each.type])
    if each.layout.value_type is ValueType.INTEGER and not (WHOLE[0] <= low and high <= WHOLE[1]):
        yield Fault(f"{here}/scale", "too-large", "some of its values would be beyond 64 bits")
        return
    for member in ("minimum", "maximum"):
        stated = getattr(each, member)
        if stated is not None and not low <= Fraction(str(stated)) <= high:
            detail = f"{stated} is beyond what the register can carry: {float(low):g} to {float(high):g}"
            yield Fault(f"{here}/{member}", "out-of-range", detail)
    if each.step is not None and Fraction(str(each.step)) % each.layout.scale:
        detail = f"not a multiple of {float(abs(each.layout.scale)):g}, by which the register counts"
        yield Fault(f"{here}/step", "off-step", detail)


def _setting_faults(each: PropertyTable, here: str) -> Iterator[Fault]:
    for member in ("dead_band", "least_interval_s"):
        if getattr(each, member):
            yield Fault(f"{here}/{member}", "setting", "every change of a setting is told, and at once")
    if not each.table.writable:
        yield Fault(f"{here}/writable", "read-only", f"nobody can write a {each.table} over Modbus")
        return
    if each.bit is not None:
        why = "a register is written whole, and the bits beside it may change meanwhile; ask for a coil or a register"
        yield Fault(f"{here}/writable", "bit", why)
    if each.decimals is not None or (each.type.real and each.layout.scaled):
        why = "a rounded value, or a scaled floating-point number, cannot be proved by reading; leave that out"
        yield Fault(f"{here}/writable", "not-exact", why)
    functions = _FUNCTIONS[each.table]
    if each.write_function is not None and each.write_function not in functions:
        fitting = " or ".join(map(str, functions))
        yield Fault(f"{here}/write_function", "wrong-function", f"a {each.table} is written with function {fitting}")
    elif each.write_function == 6 and each.layout.words > 1:
        yield Fault(f"{here}/write_function", "too-long", "function 6 writes one register; this value takes more")
    if each.verify is not None and each.verify.table.bits is not each.table.bits:
        yield Fault(f"{here}/verify/table", "wrong-type", "the value is read in cells of the kind it is written in")
