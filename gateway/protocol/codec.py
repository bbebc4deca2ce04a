"""Bytes to messages and back. Whatever the bytes are, nothing but :class:`DecodeError` comes out."""

from __future__ import annotations

from typing import TypeVar

from pydantic import ValidationError

from gateway.protocol.errors import DecodeError, Fault
from gateway.protocol.messages import MAX_PAYLOAD_BYTES, Message
from gateway.protocol.topics import Topic

M = TypeVar("M", bound=Message)


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
    """Pydantic's findings as our faults, with JSON pointers (RFC 6901)."""
    return tuple(
        Fault(
            "".join("/" + str(level).replace("~", "~0").replace("/", "~1") for level in each["loc"]),
            each["type"].replace("_", "-"),
            each["msg"],
        )
        for each in error.errors(include_url=False, include_context=False, include_input=False)
    )
