"""What limits allow after some doses: the rule that site and centre share."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.protocol.allowance import WINDOW_S, Allowance, Breach, Given, allowance, counted_of, remembered_s
from gateway.protocol.description import Limit
from gateway.protocol.lifecycle import State
from gateway.protocol.messages import Value

LIMITS = {Limit.LARGEST: 300.0, Limit.LEAST_GAP_S: 60.0, Limit.MOST_PER_DAY: 1_000.0}
_DOSES = st.lists(st.builds(Given, st.floats(0, 500), st.floats(0, 2 * WINDOW_S)), max_size=10)


def test_doses_of_the_window_are_used_up_and_older_ones_are_not() -> None:
    """It is open at its far end: a dose leaves it when it is exactly so old."""
    found = allowance(LIMITS, [Given(100, 10), Given(200, WINDOW_S - 1), Given(400, WINDOW_S)])
    assert (found.used, found.left, found.last_s, found.wait_s) == (300, 700, 10, 50)


def test_nothing_given_leaves_everything() -> None:
    """And nothing is to be waited for."""
    found = allowance(LIMITS, [])
    assert (found.used, found.left, found.last_s, found.wait_s) == (0, 1_000, None, 0)


def test_more_given_than_allowed_leaves_nothing() -> None:
    """The limit was lowered meanwhile: what is left is never below nothing."""
    assert allowance(LIMITS, [Given(2_000, 100)]).left == 0


def test_without_limits_there_is_nothing_to_say() -> None:
    """Nor anything to break."""
    found = allowance({}, [Given(2_000, 1)])
    assert found == Allowance(None, None, None, 2_000, 1)
    assert (found.left, found.wait_s, found.breach(10_000)) == (None, 0, None)


@given(_DOSES, st.floats(0, 600))
def test_what_is_left_may_be_given_and_no_more(doses: list[Given], amount: float) -> None:
    """What is told to a person and what refuses a dose are one rule."""
    found = allowance(LIMITS, doses)
    assert found.left is not None
    allowed = amount <= LIMITS[Limit.LARGEST] and found.wait_s <= 0 and found.used + amount <= 1_000
    assert (found.breach(amount) is None) == allowed
    if amount < found.left - 1e-6:
        breach = found.breach(amount)
        assert breach is None or breach.limit is not Limit.MOST_PER_DAY


@pytest.mark.parametrize(
    ("doses", "amount", "expected"),
    [
        ([], 301, Breach(Limit.LARGEST, 300, 301, 301)),
        ([Given(10, 59)], 5, Breach(Limit.LEAST_GAP_S, 60, 59, 5)),
        ([Given(990, 60)], 11, Breach(Limit.MOST_PER_DAY, 1_000, 990, 11)),
        ([Given(990, 60)], 10, None),
    ],
)
def test_breach_names_the_first_limit_with_its_live_value(
    doses: list[Given], amount: float, expected: Breach | None
) -> None:
    """Largest, then gap, then day."""
    assert allowance(LIMITS, doses).breach(amount) == expected


@pytest.mark.parametrize(
    ("state", "result", "counted"),
    [
        (State.PENDING, {}, None),
        (State.ACCEPTED, {}, None),
        (State.UNKNOWN, {"grams_counted": 20}, None),
        (State.APPLIED, {"grams_asked": 50, "grams_counted": 48}, 48),
        (State.PARTIAL, {"grams_counted": 0}, 0),
        (State.APPLIED, {"grams_counted": None}, None),
        (State.APPLIED, {}, None),
        (State.REJECTED, {}, 0),
        (State.EXPIRED, {}, 0),
        (State.FAILED, {"grams_counted": 20}, 0),
    ],
)
def test_dose_counts_by_what_is_known_of_its_end(
    state: State, result: dict[str, Value | None], counted: float | None
) -> None:
    """None: in full."""
    assert counted_of(state, result) == counted


def test_doses_are_remembered_for_as_long_as_they_count() -> None:
    """A gap may be longer than a day."""
    assert remembered_s(LIMITS) == WINDOW_S
    assert remembered_s({Limit.LEAST_GAP_S: 3 * WINDOW_S}) == 3 * WINDOW_S
