"""Request bodies and queries, read strictly: what is ambiguous is refused, never guessed."""

from __future__ import annotations

import json
from typing import Any, Final, NoReturn, TypeVar

from flask import request
from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import RequestEntityTooLarge

from gateway.protocol.codec import faults_of
from gateway.protocol.errors import Fault, InvalidInput
from http_facade.openapi import ARGUMENTS_TYPES, SETTINGS_TYPES
from http_facade.refusals import Malformed, UnsupportedMedia

Q = TypeVar("Q", bound=BaseModel)

#: Of a request; a change of settings has some hundred bytes.
MAX_BODY_BYTES: Final = 64 * 1024
#: What Flask reads at most. A body without a length is cut there in silence, so a whole one must be shorter.
MAX_READ_BYTES: Final = MAX_BODY_BYTES + 1


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name appears twice in one object")
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


#: Made once: ``json.loads`` would build one for every request.
_DECODER: Final = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_no_constant)


def settings() -> dict[str, Any]:
    """The JSON object of a change of settings.

    Raises:
        UnsupportedMedia: the Content-Type is neither merge patch nor JSON.
        RequestEntityTooLarge: above 64 KiB.
        Malformed: not JSON, or ambiguous (a name twice, NaN).
        InvalidInput: not an object.
    """
    if request.mimetype not in SETTINGS_TYPES:
        raise UnsupportedMedia(SETTINGS_TYPES)
    return _json_object(_read(), "setting: value")


def arguments() -> dict[str, Any]:
    """The JSON object of an action's arguments; without a body there are none. Raises as :func:`settings`."""
    data = _read()
    if not data:
        return {}
    if request.mimetype not in ARGUMENTS_TYPES:
        raise UnsupportedMedia(ARGUMENTS_TYPES)
    return _json_object(data, "argument: value")


def arguments_as(model: type[Q]) -> Q:
    """The same, as one of our own models; raises InvalidInput as well if it is none."""
    try:
        return model.model_validate(arguments())
    except ValidationError as error:
        raise InvalidInput(faults_of(error)) from None


def nothing() -> None:
    """For requests that have no body, so that what somebody sends there is not ignored.

    Raises:
        InvalidInput: there is one, other than an empty object.
    """
    data = _read()
    if data.strip() not in {b"", b"{}"}:
        raise InvalidInput([Fault("", "not-empty", "this call takes no body")])


def _read() -> bytes:
    data = request.get_data(cache=False)
    if len(data) > MAX_BODY_BYTES:
        raise RequestEntityTooLarge
    return data


def _json_object(data: bytes, members: str) -> dict[str, Any]:
    try:
        body = _DECODER.decode(data.decode())
    except (ValueError, RecursionError) as error:  # UnicodeDecodeError is a ValueError
        raise Malformed(f"the body is not JSON: {error}") from error
    if not isinstance(body, dict):
        raise InvalidInput([Fault("", "wrong-type", f"must be a JSON object of {members}")])
    return body


def query(model: type[Q]) -> Q:
    """The query's parameters.

    Raises:
        InvalidInput: one is unknown, given twice or not in range.
    """
    values = request.args.to_dict(flat=False)
    twice = [Fault(f"/{name}", "duplicate", "given more than once") for name, each in values.items() if len(each) > 1]
    if twice:
        raise InvalidInput(twice)
    try:
        return model.model_validate({name: each[0] for name, each in values.items()})
    except ValidationError as error:
        raise InvalidInput(faults_of(error)) from None
