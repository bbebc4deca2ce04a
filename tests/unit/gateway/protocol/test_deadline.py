from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.protocol.deadline import age_bound_s, remaining_s

span_s = st.floats(0, 86_400)
#: What two clocks that know nothing of each other may show at the same moment: anything.
zero_s = st.floats(-1e9, 1e9)
ROUNDING_S = 1e-5


@pytest.mark.invariant("I2")
@given(agent_zero_s=zero_s, facade_zero_s=zero_s, sent=span_s, transit=span_s, held=span_s, travel=span_s, less=span_s)
def test_age_bound_is_never_below_the_true_age(
    agent_zero_s: float, facade_zero_s: float, sent: float, transit: float, held: float, travel: float, less: float
) -> None:
    """However far apart the clocks and however slow the network, a command never looks younger than it is.

    True times: beat sent, received, command issued, command arrived. Agent and facade each read their own clock.
    """
    received = sent + transit
    issued = received + held
    arrived = issued + travel
    age_s = max(0.0, (facade_zero_s + issued) - (facade_zero_s + received) - less)
    bound = age_bound_s(now_s=agent_zero_s + arrived, beat_sent_s=agent_zero_s + sent, age_s=age_s)
    assert bound >= (arrived - issued) - ROUNDING_S


@pytest.mark.invariant("I2")
@given(now_s=zero_s, beat_sent_s=zero_s, age_s=span_s, more_s=span_s)
def test_age_bound_grows_with_an_under_estimate(now_s: float, beat_sent_s: float, age_s: float, more_s: float) -> None:
    """To claim less age for the beat can only make the command older: it errs to the safe side."""
    bold = age_bound_s(now_s=now_s, beat_sent_s=beat_sent_s, age_s=age_s + more_s)
    careful = age_bound_s(now_s=now_s, beat_sent_s=beat_sent_s, age_s=age_s)
    assert careful >= bold


def test_age_bound_is_exact_without_delay() -> None:
    """When the beat arrives at once the bound is the true age."""
    assert age_bound_s(now_s=107.0, beat_sent_s=100.0, age_s=4.0) == 3.0


def test_age_bound_is_never_negative() -> None:
    """A requester that claims an older beat than there is gains nothing but the present."""
    assert age_bound_s(now_s=100.0, beat_sent_s=100.0, age_s=50.0) == 0.0


@pytest.mark.invariant("I2")
@given(ttl_s=st.floats(0, 300), over_s=st.floats(0, 300))
def test_remaining_past_the_deadline_is_nothing(ttl_s: float, over_s: float) -> None:
    """At its deadline and after it a command has no time left."""
    assert remaining_s(ttl_s=ttl_s, age_s=ttl_s + over_s) <= 0


def test_remaining_of_no_time_is_nothing() -> None:
    """A command with no time to live can only be asked about, never done."""
    assert remaining_s(ttl_s=0, age_s=0) <= 0
