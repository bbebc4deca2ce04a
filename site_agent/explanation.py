"""What is wrong with a site's file, in the words of whoever writes it: causes alone, each with its device. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from gateway.protocol.codec import MAX_FAULTS
from gateway.protocol.errors import Fault, json_pointer
from gateway.protocol.ids import ID_PATTERN, NAME_PATTERN
from site_agent.nearest import hint, keys_at
from site_agent.profile import Raw

#: What a value must be, by the kind of pydantic's finding.
_MUST_BE: Final = {
    "bool": "true or false",
    "date": "a date",
    "dict": "a table",
    "float": "a number",
    "finite-number": "a finite number",
    "int": "a whole number",
    "list": "a list",
    "model": "a table",
    "path": "a path in quotes",
    "string": "text in quotes",
    "time": "a time of day",
    "tuple": "a list",
}
#: What pydantic's kinds end with if a value is of another type.
_ENDS: Final = ("-type", "-parsing", "-from-float", "-attributes-type")
_PATTERNS: Final = {
    ID_PATTERN: "1 to 48 of a-z, 0-9 and '-', with neither first nor last a '-', as 'arava-1'",
    NAME_PATTERN: "a-z first, then up to 62 of a-z, 0-9, '_' and '-', as 'plc-1'",
}
_Place = tuple[int | str, ...]


def explained(error: ValidationError, model: type[BaseModel], document: Raw) -> Iterator[Fault]:
    """Pydantic's findings in ``document``, one for each place; a key that is not there with the nearest one that is."""
    found = error.errors(include_url=False, include_input=False)
    placed = [(_place(each["loc"], document), each) for each in found[:MAX_FAULTS]]
    for place, group in groupby(placed, key=lambda pair: pair[0]):
        details = [each for _, each in group]
        pointer, code = json_pointer(*place), details[0]["type"].replace("_", "-")
        if code == "extra-forbidden":
            detail = f"there is no such key.{hint(place[-1], keys_at(model, place[:-1]))}"
        elif code == "missing":
            detail = f"is missing, and must be there.{_meant(place, document)}"
        else:
            detail = _detail([each["type"].replace("_", "-") for each in details], dict(details[0].get("ctx", {})))
            detail = detail or details[0]["msg"]
        yield Fault(pointer, code, detail)
    if len(found) > MAX_FAULTS:
        yield Fault("", "more-faults", f"and {len(found) - MAX_FAULTS} more faults")


def _place(loc: _Place, document: Any) -> _Place:  # noqa: ANN401 # any piece of TOML
    """Where it is in the document; pydantic adds levels of its own, such as which of several types it tried."""
    place: list[int | str] = []
    held = document
    for number, level in enumerate(loc):
        below = _below(held, level)
        if below:
            (held,) = below
        elif not (isinstance(held, dict) and number == len(loc) - 1) or level == "[key]":
            continue
        place.append(level)
    return tuple(place)


def _below(held: Any, level: int | str) -> tuple[Any, ...]:  # noqa: ANN401 # any piece of TOML
    """What is at this level of a list or a table; empty if nothing is."""
    if isinstance(held, list) and isinstance(level, int):
        return tuple(held[level : level + 1])
    return (held[level],) if isinstance(held, dict) and level in held else ()


def _detail(kinds: Sequence[str], context: dict[str, Any]) -> str:
    """What the value must be; empty if pydantic says it well."""
    if "pattern" in context and context["pattern"] in _PATTERNS:
        return f"must be {_PATTERNS[context['pattern']]}"
    if "error" in context:
        return str(context["error"])
    plain = [next((kind.removesuffix(end) for end in _ENDS if kind.endswith(end)), kind) for kind in kinds]
    if all(kind in _MUST_BE for kind in plain):
        kinds = [kind for kind in plain if not (kind == "int" and "float" in plain)]
        return f"must be {' or '.join(dict.fromkeys(_MUST_BE[kind] for kind in kinds))}"
    return ""


def _meant(place: _Place, document: Raw) -> str:
    """A table that lacks what it must have may be one that the profile has, with its name misspelt."""
    held: Any = document
    for each in place[:-2]:
        held = held[each]
    if len(place) < 4 or not isinstance(held, dict):
        return ""
    return hint(place[-2], {str(name) for name in held if name != place[-2]})


def causes(faults: Sequence[Fault], document: Raw) -> tuple[Fault, ...]:
    """Without those that only follow from others; each names its device or PLC, since TOML does not number them."""
    unknown = {fault.pointer.removesuffix("/profile") for fault in faults if fault.code == "unknown-profile"}
    follow = {f"{each}/properties" for each in unknown}
    empty = {f"/{each}" for each in ("plcs", "devices") if isinstance(document.get(each), list) and document[each]}
    return tuple(
        Fault(fault.pointer, fault.code, fault.detail + _whose(fault.pointer, document))
        for fault in dict.fromkeys(faults)
        if not (fault.code == "missing" and fault.pointer in follow)
        and not (fault.code == "too-short" and fault.pointer in empty)
    )


def _whose(pointer: str, document: Raw) -> str:
    _, kind, number, *_ = (*pointer.split("/", 3), "", "")
    tables = document.get(kind)
    if kind not in {"plcs", "devices"} or not isinstance(tables, list) or not number.isdecimal():
        return ""
    table = tables[int(number)] if int(number) < len(tables) else None
    name = table.get("name" if kind == "plcs" else "id") if isinstance(table, dict) else None
    return f" ({'PLC' if kind == 'plcs' else 'device'} {name!r})" if isinstance(name, str) else ""
