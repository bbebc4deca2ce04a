"""What a technician sees: one readable line for each thing that happened."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final

import click

from gateway.broker_connection import Incoming
from gateway.protocol.codec import decode_topic, encode
from gateway.protocol.description import Description
from gateway.protocol.errors import DecodeError
from gateway.protocol.history import Committed, History
from gateway.protocol.lifecycle import State
from gateway.protocol.messages import (
    Ack,
    Alarm,
    Command,
    DeviceState,
    Event,
    Heartbeat,
    HostStatus,
    Message,
    PlcLink,
    Quality,
    Severity,
    SiteState,
    Status,
    Value,
)
from gateway.protocol.topics import (
    AckTopic,
    AlarmTopic,
    CommandTopic,
    DescriptionTopic,
    EventTopic,
    HostAlarmTopic,
    StateTopic,
    Topic,
    parse,
)
from gateway.technician.printable import json_line, printable, shown

COLOURS: Final = {
    State.APPLIED: "green",
    State.ACCEPTED: "cyan",
    State.UNKNOWN: "magenta",
    SiteState.ONLINE: "green",
    SiteState.OFFLINE: "red",
    SiteState.STOPPED: "yellow",
}
_DIM: Final = "bright_black"


class Screen:
    """Turns messages into lines; remembers the last values, so that it shows changes only."""

    def __init__(self) -> None:
        self._states: dict[StateTopic, DeviceState] = {}
        self._units: dict[tuple[str, str], dict[str, str]] = {}

    def lines(self, incoming: Incoming, now: datetime) -> Iterator[str]:
        """The lines for one message that came at ``now``; none if it says nothing new."""
        try:
            topic = parse(incoming.topic)
            if isinstance(topic, AlarmTopic | HostAlarmTopic) and not incoming.payload:
                yield _line(now, topic.site, "alarm", f"{topic.device} {topic.name} is over", "green")
                return
            message = decode_topic(topic, incoming.payload)
        except DecodeError as error:
            yield _line(now, "?", "no message", printable(str(error)), "red")
            return
        site = str(getattr(topic, "site", "gateway"))
        for what, text, colour in self._told(topic, message):
            yield _line(now, site, what, text, colour)

    def _told(self, topic: Topic, message: Message) -> Iterator[tuple[str, str, str | None]]:
        match topic, message:
            case DescriptionTopic(), Description():
                yield "device", self._described(topic, message), None
            case StateTopic(), DeviceState():
                text = self._changed(topic, message)
                if text:
                    yield "state", text, None if message.quality is Quality.GOOD else "yellow"
            case CommandTopic(), Command():
                yield "command", self._asked(topic, message), "cyan"
            case AckTopic(), Ack():
                yield message.state.value, self._answered(topic, message), COLOURS.get(message.state, "red")
            case ((AlarmTopic() | HostAlarmTopic()), Alarm()):
                since = f"since {message.since:%Y-%m-%d %H:%M:%S} UTC"
                text = f"{topic.device} {topic.name}: {printable(message.title)}; {printable(message.detail)}; {since}"
                yield "alarm", text, "red" if message.severity is Severity.CRITICAL else "yellow"
            case EventTopic(), Event():
                data = self._values(topic.site, topic.device, message.data)
                yield "event", " ".join([topic.device, topic.name, printable(message.detail), data]).rstrip(), "yellow"
            case _:
                yield _reported(message)

    def _described(self, topic: DescriptionTopic, message: Description) -> str:
        units = {name: each.unit for name, each in message.properties.items() if each.unit}
        self._units[topic.site, topic.device] = units
        settings = ", ".join(sorted(message.settings)) or "none"
        readings = ", ".join(sorted(set(message.properties) - message.settings)) or "none"
        title = printable(message.title)
        return f'{topic.device} is "{title}" on {message.plc}; settings: {settings}; readings: {readings}'

    def _changed(self, topic: StateTopic, message: DeviceState) -> str:
        before = self._states.get(topic)
        self._states[topic] = message
        old = {} if before is None else before.properties
        new = {name: value for name, value in message.properties.items() if name not in old or old[name] != value}
        units = self._units.get((topic.site, topic.device), {})
        parts = [
            f"{name} {shown(old[name])} → {shown(value, units.get(name))}"
            if name in old
            else f"{name}={shown(value, units.get(name))}"
            for name, value in new.items()
        ]
        if before is None or before.quality is not message.quality:
            parts.append(f"quality {message.quality.value}")
        return f"{topic.device}  {', '.join(parts)}" if parts else ""

    def _asked(self, topic: CommandTopic, message: Command) -> str:
        values = self._values(topic.site, topic.device, message.input)
        who = topic.requester if message.actor is None else f"{topic.requester} for {printable(message.actor)}"
        return f"{topic.device} {topic.name} {values}  by {who}  {message.id or 'without id'}"

    def _answered(self, topic: AckTopic, message: Ack) -> str:
        values = self._values(topic.site, message.device, message.input)
        again = ", said before" if message.duplicate else ""
        detail = f": {printable(message.detail)}" if message.detail else ""
        return (
            f"{message.device} {message.name} {values}  {message.code}{detail}{again}  {topic.requester}  {message.id}"
        )

    def _values(self, site: str, device: str, values: Mapping[str, Value | None]) -> str:
        units = self._units.get((site, device), {})
        return ", ".join(f"{name}={shown(value, units.get(name))}" for name, value in values.items())


def _reported(message: Message) -> tuple[str, str, str | None]:
    match message:
        case Status() | HostStatus():
            reason = getattr(message, "reason", "")
            epoch = f"epoch {message.epoch}, " if isinstance(message, Status) else ""
            # A will is written when the connection begins, so it cannot say when it ended.
            since = "connected at" if message.state is SiteState.OFFLINE else "since"
            text = f"{epoch}version {message.version}, {since} {message.since:%Y-%m-%d %H:%M:%S} UTC"
            return message.state.value, printable(f"{text}, {reason}" if reason else text), COLOURS[message.state]
        case Heartbeat():
            plcs = ", ".join(f"{name} {link.value}" for name, link in sorted(message.plcs.items()))
            waiting = f"  {message.outbox} rows wait" if message.outbox else ""
            lost = PlcLink.LOST in message.plcs.values()
            return "beat", f"{message.seq}  {plcs}{waiting}", "yellow" if lost else _DIM
        case History():
            return "history", f"{message.samples} samples, {len(message.events)} events", _DIM
        case Committed():
            return "committed", f"{len(message.commands)} commands, {len(message.batches)} batches", _DIM
        case _:
            return type(message).__name__.lower(), printable(encode(message).decode()), None


def _line(now: datetime, site: str, what: str, text: str, colour: str | None) -> str:
    return f"{now:%H:%M:%S}  {site:<12}  " + click.style(f"{what:<10}", fg=colour, bold=colour != _DIM) + f"  {text}"


def as_json(incoming: Incoming, now: datetime) -> str:
    """One message as a line of JSON: when and on which topic it came, and its body or what is wrong with it."""
    seen: dict[str, object] = {"seen_at": now.isoformat(), "topic": incoming.topic, "retained": incoming.retained}
    try:
        message = decode_topic(parse(incoming.topic), incoming.payload)
        seen["message"] = json.loads(encode(message))
    except DecodeError as error:
        seen["error"] = str(error)
    return json_line(seen)
