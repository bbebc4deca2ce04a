from __future__ import annotations

from contextlib import suppress
from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.client import topic_matches_sub

from gateway.protocol.errors import DecodeError
from gateway.protocol.topics import (
    HOST,
    MAX_REPLY_TOPIC,
    ROOT,
    TOPICS,
    AckTopic,
    AlarmTopic,
    CommandTopic,
    HeartbeatTopic,
    HostAlarmTopic,
    HostStatusTopic,
    StatusTopic,
    Topic,
    parse,
    reply_topic,
)
from tests import strategies

each_topic = pytest.mark.parametrize("cls", TOPICS, ids=lambda cls: cls.__name__)
UUID_TEXT = "0193544a-0000-7000-8000-000000000000"
ACK = AckTopic(site="arava-1", requester="@ana", id=UUID_TEXT)
HOME = f"{ROOT}/arava-1/acks/@ana"
BAD_LEVELS = ["", "+", "#", "$SYS", "..", "A", "ä", "🐟", "a b", "arava-1\n", "a\x00", "-a", "a" * 65]


@each_topic
@given(data=st.data())
def test_topic_built_and_parsed_is_itself(cls: type[Topic], data: st.DataObject) -> None:
    """Every topic reads back as the topic that built it, and as no other."""
    topic = data.draw(strategies.TOPICS[cls])
    assert parse(str(topic)) == topic


@given(st.text() | st.text("tidegate/v1+#$@-_0a/"))
def test_parse_any_text_raises_nothing_but_decode_error(text: str) -> None:
    """No string whatsoever raises anything else."""
    for topic in (text, f"{ROOT}/{text}", f"{ROOT}/a/{text}", f"{ROOT}/a/devices/{text}/state"):
        with suppress(DecodeError):
            assert str(parse(topic)) == topic


@each_topic
@given(bad=st.sampled_from(BAD_LEVELS), data=st.data())
def test_parse_bad_level_is_refused(cls: type[Topic], bad: str, data: st.DataObject) -> None:
    """A wildcard, slash, newline, capital or empty level makes no topic, wherever it stands."""
    levels = str(data.draw(strategies.TOPICS[cls])).split("/")
    levels[data.draw(st.integers(0, len(levels) - 1))] = bad
    with pytest.raises(DecodeError):
        parse("/".join(levels))


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "/",
        ROOT,
        ROOT + "/",
        "$SYS/broker/uptime",
        "/" + str(ACK),
        str(ACK) + "/",
        str(ACK) + "\n",
        str(ACK).replace("v1", "v2"),
        str(ACK).upper(),
        HOME,
        ROOT + "/#",
        ROOT + "/a" * 300,
    ],
    ids=ascii,
)
def test_parse_foreign_topic_is_refused(topic: str) -> None:
    """What is not exactly one of our topics is none."""
    with pytest.raises(DecodeError):
        parse(topic)


def test_parse_host_status_is_not_a_site() -> None:
    """The gateway's own status is read as such, since no site's name starts with `@`."""
    assert parse(f"{ROOT}/{HOST}/status") == HostStatusTopic()


@given(strategies.topics)
def test_filter_matches_every_topic_of_its_class(topic: Topic) -> None:
    """A subscription without named levels sees all topics of its row, by the client library's own rule."""
    assert topic_matches_sub(type(topic).filter(), str(topic))


@given(strategies.topics, strategies.topics)
def test_filter_matches_no_topic_of_another_class(topic: Topic, other: Topic) -> None:
    """Rows do not overlap; only the host's status lies beneath the sites' status."""
    if type(topic) is type(other) or (type(topic), type(other)) == (StatusTopic, HostStatusTopic):
        return
    assert not topic_matches_sub(type(topic).filter(), str(other))


def test_filter_with_named_level_matches_only_it() -> None:
    """A named level is kept, the others are wildcards."""
    assert CommandTopic.filter(site="arava-1") == f"{ROOT}/arava-1/commands/+/+/+"


