"""When an alarm is raised and when it is over: threshold, hysteresis, delay."""

from __future__ import annotations

import pytest

from gateway.protocol.description import Comparison
from gateway.protocol.messages import Value
from site_agent.alarm_tables import AlarmTable
from site_agent.condition import Condition


def _low(**parts: object) -> AlarmTable:
    fields: dict[str, object] = {"property": "hopper_kg", "comparison": Comparison.BELOW, "value": 2.0, **parts}
    return AlarmTable.model_validate(fields)


def _after(condition: Condition, *steps: tuple[float, Value | None]) -> list[bool]:
    """Whether it is active after each of the (time, value) steps."""
    states = []
    for now_s, value in steps:
        condition.see(value, now_s)
        condition.turn(now_s)
        states.append(condition.active)
    return states


def test_condition_without_delay_turns_at_once() -> None:
    """Raised below the threshold, cleared at it."""
    assert _after(Condition(_low(), active=False), (0, 3.0), (1, 1.9), (2, 2.0)) == [False, True, False]


def test_condition_with_delay_is_raised_when_it_has_lasted() -> None:
    """And a value that came back in between starts anew."""
    steps = ((0, 1.0), (9, 1.0), (9.5, 3.0), (10, 1.0), (19, 1.0), (20, 1.0))
    assert _after(Condition(_low(delay_s=10), active=False), *steps) == [False] * 5 + [True]


def test_condition_with_hysteresis_is_not_cleared_within_the_band() -> None:
    """A value that trembles around the threshold raises one alarm, not many."""
    steps = ((0, 1.9), (1, 2.1), (2, 1.9), (3, 2.49), (4, 2.5), (5, 2.1))
    states = _after(Condition(_low(hysteresis=0.5), active=False), *steps)
    assert states == [True, True, True, True, False, False]


def test_condition_above_with_hysteresis_mirrors_below() -> None:
    """It is cleared once the value is lower by the hysteresis."""
    table = _low(comparison=Comparison.ABOVE, hysteresis=0.5)
    assert _after(Condition(table, active=False), (0, 2.1), (1, 1.6), (2, 1.5)) == [True, True, False]


def test_condition_with_clear_delay_is_over_when_the_value_has_been_back_for_long() -> None:
    """A short return clears nothing."""
    steps = ((0, 1.0), (1, 3.0), (5, 3.0), (6, 3.0))
    assert _after(Condition(_low(clear_delay_s=5), active=False), *steps) == [True, True, True, False]


def test_condition_of_an_unreadable_value_stays() -> None:
    """What cannot be read neither raises nor clears; that time does not count, and what lasted before it does."""
    steps: tuple[tuple[float, Value | None], ...] = ((0, 1.0), (4, None), (30, None), (31, 1.0), (36, 1.0), (37, 1.0))
    condition = Condition(_low(delay_s=10), active=False)
    assert _after(condition, *steps) == [False, False, False, False, False, True]
    assert _after(condition, (50, None), (90, None)) == [True, True]


@pytest.mark.parametrize(("value", "live"), [(True, True), ("jammed", "jammed"), (3, 3)])
def test_condition_equals_holds_for_the_same_value(value: Value, live: Value) -> None:
    """Of any kind."""
    table = AlarmTable.model_validate({"property": "state", "value": value})
    assert _after(Condition(table, active=False), (0, live)) == [True]


def test_condition_active_from_a_former_run_is_not_raised_again() -> None:
    """It only turns when the value says something else."""
    condition = Condition(_low(), active=True)
    condition.see(1.0, 0)
    assert not condition.turn(0)
