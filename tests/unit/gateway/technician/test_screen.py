from __future__ import annotations

import json
import time
from datetime import timedelta

import click
import pytest
from hypothesis import given

from gateway.broker import Incoming
from gateway.protocol.codec import encode
from gateway.protocol.lifecycle import State
from gateway.protocol.messages import (
    Ack,
    Command,
    DeviceState,
    Event,
    Heartbeat,
    Message,
    PlcLink,
    Quality,
    SiteState,
    Status,
)
from gateway.protocol.topics import (
    AckTopic,
    CommandTopic,
    DescriptionTopic,
    EventTopic,
    HeartbeatTopic,
    StateTopic,
    StatusTopic,
    Topic,
)
from gateway.technician.printable import printable, shown
from gateway.technician.screen import Screen, as_json
from tests import strategies
from tests.strategies import NOW
from tests.unit.gateway.technician.test_assignment import FEEDER

ID = "0193544a-0000-7000-8000-000000000000"
FEEDER_STATE = StateTopic(site="arava-1", device="feeder-1")
NASTY = "\x1b[2J\r\nroot \u202e\x9b \x00"


def came(topic: Topic | str, message: Message | bytes) -> Incoming:
    """A message as the broker delivers it."""
    payload = message if isinstance(message, bytes) else encode(message)
    return Incoming(topic=str(topic), payload=payload, retained=False, received_s=time.monotonic())


def seen(screen: Screen, topic: Topic | str, message: Message | bytes) -> str:
    """The lines on the screen, without colours."""
    return click.unstyle("\n".join(screen.lines(came(topic, message), NOW)))


def state(**properties: object) -> DeviceState:
    """A feeder's state."""
    return DeviceState.model_validate({"at": NOW, "quality": Quality.GOOD, "properties": properties})


def test_screen_status_shows_state_epoch_and_reason() -> None:
    """One line tells who is there, and why not; a will cannot know when the connection was lost."""
    status = Status(state=SiteState.OFFLINE, epoch=7, boot="00c0ffee", since=NOW, version="0.1.0", reason="will")
    line = seen(Screen(), StatusTopic(site="arava-1"), status)
    since = "connected at 2026-11-22 12:00:00 UTC"
    assert line == f"12:00:00  arava-1       offline     epoch 7, version 0.1.0, {since}, will"


def test_screen_heartbeat_is_one_short_line() -> None:
    """A beat shows its number and the PLCs."""
    beat = Heartbeat(epoch=7, seq=3, at=NOW, plcs={"plc-2": PlcLink.LOST, "plc-1": PlcLink.OK}, outbox=2)
    line = seen(Screen(), HeartbeatTopic(site="arava-1"), beat)
    assert line == "12:00:00  arava-1       beat        3  plc-1 ok, plc-2 lost  2 rows wait"


def test_screen_first_state_shows_all_values() -> None:
    """Who has just come sees everything once."""
    assert seen(Screen(), FEEDER_STATE, state(portion_g=100, enabled=True)).endswith(
        "feeder-1  portion_g=100, enabled=true, quality good"
    )


def test_screen_further_state_shows_changes_with_units() -> None:
    """A state is shown as what has changed since the one before."""
    screen = Screen()
    seen(screen, DescriptionTopic(site="arava-1", device="feeder-1"), FEEDER)
    seen(screen, FEEDER_STATE, state(portion_g=100, enabled=True))
    assert seen(screen, FEEDER_STATE, state(portion_g=120, enabled=True)).endswith("feeder-1  portion_g 100 → 120")


def test_screen_same_state_again_shows_nothing() -> None:
    """What has not changed is no news."""
    screen = Screen()
    seen(screen, FEEDER_STATE, state(portion_g=100))
    assert seen(screen, FEEDER_STATE, state(portion_g=100)) == ""


def test_screen_command_shows_who_asked_for_what() -> None:
    """A command names its requester and the end user behind it."""
    topic = CommandTopic(site="arava-1", requester="@facade", device="feeder-1", name="write")
    line = seen(Screen(), topic, Command(id=ID, input={"portion_g": 120}, actor="ben"))
    assert line.endswith(f"feeder-1 write portion_g=120  by @facade for ben  {ID}")


def test_screen_ack_shows_state_code_and_detail() -> None:
    """An ack says what became of the command and why."""
    ack = Ack(
        id=ID,
        device="feeder-1",
        name="write",
        input={"portion_g": 120},
        state=State.REJECTED,
        code="plc-lost",
        detail="plc-1 does not answer",
        epoch=7,
        at=NOW,
        duplicate=True,
    )
    line = seen(Screen(), AckTopic(site="arava-1", requester="@ana", id=ID), ack)
    assert "rejected" in line
    assert f"portion_g=120  plc-lost: plc-1 does not answer, said before  @ana  {ID}" in line


def test_screen_what_is_no_message_is_shown_as_such() -> None:
    """Bytes that cannot be read are reported, not guessed at and not hidden."""
    assert "no message" in seen(Screen(), HeartbeatTopic(site="arava-1"), b"\xff\xfe")


@pytest.mark.parametrize("as_lines", [False, True])
def test_screen_control_characters_are_written_out(as_lines: bool) -> None:  # a parameter of the test
    """No site can move the cursor, forge a line or turn the text around."""
    event = Event(at=NOW, detail=NASTY, data={"text": NASTY})
    topic = EventTopic(site="arava-1", device="feeder-1", name="odd")
    if as_lines:
        text = as_json(came(topic, event), NOW)
        assert json.loads(text)["message"]["detail"] == NASTY
    else:
        text = seen(Screen(), topic, event)
        assert r"\x1b[2J\x0d\x0aroot \u202e\x9b \x00" in text
    assert text.isprintable()


def test_screen_control_characters_in_a_foreign_topic_are_written_out() -> None:
    """A topic that is none of ours is shown safely too."""
    assert seen(Screen(), "x/" + NASTY, b"\x1b[2J").isprintable()
    assert as_json(came("x/\x7f" + NASTY, b"\x1b[2J"), NOW).isprintable()


@given(strategies.topics.flatmap(lambda topic: strategies.MESSAGES[topic.body].map(lambda body: (topic, body))))
def test_screen_any_message_is_shown_in_printable_lines(pair: tuple[Topic, Message]) -> None:
    """Whatever a peer sends, each line is one line of printable text."""
    topic, message = pair
    for line in Screen().lines(came(topic, message), NOW):
        assert click.unstyle(line).isprintable()
    assert as_json(came(topic, message), NOW).isprintable()


def test_screen_uses_local_time_of_arrival() -> None:
    """The clock on the line is the reader's own."""
    beat = Heartbeat(epoch=7, seq=3, at=NOW, plcs={})
    (line,) = Screen().lines(came(HeartbeatTopic(site="arava-1"), beat), NOW + timedelta(hours=2))
    assert line.startswith("14:00:00")


@pytest.mark.parametrize(
    ("value", "text"), [(None, "-"), (True, "true"), (12.3456789, "12.34568"), (5, "5 g"), ("a", '"a"')]
)
def test_shown_value_is_short_and_plain(value: object, text: str) -> None:
    """Values look as a person would write them."""
    assert shown(value, "g" if value == 5 else None) == text  # type: ignore[arg-type]  # any value of the row


def test_printable_keeps_ordinary_text() -> None:
    """Letters of every language stay as they are."""
    assert printable("Wasser 21 °C, ערבה") == "Wasser 21 °C, ערבה"
