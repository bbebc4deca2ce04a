from __future__ import annotations

from itertools import product

import pytest

from gateway.protocol.errors import IllegalStep
from gateway.protocol.lifecycle import FINAL, MEANING, STEPS, State, diagram, path, sources

each_state = pytest.mark.parametrize("state", State)
each_pair = pytest.mark.parametrize(("before", "after"), list(product(State, State)))


@each_state
def test_state_has_its_row_and_its_meaning(state: State) -> None:
    """The table is whole: steps and one plain sentence per state."""
    assert state in STEPS
    assert MEANING[state]


@pytest.mark.invariant("I6")
@pytest.mark.parametrize("state", sorted(FINAL))
def test_final_state_has_no_step(state: State) -> None:
    """A final state never changes: there is no step, and no way to any other state."""
    assert not STEPS[state]
    assert state.final
    for after in set(State) - {state}:
        with pytest.raises(IllegalStep):
            path(state, after)


def test_final_states_are_those_of_the_contract() -> None:
    """Pending, accepted and unknown wait for evidence; everything else is an end."""
    assert {State.PENDING, State.ACCEPTED, State.UNKNOWN} == set(State) - FINAL


@pytest.mark.invariant("I6")
@each_state
def test_pending_is_never_come_back_to(state: State) -> None:
    """States only move forward: nothing leads back to the start."""
    assert State.PENDING not in STEPS[state]


@pytest.mark.invariant("I6")
@each_pair
def test_path_walks_only_legal_steps(before: State, after: State) -> None:
    """Each step of a path is in the table, and the last one arrives."""
    try:
        steps = path(before, after)
    except IllegalStep:
        return
    here = before
    for step in steps:
        assert step in STEPS[here]
        here = step
    assert here is after


@pytest.mark.invariant("I6")
@each_pair
def test_path_exists_exactly_from_the_sources(before: State, after: State) -> None:
    """The ledger's compare-and-set guard and the path never disagree."""
    try:
        reachable = bool(path(before, after))
    except IllegalStep:
        reachable = False
    assert reachable == (before in sources(after))


def test_path_to_an_outcome_goes_by_way_of_accepted() -> None:
    """An agent quick enough to report only the outcome had accepted the command all the same."""
    assert path(State.PENDING, State.APPLIED) == (State.ACCEPTED, State.APPLIED)


@each_state
def test_path_to_itself_is_empty(state: State) -> None:
    """A repeated report changes nothing."""
    assert path(state, state) == ()


@pytest.mark.parametrize("after", [State.REJECTED, State.EXPIRED])
def test_accepted_command_is_never_refused(after: State) -> None:
    """Rejected and expired mean that nothing was written, so nothing accepted can become either."""
    with pytest.raises(IllegalStep):
        path(State.ACCEPTED, after)


@pytest.mark.parametrize("after", sorted(FINAL))
def test_unknown_can_still_become_any_final_state(after: State) -> None:
    """Evidence may come late, and it may say anything."""
    assert path(State.UNKNOWN, after) == (after,)


def test_illegal_step_names_both_states() -> None:
    """The error says what was tried."""
    with pytest.raises(IllegalStep, match="from applied to failed"):
        path(State.APPLIED, State.FAILED)


def test_diagram_draws_every_step() -> None:
    """The picture in the documentation is the table."""
    drawn = {line.strip() for line in diagram().splitlines()}
    assert {f"{state} --> {step}" for state in State for step in STEPS[state]} <= drawn
    assert {f"{state} --> [*]" for state in FINAL} <= drawn
