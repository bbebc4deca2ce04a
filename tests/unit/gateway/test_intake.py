"""What messages mean for gates and tables."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import CapturingLogger

from gateway.broker import Incoming
from gateway.epochs import Epochs
from gateway.intake import BEAT_AGE_S, FLEETING, SUBSCRIPTIONS, Intake
from gateway.protocol.codec import encode
from gateway.protocol.messages import Command, Message, SiteState
from gateway.protocol.topics import AckTopic, CommandTopic, HeartbeatTopic, HistoryTopic, StatusTopic, Topic
from gateway.restraint import HISTORY_BYTES_AT_ONCE, HISTORY_BYTES_PER_S, WORDS_AT_ONCE, Restraint
from tests.entries import NOON, ack, heartbeat, new_id, status

SITE = "arava-1"


def _intake(*messages: tuple[Topic, Message | bytes], retained: bool = False, age_s: float = 0.0) -> Intake:
    intake = Intake(Epochs(), Restraint(), now=NOON, now_s=1_000.0)
    for topic, message in messages:
        payload = message if isinstance(message, bytes) else encode(message)
        intake.take(Incoming(topic=str(topic), payload=payload, retained=retained, received_s=1_000.0 - age_s))
    return intake


def test_beat_is_handed_on_as_it_came() -> None:
    """The bytes are those of the agent, unknown fields and all."""
    payload = encode(heartbeat())[:-1] + b',"later":1}'
    assert _intake((HeartbeatTopic(SITE), payload)).beats == [(SITE, payload)]


@pytest.mark.invariant("I4")
def test_retained_beat_is_ignored() -> None:
    """A stored beat is no sign of life."""
    assert _intake((HeartbeatTopic(SITE), heartbeat()), retained=True).beats == []


@pytest.mark.invariant("I4")
def test_beat_that_waited_too_long_here_is_ignored() -> None:
    """A queue of ours must not make an old beat look fresh (P58)."""
    assert _intake((HeartbeatTopic(SITE), heartbeat()), age_s=BEAT_AGE_S + 0.1).beats == []


def test_will_in_the_same_batch_takes_back_the_beats_before_it() -> None:
    """In one batch, order still counts."""
    intake = _intake(
        (HeartbeatTopic(SITE), heartbeat(epoch=3)),
        (StatusTopic(SITE), status(SiteState.OFFLINE, epoch=3)),
    )
    assert (intake.beats, intake.ended) == ([], {SITE: 3})


def test_beat_of_the_next_connection_after_a_will_stays() -> None:
    """The gate is closed for the old one, then opened for the new one."""
    intake = _intake(
        (StatusTopic(SITE), status(SiteState.OFFLINE, epoch=3)),
        (HeartbeatTopic(SITE), heartbeat(epoch=4)),
    )
    assert [site for site, _ in intake.beats] == [SITE]


def test_cleared_retained_topic_is_no_fault() -> None:
    """An empty body is how a retained topic is deleted."""
    assert _intake((StatusTopic(SITE), b"")).undecodable == 0


def test_command_of_a_facade_is_left_to_the_facade() -> None:
    """It wrote the row before it published."""
    topic = CommandTopic(SITE, "@facade-2", "feeder-1", "write")
    assert _intake((topic, Command(id=new_id(), input={"portion_g": 1}))).asked == []


@pytest.mark.parametrize(
    "topic",
    [
        CommandTopic(SITE, "@gateway", "feeder-1", "write"),
        CommandTopic(SITE, "@ana", "feeder-1", "cancel"),
    ],
)
def test_question_or_cancellation_is_no_command_of_its_own(topic: CommandTopic) -> None:
    """Both are about another command, whose row must stay as it is."""
    assert _intake((topic, Command(id=new_id(), input={}))).asked == []


def test_ack_to_the_gateway_is_about_no_command() -> None:
    """Nothing is asked in its own name."""
    said = ack()
    assert _intake((AckTopic(SITE, "@gateway", said.id), said)).answers == []


@pytest.mark.invariant("I14")
def test_command_of_a_technician_is_noted_with_the_sites_epoch_and_as_published() -> None:
    """It was on its way when we saw it; whether a journal can know it follows from the epoch."""
    topic = CommandTopic(SITE, "@ana", "feeder-1", "write")
    command = Command(id=new_id(), input={"portion_g": 1})
    intake = _intake((topic, command), (StatusTopic(SITE), status(epoch=7)), (topic, command))
    assert [(each.asked_epoch, each.published_at) for each in intake.asked] == [(None, NOON), (7, NOON)]


def test_user_whose_name_begins_like_a_facades_is_none() -> None:
    """Facades are @facade and @facade-…; anybody else's commands are recorded here."""
    topic = CommandTopic(SITE, "@facades", "feeder-1", "write")
    assert len(_intake((topic, Command(id=new_id(), input={"portion_g": 1}))).asked) == 1