def test_filter_unknown_level_is_a_type_error() -> None:
    """A slip of the pen in our own code is found at once."""
    with pytest.raises(TypeError, match="plc"):
        HeartbeatTopic.filter(plc="plc-1")


def test_retained_topics_are_states_only() -> None:
    """What says how things are is retained; what happens once (beats, commands, acks) never is."""
    retained = {cls.pattern for cls in TOPICS if cls.retain}
    alarms = {AlarmTopic.pattern, HostAlarmTopic.pattern}
    assert {pattern.rsplit("/", 1)[-1] for pattern in retained - alarms} == {"status", "description", "state"}
    assert alarms < retained


def test_topics_are_sent_at_least_once() -> None:
    """QoS 1 everywhere: QoS 2 promises nothing past the client library."""
    assert {cls.qos for cls in TOPICS} == {1}


@pytest.mark.parametrize("asked", [HOME, f"{HOME}/{UUID_TEXT}", f"{HOME}/terminal-7"])
def test_reply_topic_at_or_below_the_requesters_acks_is_honoured(asked: str) -> None:
    """mosquitto_rr's own reply topic works as long as it stays the requester's."""
    assert reply_topic(asked, ACK) == asked


@pytest.mark.parametrize(
    "asked",
    [
        None,
        "",
        f"{HOME}x",
        f"{ROOT}/arava-1/acks/@anabel",
        f"{ROOT}/arava-1/acks/@ben/1",
        f"{ROOT}/arava-2/acks/@ana/1",
        f"{ROOT}/arava-1/commands/@ana/feeder-1/write",
        f"{HOME}/+",
        f"{HOME}/#",
        f"{HOME}/a\x00b",
        f"{HOME}/a\nb",
        f"{HOME}/\u202e",
        f"{HOME}/" + "a" * MAX_REPLY_TOPIC,
        "$SYS/broker",
    ],
    ids=ascii,
)
def test_reply_topic_elsewhere_is_ignored(asked: str | None) -> None:
    """A response topic of somebody else, or one that no broker takes, falls back to the command's own ack topic."""
    assert reply_topic(asked, ACK) == str(ACK)


@pytest.mark.invariant("I13")
@given(st.text() | st.text("@ana/+#").map(lambda tail: HOME + tail))
def test_reply_topic_never_leaves_the_requesters_acks(asked: str) -> None:
    """Whatever is asked, an answer stays below the requester's own acks at this site."""
    chosen = reply_topic(asked, ACK)
    assert chosen == HOME or chosen.startswith(HOME + "/")
    assert "+" not in chosen
    assert "#" not in chosen


#: Who sends what: the block of the ACL template that grants it.
BLOCKS = {"agent": ["once"], "gateway": ["gateway"], "requester": ["facade", "commands"]}


@pytest.mark.invariant("I13")
@each_topic
def test_acl_template_grants_the_sender_of_each_topic(cls: type[Topic]) -> None:
    """The broker's ACL lets whoever sends a topic write it, and only below the sender's own name."""
    blocks = Path("mosquitto/acl.in").read_text().split("#= ")
    own = {"once": ("%u", "arava-1"), "gateway": ("${name}", HOST), "facade": ("${name}", "@ana")}
    own["commands"] = own["facade"]
    levels = {"site": "arava-1", "device": "feeder-1", "name": "write", "requester": "@ana", "id": UUID_TEXT}
    topic = str(cls(**{level.name: levels[level.name] for level in fields(cls)}))
    for wanted in BLOCKS[cls.sender]:
        (block,) = (each for each in blocks if each.startswith(wanted + "\n"))
        rights = [line.split() for line in block.splitlines() if line.startswith(("pattern", "topic"))]
        granted = [
            right[2].replace(*own[wanted]).replace("${site}", "arava-1")
            for right in rights
            if right[1] in {"write", "readwrite"}
        ]
        assert any(topic_matches_sub(each, topic) for each in granted), f"{wanted} may not write {cls.pattern}"
