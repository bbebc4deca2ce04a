"""What a device may be asked for: settings or an action's arguments, checked against its description."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from gateway.protocol.codec import faults_of
from gateway.protocol.description import Description, check_action, check_write
from gateway.protocol.errors import Fault, InvalidInput, json_pointer
from gateway.protocol.messages import Command, Value
from gateway.protocol.topics import RESERVED, WRITE
from http_facade.refusals import NotFound


def checked_input(description: Description, name: str, values: Mapping[str, Any]) -> Mapping[str, Value]:
    """The values if the device may be asked for them under this name.

    Raises:
        NotFound: it has no such action.
        InvalidInput: with every fault.
    """
    if name == WRITE:
        faults = _write_faults(description, values)
    elif name in description.actions and name not in RESERVED:
        faults = list(check_action(description, name, values))
    else:
        raise NotFound("action", name)
    if not faults:
        try:
            return Command(input=dict(values)).input
        except ValidationError as error:
            faults = [Fault(each.pointer.removeprefix("/input"), each.code, each.detail) for each in faults_of(error)]
    raise InvalidInput(faults)


def _write_faults(description: Description, values: Mapping[str, Any]) -> list[Fault]:
    """RFC 7396 reads null as "remove", and a setting cannot be removed."""
    nulls = [name for name, value in values.items() if value is None]
    faults = [
        Fault(json_pointer(name), "cannot-remove", "a setting cannot be removed; give it a value") for name in nulls
    ]
    rest = {name: value for name, value in values.items() if value is not None}
    return faults + list(check_write(description, rest)) if rest or not nulls else faults
