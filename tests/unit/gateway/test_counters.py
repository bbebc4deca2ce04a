"""How far a counter rose in each of two stretches of a hundred seconds, from its values over time."""

from __future__ import annotations

import pytest

from gateway.counters import Rise, Step, begun, rises

WRAP = 2.0**32


def _rises(*steps: Step, now_us: int = 1_000) -> list[Rise | None]:
    return list(rises(steps, [(0, 100), (100, 200)], near_us=10, now_us=now_us))


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        pytest.param([(-5, 100.0), (5, 130.0), (150, 150.0)], [30.0, 20.0], id="each its own"),
        pytest.param([(5, 130.0), (80, 140.0)], [10.0, None], id="nothing before: from the first value on"),
        pytest.param([(-5, 100.0)], [None, None], id="not read"),
        pytest.param([(-5, 100.0), (5, 100.0)], [0.0, None], id="read, and it stood still"),
        pytest.param([(-5, 100.0), (5, 30.0), (80, 50.0)], [50.0, None], id="began anew at 0"),
        pytest.param([(-5, WRAP - 10), (5, 15.0)], [25.0, None], id="wrapped"),
        pytest.param([(-5, 100.0), (150, 180.0)], [None, 80.0], id="a gap: where it was seen"),
    ],
)
def test_rise_of_a_counter_counts_where_it_was_seen(steps: list[Step], expected: list[float | None]) -> None:
    """Between two values it belongs to the second one."""
    assert [None if each is None else each.amount for each in _rises(*steps)] == expected


@pytest.mark.parametrize(
    ("steps", "whole"),
    [
        pytest.param([(-5, 1.0), (95, 2.0), (195, 3.0)], [True, True], id="read near every end"),
        pytest.param([(5, 1.0), (95, 2.0), (195, 3.0)], [False, True], id="nothing before"),
        pytest.param([(-50, 1.0), (50, 2.0), (95, 3.0), (195, 3.0)], [False, True], id="not near its beginning"),
        pytest.param([(-50, 1.0), (50, 1.0), (95, 3.0), (195, 3.0)], [True, True], id="unmoved over its beginning"),
        pytest.param(
            [(-5, 1.0), (50, 2.0), (150, 3.0), (195, 3.0)], [False, False], id="not near the midnight between"
        ),
        pytest.param(
            [(-5, 1.0), (50, 2.0), (150, 2.0), (195, 3.0)], [True, True], id="unmoved over the midnight between"
        ),
        pytest.param([(0, 1.0), (100, 2.0), (200, 3.0)], [True, True], id="read at every end"),
        pytest.param([(-5, 5.0), (50, 2.0), (95, 3.0), (195, 3.0)], [False, True], id="began anew"),
        pytest.param([(-5, WRAP - 5), (50, 2.0), (95, 3.0), (195, 3.0)], [True, True], id="wrapped"),
    ],
)
def test_rise_is_whole_only_if_both_its_ends_are_known(steps: list[Step], whole: list[bool]) -> None:
    """Otherwise something may be missing from it, or be of another day: a meal that fell would look missed."""
    assert [each is not None and each.whole for each in _rises(*steps)] == whole


def test_rise_until_now_is_whole_if_the_counter_was_just_read() -> None:
    """The stretch is not over, and what is to come is in nobody's sum."""
    assert _rises((-5, 1.0), (45, 4.0), now_us=50)[0] == Rise(3.0, whole=True)
    assert _rises((-5, 1.0), (45, 4.0), now_us=60)[0] == Rise(3.0, whole=False)


@pytest.mark.parametrize(
    ("lasts", "steps"),
    [
        pytest.param([], [], id="never read"),
        pytest.param([(10, 60.0, 0.0), (30, 90.0, 60.0)], [(9, 0.0), (10, 60.0), (30, 90.0)], id="rose at once"),
        pytest.param([(10, 60.0, 60.0), (30, 90.0, 70.0)], [(10, 60.0), (30, 90.0)], id="stood still at first"),
        pytest.param([(10, 60.0, None)], [(10, 60.0)], id="no least value"),
    ],
)
def test_steps_begin_where_the_counter_stood_when_it_was_first_read(
    lasts: list[tuple[int, float, float | None]], steps: list[Step]
) -> None:
    """What it rose in the first quarter of an hour ever is not lost, though only the last value of that is known."""
    assert list(begun(lasts)) == steps
