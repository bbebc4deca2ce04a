"""What waits between the broker's thread and the recorder's worker: bounded, and nobody waits for who says too much."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.broker import Incoming
from gateway.fair_queue import CAPACITY, OVERHEAD, FairQueue, sender_of
from gateway.protocol.topics import AckTopic, CommandTopic, HeartbeatTopic, HistoryTopic, HostAlarmTopic, Topic

EVERYTHING = 10**9


def _incoming(sender: str, number: int = 0, size: int = 8) -> Incoming:
    payload = number.to_bytes(8, "big").ljust(size, b"x")
    return Incoming(topic=f"tidegate/v1/{sender}/history", payload=payload, retained=False, received_s=0.0)


def _number(incoming: Incoming) -> int:
    return int.from_bytes(incoming.payload[:8], "big")


@pytest.mark.invariant("I15")
@pytest.mark.parametrize("size", [8, 256 * 1024])
def test_queue_is_bounded_whatever_the_size_of_messages(size: int) -> None:
    """Beyond the bound the newest is dropped and counted."""
    queue, fit = FairQueue(), CAPACITY // (size + OVERHEAD)
    for number in range(fit + 7):
        queue.put(_incoming("a", number, size))
    assert (len(queue), queue.shed()) == (fit, {"a": 7})
    assert [_number(each) for each in queue.take(EVERYTHING, EVERYTHING)] == list(range(fit))


@pytest.mark.invariant("I15")
def test_sender_that_floods_loses_its_own_messages_alone() -> None:
    """Also where the queue is full to the brim, and others come after."""
    queue = FairQueue(capacity=100 * (8 + OVERHEAD))
    for number in range(1_000):
        queue.put(_incoming("flood", number))
        if number % 50 == 0:
            queue.put(_incoming("quiet", number))
    assert queue.shed().keys() == {"flood"}
    taken = queue.take(EVERYTHING, EVERYTHING)
    assert len(taken) == 100
    assert sum("quiet" in each.topic for each in taken) == 20


@pytest.mark.invariant("I15")
def test_sender_that_floods_keeps_nobody_waiting() -> None:
    """Whoever comes last is in the next batch, however many of another's came before."""
    queue = FairQueue()
    for number in range(10_000):
        queue.put(_incoming("flood", number, 1_024))
    queue.put(_incoming("quiet"))
    assert any("quiet" in each.topic for each in queue.take(5_000, 64 * 1024))


def test_batch_is_bounded_in_bytes() -> None:
    """A little more than asked for at most: the last message may be a large one."""
    queue, size = FairQueue(), 4_096
    for number in range(1_000):
        queue.put(_incoming(f"site-{number % 7}", number, size))
    taken = queue.take(EVERYTHING, 100 * 1024)
    assert 100 * 1024 <= len(taken) * (size + OVERHEAD) <= 100 * 1024 + 16 * 1024 + size + OVERHEAD


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(8, 40_000)), max_size=60), st.integers(1, 9))
def test_everything_comes_out_once_and_each_senders_in_order(said: list[tuple[str, int]], most: int) -> None:
    """Whatever comes in, and in however small batches it is taken."""
    queue = FairQueue()
    for number, (sender, size) in enumerate(said):
        queue.put(_incoming(sender, number, size))
    taken: list[Incoming] = []
    while len(queue):
        batch = queue.take(most, 10_000)
        assert 1 <= len(batch) <= most
        taken += batch
    for sender in "abc":
        mine = [_number(each) for each in taken if sender_of(each.topic) == sender]
        assert mine == [number for number, (each, _) in enumerate(said) if each == sender]


@pytest.mark.parametrize(
    ("topic", "sender"),
    [
        (HeartbeatTopic("arava-1"), "arava-1"),
        (HistoryTopic("arava-1"), "arava-1"),
        (AckTopic("arava-1", "@ana", "01990000-0000-7000-8000-000000000001"), "arava-1"),
        (HostAlarmTopic("arava-1", "feeder-1", "meal-missed"), "@gateway"),
        # A technician who floods uses up no site's turn.
        (CommandTopic("arava-1", "@ana", "feeder-1", "write"), "@ana"),
    ],
    ids=str,
)
def test_sender_is_who_the_broker_let_speak_there(topic: Topic, sender: str) -> None:
    """By the level of the topic that rights go by."""
    assert sender_of(str(topic)) == sender


@given(st.text(max_size=80))
def test_any_topic_has_a_sender(topic: str) -> None:
    """What is none of ours waits like everything else, and is refused when it is read."""
    assert isinstance(sender_of(topic), str)
