"""What becomes of bytes on a command topic before any PLC is asked: a request, a refusal, or a report.

Pure: decides from what it is given, and touches nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from pydantic import ConfigDict

from gateway.protocol.codec import decode
from gateway.protocol.codes import AckCode
from gateway.protocol.description import check_action, check_write
from gateway.protocol.errors import DecodeError
from gateway.protocol.ids import CommandId, is_facade
from gateway.protocol.messages import Command, Message
from gateway.protocol.topics import CANCEL, HOST, WRITE, CommandTopic
from site_agent.deadline import SentBeats
from site_agent.device import Device

_NEEDS_ID: Final = "give it an id (a UUID), or a repeat could not be told from a second one"


class Kind(Enum):
    """What the sender wants."""

    #: Something shall be done.
    COMMAND = auto()
    #: What became of a command? Nothing may start for it any more.
    QUESTION = auto()
    #: A command shall not begin.
    CANCEL = auto()


class _Identified(Message):
    """Just enough of a faulty command to tell its sender about it."""

    model_config = ConfigDict(extra="ignore")

    id: CommandId


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A command as received, with the agent's judgement; ``refusal`` is None if it may go on.

    ``owner`` is the requester whose command is meant, and who hears of it.
    """

    id: str
    kind: Kind
    owner: str
    topic: CommandTopic
    command: Command
    device: Device | None
    deadline_s: float
    refusal: AckCode | None = None
    detail: str = ""


def judge(
    topic: CommandTopic,
    payload: bytes,
    *,
    devices: Mapping[str, Device],
    beats: SentBeats,
    now_s: float,
    received_s: float,
    fresh_id: str,
) -> Request:
    """Decode and check a command; ``fresh_id`` serves a write that came without one.

    Raises:
        DecodeError: the bytes are no command and name no id, so there is nobody to answer.
    """
    try:
        command = decode(Command, str(topic), payload)
    except DecodeError as error:
        return _illegible(topic, payload, error, devices, now_s)
    kind = _kind(topic, command)
    refusal, detail = _refusal(kind, topic, command, devices)
    remaining_s = 0.0
    if kind is Kind.COMMAND:
        timing = beats.timing(command, now_s, received_s)
        remaining_s = timing.remaining_s
        if refusal is None and timing.refusal is not None:
            refusal, detail = timing.refusal, "the command refers to a heartbeat of another connection"
        if refusal is None and remaining_s <= 0:
            refusal, detail = AckCode.DEADLINE_PASSED, f"{-remaining_s:.1f} s too late on arrival"
    return Request(
        id=command.id or fresh_id,
        kind=kind,
        owner=topic.requester if refusal is AckCode.BAD_MESSAGE else command.asked_by or topic.requester,
        topic=topic,
        command=command,
        device=devices.get(topic.device),
        deadline_s=now_s + remaining_s,
        refusal=refusal,
        detail=detail,
    )


def _illegible(
    topic: CommandTopic, payload: bytes, error: DecodeError, devices: Mapping[str, Device], now_s: float
) -> Request:
    try:
        identified = decode(_Identified, str(topic), payload)
    except DecodeError:
        raise error from None
    return Request(
        id=identified.id,
        kind=Kind.COMMAND,
        owner=topic.requester,
        topic=topic,
        command=Command(id=identified.id, input={}),
        device=devices.get(topic.device),
        deadline_s=now_s,
        refusal=AckCode.BAD_MESSAGE,
        detail="; ".join(map(str, error.faults))[:1000],
    )


def _kind(topic: CommandTopic, command: Command) -> Kind:
    if topic.name == CANCEL:
        return Kind.CANCEL
    return Kind.QUESTION if command.ttl_s == 0 else Kind.COMMAND


def _refusal(
    kind: Kind, topic: CommandTopic, command: Command, devices: Mapping[str, Device]
) -> tuple[AckCode | None, str]:
    if command.asked_by is not None and not _may_speak_for(kind, topic.requester, command.asked_by):
        return AckCode.BAD_MESSAGE, f"{topic.requester} may not speak for {command.asked_by}"
    if kind is not Kind.COMMAND:
        return (AckCode.MISSING_ID, _NEEDS_ID) if command.id is None else (None, "")
    device = devices.get(topic.device)
    if device is None:
        known = ", ".join(sorted(devices))[:500]
        return AckCode.UNKNOWN_DEVICE, f"the site has no device {topic.device!r}; it has: {known}"
    return _objection(topic, command, device)


def _objection(topic: CommandTopic, command: Command, device: Device) -> tuple[AckCode | None, str]:
    description = device.description
    if topic.name != WRITE and command.id is None:
        return AckCode.MISSING_ID, _NEEDS_ID
    if topic.name != WRITE and topic.name not in description.actions:
        actions = ", ".join(sorted(description.actions)) or "none"
        return AckCode.UNKNOWN_ACTION, f"{device.id} has no action {topic.name!r}; it has: {actions}"
    if topic.name == WRITE:
        faults = check_write(description, command.input)
    else:
        faults = check_action(description, topic.name, command.input)
    if not faults:
        try:
            device.check_encodable(topic.name, command.input)
        except ValueError as error:
            return AckCode.INVALID_INPUT, str(error)
    return (AckCode.INVALID_INPUT, "; ".join(map(str, faults))[:1000]) if faults else (None, "")


def _may_speak_for(kind: Kind, requester: str, owner: str) -> bool:
    """The gateway may ask about anybody's command; one facade may cancel what another one sent."""
    if kind is Kind.QUESTION:
        return requester == HOST
    return kind is Kind.CANCEL and is_facade(requester) and is_facade(owner)
