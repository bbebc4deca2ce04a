"""What becomes of bytes on a command topic before any PLC is asked: a request, a refusal, or a report.

Pure: decides from what it is given, and touches nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import ConfigDict

from gateway.protocol.codec import decode
from gateway.protocol.codes import AckCode
from gateway.protocol.description import check_write
from gateway.protocol.errors import DecodeError
from gateway.protocol.ids import CommandId
from gateway.protocol.messages import Command, Message
from gateway.protocol.topics import WRITE, CommandTopic
from site_agent.deadline import SentBeats
from site_agent.device import Device


class _Identified(Message):
    """Just enough of a faulty command to tell its sender about it."""

    model_config = ConfigDict(extra="ignore")

    id: CommandId


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A command as received, with the agent's judgement; ``refusal`` is None if it may go on."""

    id: str
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
    fresh_id: str,
) -> Request:
    """Decode and check a command; ``fresh_id`` serves a write that came without one.

    Raises:
        DecodeError: the bytes are no command and name no id, so there is nobody to answer.
    """
    try:
        command = decode(Command, str(topic), payload)
    except DecodeError as error:
        try:
            identified = decode(_Identified, str(topic), payload)
        except DecodeError:
            raise error from None
        faults = "; ".join(map(str, error.faults))[:1000]
        return Request(
            id=identified.id,
            topic=topic,
            command=Command(id=identified.id, input={}),
            device=devices.get(topic.device),
            deadline_s=now_s,
            refusal=AckCode.BAD_MESSAGE,
            detail=faults,
        )
    timing = beats.timing(command, now_s)
    refusal, detail = _refusal(topic, command, devices)
    if refusal is None and timing.refusal is not None:
        refusal, detail = timing.refusal, "the command refers to a heartbeat of another connection"
    if refusal is None and timing.remaining_s <= 0:
        refusal, detail = AckCode.DEADLINE_PASSED, f"{-timing.remaining_s:.1f} s too late on arrival"
    return Request(
        id=command.id or fresh_id,
        topic=topic,
        command=command,
        device=devices.get(topic.device),
        deadline_s=now_s + timing.remaining_s,
        refusal=refusal,
        detail=detail,
    )


def _refusal(topic: CommandTopic, command: Command, devices: Mapping[str, Device]) -> tuple[AckCode | None, str]:
    device = devices.get(topic.device)
    if device is None:
        known = ", ".join(sorted(devices))[:500]
        return AckCode.UNKNOWN_DEVICE, f"the site has no device {topic.device!r}; it has: {known}"
    if topic.name != WRITE:
        if command.id is None:
            return AckCode.MISSING_ID, "give the action an id (a UUID), or a repeat could not be told from a second one"
        return AckCode.UNKNOWN_ACTION, f"{topic.device} has no action {topic.name!r}"
    faults = check_write(device.description, command.input)
    if faults:
        return AckCode.INVALID_INPUT, "; ".join(map(str, faults))[:1000]
    return None, ""
