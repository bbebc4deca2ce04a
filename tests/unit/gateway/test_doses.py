"""What became of a dose: of what was asked, counted, and known or not known to have fallen."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from gateway.doses import Doses, dose_of
from gateway.protocol.lifecycle import State
from tests.fake_parts import DESCRIPTION


def _dose(state: State, **result: int) -> Doses:
    row: Any = SimpleNamespace(name="feed", state=state.value, input='{"grams": 50}', result=json.dumps(result))
    found = dose_of(row, DESCRIPTION)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("state", "result", "expected"),
    [
        pytest.param(State.APPLIED, {"grams_counted": 53}, Doses(1, 50, counted_g=53), id="whole, and a little more"),
        pytest.param(State.APPLIED, {}, Doses(1, 50, unknown_g=50), id="done, and nobody counted"),
        pytest.param(State.PARTIAL, {"grams_counted": 20}, Doses(1, 50, counted_g=20, short_g=30), id="short"),
        pytest.param(State.FAILED, {}, Doses(1, 50, short_g=50), id="nothing fell"),
        pytest.param(State.UNKNOWN, {}, Doses(1, 50, unknown_g=50), id="nobody knows"),
        pytest.param(
            State.UNKNOWN, {"grams_counted": 20}, Doses(1, 50, counted_g=20, unknown_g=30), id="the rest is not known"
        ),
        pytest.param(State.PENDING, {}, Doses(1, 50, unknown_g=50), id="under way"),
        pytest.param(State.REJECTED, {}, Doses(1, refused_g=50), id="refused"),
        pytest.param(State.EXPIRED, {}, Doses(1, refused_g=50), id="too late"),
    ],
)
def test_dose_is_told_by_its_state_and_what_was_counted(state: State, result: dict[str, int], expected: Doses) -> None:
    """Of what was asked, all is counted, short, or unknown."""
    assert _dose(state, **result) == expected


def test_dose_that_gave_too_much_makes_up_for_no_other_one() -> None:
    """Fish that were given twice today do not feed those that were given nothing."""
    both = _dose(State.APPLIED, grams_counted=100) + _dose(State.FAILED)
    assert (both.counted_g, both.short_g) == (100, 50)
