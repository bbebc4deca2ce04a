"""Bytes to messages and back. Whatever the bytes are, nothing but :class:`DecodeError` comes out."""

from __future__ import annotations

from typing import Final, TypeVar

from pydantic import ValidationError

from gateway.protocol.errors import DecodeError, Fault, json_pointer
from gateway.protocol.messages import MAX_PAYLOAD_BYTES, VALUE_KINDS, Message
from gateway.protocol.topics import Topic

M = TypeVar("M", bound=Message)

#: Hostile bytes can hold tens of thousands of faults; nobody reads more than these.
MAX_FAULTS: Final = 32
#: What pydantic adds to a place that is no level of the document.
_NO_LEVELS: Final = frozenset({"[key]", *VALUE_KINDS.values()})


def encode(message: Message) -> bytes:
    """The message's JSON body, UTF-8; absent optional fields are left out."""
    return message.model_dump_json(by_alias=True, exclude_none=True).encode()


def decode(body: type[M], topic: str, payload: bytes) -> M:
    """Read ``payload`` as a ``body`` that came on ``topic``.

    Raises:
        DecodeError: too large, not JSON, or not such a message; it lists every fault with its JSON pointer.
    """
    if len(payload) > MAX_PAYLOAD_BYTES:
        detail = f"{len(payload)} bytes, {MAX_PAYLOAD_BYTES} at most"
        raise DecodeError(topic, payload[:256], [Fault("", "too-large", detail)])
    try:
        return body.model_validate_json(payload)
    except ValidationError as error:
        raise DecodeError(topic, payload, faults_of(error)) from None


def decode_topic(topic: Topic, payload: bytes) -> Message:
    """Read the body that belongs to ``topic``.

    Raises:
        DecodeError: as :func:`decode`.
    """
    return decode(topic.body, str(topic), payload)


def faults_of(error: ValidationError) -> tuple[Fault, ...]:
    """Pydantic's findings as our faults, with JSON pointers (RFC 6901); the first :data:`MAX_FAULTS` of them."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    faults = [
        Fault(pointer(*each["loc"]), each["type"].replace("_", "-"), each["msg"].removeprefix("Value error, "))
        for each in found[:MAX_FAULTS]
    ]
    if len(found) > MAX_FAULTS:
        faults.append(Fault("", "more-faults", f"and {len(found) - MAX_FAULTS} more faults"))
    return tuple(faults)


def pointer(*levels: str | int) -> str:
    """The JSON pointer (RFC 6901) of a place in a document."""
    return json_pointer(*(level for level in levels if level not in _NO_LEVELS))
