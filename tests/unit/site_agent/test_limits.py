"""The limits of doses: no order of times and corrections gets past them."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.protocol.allowance import WINDOW_S
from gateway.protocol.description import Limit
from site_agent.clock import Stamp, age_s
from site_agent.limits import Doses

_MOST = 1_000.0
_LIMITS = {Limit.LARGEST: 300.0, Limit.LEAST_GAP_S: 60.0, Limit.MOST_PER_DAY: _MOST}
_STEPS = st.lists(
    st.tuples(
        st.floats(0, WINDOW_S / 3),  # how long after the one before
        st.integers(1, 400),  # grams asked
        st.one_of(st.none(), st.floats(0, 1)),  # the share that was counted; None: not known
        st.integers(0, 5),  # how many doses later it is known
    ),
    max_size=60,
)


def _at(elapsed_s: float, *, boot: str = "a", unix_s: float = 0.0) -> Stamp:
    return Stamp(boot=boot, elapsed_s=elapsed_s, unix_s=unix_s)


@given(_STEPS)
def test_doses_in_any_order_of_corrections_never_break_a_limit_in_any_window(
    steps: list[tuple[float, int, float | None, int]],
) -> None:
    """What was really given in any 24 hours is within the limit, and no two doses are closer than the gap."""
    doses = Doses()
    given_g: list[tuple[float, float]] = []
    later: list[tuple[int, str, float]] = []
    now_s = 0.0
    for number, (wait_s, grams, share, delay) in enumerate(steps):
        now_s += wait_s
        for due, id, counted in list(later):
            if due <= number:
                doses.correct(id, counted)
                later.remove((due, id, counted))
        if doses.check("feeder-1", "feed", _LIMITS, grams, _at(now_s)) is None:
            doses.note("feeder-1", "feed", str(number), grams, _at(now_s))
            counted = grams * (1.0 if share is None else share)
            if counted:
                given_g.append((now_s, counted))
            if share is not None:
                later.append((number + delay, str(number), counted))
    for start_s, _ in given_g:
        assert sum(grams for at_s, grams in given_g if start_s <= at_s < start_s + WINDOW_S) <= _MOST + 1e-6
    times = [at_s for at_s, _ in given_g]
    assert all(after - before >= 60.0 for before, after in pairwise(times))


def test_check_with_an_unresolved_dose_counts_it_in_full() -> None:
    """Not knowing is no reason to give more."""
    doses = Doses()
    doses.note("feeder-1", "feed", "1", 900, _at(0))
    breach = doses.check("feeder-1", "feed", _LIMITS, 200, _at(3_600))
    assert breach is not None
    assert (breach.limit, breach.allowed, breach.live, breach.asked) == (Limit.MOST_PER_DAY, _MOST, 900, 200)


def test_check_after_a_dose_proved_void_counts_it_for_nothing() -> None:
    """A dose that never was holds up neither the gap nor the day."""
    doses = Doses()
    doses.note("feeder-1", "feed", "1", 1_000, _at(0))
    doses.correct("1", 0)
    assert doses.check("feeder-1", "feed", _LIMITS, 300, _at(1)) is None


@pytest.mark.fault("F35")
def test_age_with_a_wall_clock_set_back_across_boots_is_never_negative() -> None:
    """Then the dose looks new: the safe side."""
    assert age_s(_at(5, unix_s=1_000), _at(1, boot="b", unix_s=400)) == 0
    assert age_s(_at(5, unix_s=1_000), _at(9, unix_s=400)) == 4
