"""One command, from the words typed to the answer of the site."""

from __future__ import annotations

import math
import secrets
import time
from collections.abc import Callable, Sequence
from concurrent.futures import TimeoutError as NotInTime
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from pydantic import ValidationError

from gateway.broker import Login
from gateway.protocol.codec import decode_topic, faults_of
from gateway.protocol.deadline import UNANCHORED_TTL_S
from gateway.protocol.description import Description
from gateway.protocol.errors import DecodeError, Fault, InvalidInput, TidegateError, Unavailable
from gateway.protocol.ids import command_id
from gateway.protocol.messages import Ack, Command, SiteState, Status
from gateway.protocol.topics import WRITE, AckTopic, CommandTopic, DescriptionTopic, StatusTopic, parse
from gateway.technician.assignment import nearest, read_arguments, read_settings
from gateway.technician.inbox import Inbox

#: Retained topics come at once after the subscription; who has not been heard by then is not there.
RETAINED_TIMEOUT_S: Final = 3.0
#: An agent refuses a command at its deadline; its word needs a moment to come back.
GRACE_S: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a technician wants of this device, and how long they will wait for the answer.

    ``name`` is ``write``, or the action that the assignments are the arguments of.
    """

    site: str
    device: str
    name: str
    assignments: Sequence[str]
    wait_s: float
    reason: str | None = None


class NoWord(TidegateError):
    """The command was handed over, and then the line went dead: it may have taken effect."""

    code = "no-answer"


class SiteSilent(TidegateError):
    """The site is not online, so nothing was sent."""

    code = "site-offline"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The last word of the site within the wait, if there was one."""

    id: str
    description: Description
    ack: Ack | None


def send(login: Login, order: Order, on_ack: Callable[[Ack], None]) -> Outcome:
    """Send one command and wait for its final answer, or for as long as the order says.

    Raises:
        InvalidInput: no such device, setting or action, or a value it cannot take; nothing was sent.
        SiteSilent: the site says that it is not online; nothing was sent.
        Unavailable: the broker cannot be reached; nothing was sent.
        NoWord: the link broke before the broker confirmed, or the answer cannot be read.
        BrokerRefused: the broker does not let this user send it; nothing was sent.
    """
    id = command_id(time.time_ns() // 1_000_000, secrets.randbits(74))
    answers = AckTopic(site=order.site, requester=login.username, id=id)
    filters = [StatusTopic.filter(site=order.site), DescriptionTopic.filter(site=order.site), str(answers)]
    with Inbox(login, filters) as inbox:
        description = _described(inbox, order)
        command = _command(id, order, description)
        topic = CommandTopic(site=order.site, requester=login.username, device=order.device, name=order.name)
        deadline_s = time.monotonic() + order.wait_s + GRACE_S
        confirmed = inbox.link.publish(topic, command, expiry_s=math.ceil(command.ttl_s))
        try:
            confirmed.result(order.wait_s + GRACE_S)
        except (Unavailable, NotInTime) as error:
            raise NoWord(f"the broker did not confirm {id}; it may have taken effect") from error
        ack = _answer(inbox, answers, deadline_s, on_ack)
    return Outcome(id=id, description=description, ack=ack)


def _command(id: str, order: Order, description: Description) -> Command:
    if order.name == WRITE:
        values = read_settings(description, order.assignments)
    else:
        values = read_arguments(description, order.name, order.assignments)
    try:
        return Command(
            id=id,
            input=values,
            issued_at=datetime.now(UTC),
            ttl_s=min(order.wait_s, UNANCHORED_TTL_S),
            reason=order.reason,
        )
    except ValidationError as error:
        raise InvalidInput(faults_of(error)) from None


def _described(inbox: Inbox, order: Order) -> Description:
    deadline_s = time.monotonic() + RETAINED_TIMEOUT_S
    status: Status | None = None
    devices: dict[str, Description] = {}
    while (status is None or order.device not in devices) and (incoming := inbox.until(deadline_s)):
        try:
            topic = parse(incoming.topic)
            message = decode_topic(topic, incoming.payload)
        except DecodeError:
            continue  # another device's fault must not keep this one from being set
        if isinstance(message, Status):
            status = message
            _refuse_unless_online(order.site, status)
        elif isinstance(topic, DescriptionTopic) and isinstance(message, Description):
            devices[topic.device] = message
    if status is None:
        raise InvalidInput([Fault("", "unknown-site", f"no site {order.site} is known to the broker, or not to you")])
    if order.device not in devices:
        detail = f"{order.site} has no device {order.device}; {nearest(order.device, devices)}"
        raise InvalidInput([Fault("", "unknown-device", detail)])
    return devices[order.device]


def _refuse_unless_online(site: str, status: Status) -> None:
    # Nothing waits at the broker for a site that is away, so the command would vanish unanswered.
    if status.state is not SiteState.ONLINE:
        since = "it had connected at" if status.state is SiteState.OFFLINE else "since"
        raise SiteSilent(f"{site} is {status.state}, {since} {status.since:%Y-%m-%d %H:%M:%S} UTC; nothing was sent")


def _answer(inbox: Inbox, answers: AckTopic, deadline_s: float, on_ack: Callable[[Ack], None]) -> Ack | None:
    last: Ack | None = None
    while (last is None or not last.final) and (incoming := inbox.until(deadline_s)):
        if incoming.topic != str(answers):
            continue
        try:
            message = decode_topic(answers, incoming.payload)
        except DecodeError as error:
            raise NoWord(f"the answer cannot be read: {error}") from error
        if isinstance(message, Ack) and message.id == answers.id:
            last = message
            on_ack(message)
    return last
