"""Whether the process was awake, and how old a message may be that was read just now."""

import pytest

from site_agent.attention import Attention


def _awake(until_s: float) -> Attention:
    attention = Attention(0.0)
    for tick in range(1, round(until_s * 4) + 1):
        attention.note(tick / 4)
    return attention


@pytest.mark.invariant("I2")
def test_attention_awake_message_came_since_the_last_note() -> None:
    """Nothing can have lain in the socket for longer than since the loop last ran."""
    assert _awake(10.0).received_s(10.2) == 10.0


@pytest.mark.invariant("I2")
def test_attention_message_read_before_the_sleep_is_noticed_is_as_old_as_the_sleep() -> None:
    """The socket may be read before the timer runs."""
    attention = _awake(10.0)
    assert attention.asleep(70.0)
    assert attention.received_s(70.0) == 10.0


@pytest.mark.invariant("I2")
def test_attention_message_read_after_the_sleep_is_noticed_is_as_old_as_the_sleep() -> None:
    """And the timer may run before the socket is read."""
    attention = _awake(10.0)
    assert attention.note(70.0) == 60.0
    assert attention.received_s(70.1) == 10.0


@pytest.mark.invariant("I2")
def test_attention_two_pauses_in_a_row_count_from_the_first() -> None:
    """The socket need not have been empty in between."""
    attention = _awake(10.0)
    attention.note(12.0)
    attention.note(14.0)
    assert attention.received_s(14.1) <= 12.0


def test_attention_a_second_after_a_pause_is_forgotten() -> None:
    """By then everything that waited has been read."""
    attention = _awake(10.0)
    for now_s in (15.0, 15.25, 15.5, 15.75, 16.0, 16.25):
        attention.note(now_s)
    assert attention.received_s(16.3) == 16.25


@pytest.mark.invariant("I2")
def test_attention_message_after_a_new_subscription_is_no_older_than_that() -> None:
    """What waited in the old socket is gone with it, so a command asked for after the wake keeps its whole time."""
    attention = _awake(10.0)
    attention.note(70.0)
    attention.subscribe(70.2)
    assert attention.received_s(70.4) == 70.2


@pytest.mark.invariant("I2")
def test_attention_sleep_after_a_subscription_counts_in_full() -> None:
    """The new socket fills during the next sleep as the old one did."""
    attention = _awake(10.0)
    attention.subscribe(10.1)
    assert attention.received_s(70.0) == 10.1