def test_command_without_an_id_is_left_to_its_ack() -> None:
    """The agent gives it one."""
    topic = CommandTopic(SITE, "@ana", "feeder-1", "write")
    assert _intake((topic, Command(input={"portion_g": 1}))).asked == []


@pytest.mark.parametrize(("requester", "actor"), [("@facade", "dana"), ("@ana", None)])
def test_actor_is_believed_only_from_a_facade(requester: str, actor: str | None) -> None:
    """Anybody else speaks for itself alone."""
    said = ack(actor="dana")
    assert [each.ack.actor for each in _intake((AckTopic(SITE, requester, said.id), said)).answers] == [actor]


@given(topic=st.text(max_size=80), payload=st.binary(max_size=200))
def test_any_bytes_on_any_topic_raise_nothing(topic: str, payload: bytes) -> None:
    """Whatever comes is sorted in or counted."""
    intake = Intake(Epochs(), Restraint(), now=NOON, now_s=0.0)
    intake.take(Incoming(topic=topic, payload=payload, retained=False, received_s=0.0))
    assert intake.undecodable == 1


@given(
    topic=st.sampled_from([HeartbeatTopic(SITE), StatusTopic(SITE), AckTopic(SITE, "@ana", new_id())]),
    payload=st.binary(max_size=200),
)
def test_any_bytes_on_our_topics_raise_nothing(topic: Topic, payload: bytes) -> None:
    """Nothing but what decodes leaves a trace."""
    intake = _intake((topic, payload))
    assert (intake.beats, intake.answers, intake.statuses) == ([], [], [])


def test_subscriptions_name_each_topic_once() -> None:
    """Heartbeats come by QoS 0, all else by QoS 1."""
    assert set(SUBSCRIPTIONS) & set(FLEETING) == set()
    assert (HeartbeatTopic.filter(),) == FLEETING


def test_history_beyond_a_sites_share_is_left_to_come_again() -> None:
    """Of that site alone; a moment later there is room for it."""
    restraint, size = Restraint(), 64 * 1024
    batch = b'{"batch": "01990000-0000-7000-8000-000000000001"}'.ljust(size)

    def kept(site: str, now_s: float) -> int:
        intake = Intake(Epochs(), restraint, now=NOON, now_s=now_s)
        incoming = Incoming(topic=str(HistoryTopic(site)), payload=batch, retained=False, received_s=now_s)
        for _ in range(1_000):
            intake.take(incoming)
        return len(intake.histories)

    assert kept("flooder", 0.0) == HISTORY_BYTES_AT_ONCE // size
    assert kept(SITE, 0.0) == HISTORY_BYTES_AT_ONCE // size
    assert kept("flooder", 0.5) == HISTORY_BYTES_PER_S // 2 // size


def test_words_about_one_sender_are_few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is wrong with what it says, the log has room for others."""
    # Not captured by structlog's own way: a logger that was used before keeps its processors.
    words = CapturingLogger()
    monkeypatch.setattr("gateway.intake.log", words)
    restraint, other = Restraint(), AckTopic(SITE, "@ana", new_id())
    said: list[tuple[Topic, bytes]] = [(HeartbeatTopic(SITE), b"["), (other, encode(ack(id=new_id())))]
    for _ in range(100):
        intake = Intake(Epochs(), restraint, now=NOON, now_s=0.0)
        for topic, payload in (*said, (HeartbeatTopic("arava-2"), b"[")):
            intake.take(Incoming(topic=str(topic), payload=payload, retained=False, received_s=0.0))
    assert sum(SITE in str(each) for each in words.calls) == WORDS_AT_ONCE
    assert sum("arava-2" in str(each) for each in words.calls) == WORDS_AT_ONCE
