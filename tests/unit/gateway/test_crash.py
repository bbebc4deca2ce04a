"""Points at which a process can be told to die."""

from __future__ import annotations

import pytest

from gateway.crash import EXIT_CODE, STEPS, VARIABLE, armed


@pytest.mark.parametrize(("value", "dies_at"), [("gateway-told", 1), ("gateway-told:", 1), ("gateway-told:3", 3)])
def test_point_dies_at_its_step_the_nth_time(value: str, dies_at: int) -> None:
    """Other steps do not count."""
    died: list[int] = []
    point = armed({VARIABLE: value}, died.append)
    for _ in range(dies_at - 1):
        point("gateway-told")
        point("gateway-committed")
    assert died == []
    point("gateway-told")
    assert died == [EXIT_CODE]


@pytest.mark.parametrize("environment", [{}, {VARIABLE: ""}])
def test_point_without_the_variable_does_nothing(environment: dict[str, str]) -> None:
    """In production nothing dies here."""
    died: list[int] = []
    point = armed(environment, died.append)
    for step in STEPS:
        point(step)
    assert died == []


@pytest.mark.parametrize("value", ["gateway-tol", "gateway-told:x", "gateway-told:-1"])
def test_variable_that_names_no_step_or_number_is_refused(value: str) -> None:
    """A test with a slip of the pen must not pass since nothing died."""
    with pytest.raises(ValueError, match=VARIABLE):
        armed({VARIABLE: value})
