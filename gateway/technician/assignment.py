"""``name=value`` as typed, read by what the device says of itself."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from math import isfinite
from typing import Final

from gateway.protocol.codec import pointer
from gateway.protocol.description import DataSchema, Description, ValueType, check_action, check_write
from gateway.protocol.errors import Fault, InvalidInput
from gateway.protocol.messages import Value

WORDS: Final = {"true": True, "on": True, "yes": True, "false": False, "off": False, "no": False}
_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,20}")
_NUMBER: Final = re.compile(r"[+-]?([0-9]{1,40}(\.[0-9]{0,40})?|\.[0-9]{1,40})([eE][+-]?[0-9]{1,3})?")


def nearest(wanted: str, known: Iterable[str]) -> str:
    """A sentence that helps whoever mistyped ``wanted``."""
    names = sorted(known)
    close = get_close_matches(wanted, names, n=1, cutoff=0.4)
    return f"did you mean {close[0]}?" if close else f"known: {', '.join(names) or 'none'}"


def read_settings(description: Description, assignments: Sequence[str]) -> dict[str, Value]:
    """The values of ``name=value`` words, each of the type that the device asks for, and checked.

    Raises:
        InvalidInput: it lists every fault of every word.
    """
    values, faults = _read_all(description.properties, description.settings, "setting", assignments)
    if values or not faults:
        faults += check_write(description, values)
    if faults:
        raise InvalidInput(faults)
    return values


def read_arguments(description: Description, action: str, assignments: Sequence[str]) -> dict[str, Value]:
    """The same for an action's arguments.

    Raises:
        InvalidInput: the device has no such action, or the words do not fit it.
    """
    if action not in description.actions:
        detail = f"no such action (a setting is written name=value); {nearest(action, description.actions)}"
        raise InvalidInput([Fault("", "unknown-action", detail)])
    schemas = description.actions[action].input.properties
    values, faults = _read_all(schemas, schemas, "argument", assignments)
    if not faults:
        faults += check_action(description, action, values)
    if faults:
        raise InvalidInput(faults)
    return values


def _read_all(
    schemas: Mapping[str, DataSchema], known: Iterable[str], what: str, assignments: Sequence[str]
) -> tuple[dict[str, Value], list[Fault]]:
    values: dict[str, Value] = {}
    faults: list[Fault] = []
    for assignment in assignments:
        name, equals, text = assignment.partition("=")
        fault = _misnamed(schemas, known, what, name, equals) or _repeated(name, values)
        value = None if fault else _read(schemas[name].type, text)
        if fault:
            faults.append(fault)
        elif value is None:
            kind = schemas[name].type
            faults.append(Fault(pointer(name), "wrong-type", f"{text!r} is no {kind}{_EXAMPLES[kind]}"))
        else:
            values[name] = value
    return values, faults


_EXAMPLES: Final = {
    ValueType.BOOLEAN: ": write true or false",
    ValueType.INTEGER: ": write a whole number such as 120",
    ValueType.NUMBER: ": write a number such as 1.5",
    ValueType.STRING: "",
}


def _misnamed(
    schemas: Mapping[str, DataSchema], known: Iterable[str], what: str, name: str, equals: str
) -> Fault | None:
    if not equals:
        return Fault("", "no-value", f"{name!r} has no value: write name=value")
    if name not in schemas:
        code = "unknown-property" if what == "setting" else "unknown-argument"
        return Fault(pointer(name), code, f"no such {what}; {nearest(name, known)}")
    return None


def _repeated(name: str, values: dict[str, Value]) -> Fault | None:
    return Fault(pointer(name), "twice", "is there twice") if name in values else None


def _read(kind: ValueType, text: str) -> Value | None:
    match kind:
        case ValueType.BOOLEAN:
            return WORDS.get(text.lower())
        case ValueType.INTEGER:
            return int(text) if _INTEGER.fullmatch(text) else None
        case ValueType.NUMBER:
            if _INTEGER.fullmatch(text):
                return int(text)
            return float(text) if _NUMBER.fullmatch(text) and isfinite(float(text)) else None
        case _:
            return text
