"""The checker catches what it should: each good history passes, each way to spoil one is seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.protocol.lifecycle import State
from tests.faults.checker import check
from tests.faults.history import (
    Acked,
    Beat,
    Bounds,
    Call,
    Delivered,
    Effect,
    Energised,
    GateSeen,
    History,
    Published,
    Row,
    Shown,
    Thing,
)
from tests.faults.verdict import INVARIANTS, Kind

SITE: Final = "arava-1"
FEED: Final[Thing] = (SITE, "feeder-1", "feed")
PORTION: Final[Thing] = (SITE, "feeder-1", "portion_g")
BOUNDS: Final = Bounds(alive_expiry_s=3, in_flight_s=1, answer_s=10, watchdog_s=60)
Parts = dict[str, tuple[Any, ...]]

_PATHS: Final[dict[State, tuple[str, ...]]] = {
    State.APPLIED: ("pending", "published", "accepted", "written", "verified", "applied"),
    State.PARTIAL: ("pending", "published", "accepted", "written", "partial"),
    State.FAILED: ("pending", "published", "accepted", "written", "failed"),
    State.REJECTED: ("pending", "published", "rejected"),
    State.EXPIRED: ("pending", "published", "unknown", "expired"),
    State.UNKNOWN: ("pending", "published", "accepted", "unknown"),
}
_STATUS: Final = {
    State.APPLIED: 200,
    State.PARTIAL: 200,
    State.FAILED: 502,
    State.REJECTED: 422,
    State.EXPIRED: 504,
    State.UNKNOWN: 202,
}
_CODE: Final = {State.FAILED: "not-written", State.REJECTED: "limit-exceeded"}


def story(number: int, thing: Thing, state: State, *, acts: bool) -> Parts:
    """Everything that is seen of one command, the ``number``-th."""
    at, id, dose = 10.0 * number, f"c{number}", thing[2] == "feed"
    value, key = 100 + number, f"k{number}" if dose else None
    final = {"acks": (Acked(at=at + 2, site=thing[0], id=id, state=state, code=_CODE.get(state, str(state))),)}
    told = {"status": _STATUS[state], "code": _CODE.get(state), "state": str(state), "command": id}
    counted = value if acts and dose else None
    return {
        "calls": (Call(at=at, answered_at=at + 2.1, thing=thing, value=value, key=key, **told),),  # type: ignore[arg-type]  # words of an answer
        "published": (
            Published(
                at=at + 0.1,
                id=id,
                thing=thing,
                value=value,
                requester="@facade",
                ttl_s=5,
                beat=(7, number),
                order=("b" * 8, number),
            ),
        ),
        **(final if state.final else {}),
        "beats": (Beat(at=at - 0.5, site=thing[0], epoch=7, seq=number),),
        "gate": (GateSeen(at=at, site=thing[0], epoch=7 + number),),
        "rows": (
            Row(
                id=id,
                thing=thing,
                value=value,
                state=state,
                code=_CODE.get(state),
                actor="web",
                key=key,
                issued_at=at,
                ttl_s=5,
                counted=counted,
                steps=tuple((what, at + 0.1 * index) for index, what in enumerate(_PATHS[state])),
            ),
        ),
        "effects": (Effect(at=at + 1, thing=thing, value=value, counted=counted, fence=7),) if acts else (),
    }


def together(*parts: Parts, **more: Any) -> History:  # noqa: ANN401 # fields of a history
    """One history of several commands."""
    names = {name for part in parts for name in part}
    merged: dict[str, Any] = {name: sum((part.get(name, ()) for part in parts), ()) for name in names}
    return History(**merged, **more, bounds=BOUNDS)


def good() -> History:
    """Ends of all kinds, one call that was refused at the facade, and one that broke."""
    refused = Call(at=1, answered_at=1.1, thing=PORTION, value=5, status=503, code="site-offline")
    broken = Call(at=2, answered_at=2.1, thing=PORTION, value=6)
    made = together(
        story(1, PORTION, State.APPLIED, acts=True),
        story(2, FEED, State.APPLIED, acts=True),
        story(3, FEED, State.PARTIAL, acts=True),
        story(4, FEED, State.REJECTED, acts=False),
        story(5, PORTION, State.UNKNOWN, acts=True),
        story(6, PORTION, State.UNKNOWN, acts=False),
        story(7, FEED, State.EXPIRED, acts=False),
        story(8, PORTION, State.FAILED, acts=False),
        shown=(Shown(at=50, thing=PORTION, value=101),),
        energised=(Energised(at=50, thing=FEED, silent_s=20),),
        delivered=(Delivered(at=50, site=SITE, batch="b1", rows={"r1": 1}),),
        first={PORTION: 50},
    )
    return replace(made, calls=(refused, broken, *made.calls))


def test_good_history_passes_and_exercises_every_invariant() -> None:
    """Refusals, ends without effect and open unknowns are all true; nothing is left unjudged."""
    verdict = check(good())
    assert verdict.faults == ()
    assert {each: verdict.standing(each) for each in INVARIANTS} == dict.fromkeys(INVARIANTS, "pass")


def test_empty_history_exercises_nothing() -> None:
    """What was not seen is not called a pass."""
    assert {check(History()).standing(each) for each in INVARIANTS} == {"not exercised"}


def _swap(history: History, name: str, index: int, **changes: Any) -> History:  # noqa: ANN401 # fields of an event
    events = list(getattr(history, name))
    events[index] = replace(events[index], **changes)
    changed: dict[str, Any] = {name: tuple(events)}
    return replace(history, **changed)


def _add(history: History, name: str, *events: object) -> History:
    changed: dict[str, Any] = {name: (*getattr(history, name), *events)}
    return replace(history, **changed)


Spoil = Callable[[History], History]

SPOILT: Final[dict[str, tuple[str, Kind, Spoil]]] = {
    "dose twice": ("I1", Kind.DOUBLED, lambda it: _add(it, "effects", replace(it.effects[1], at=22))),
    "write twice": ("I1", Kind.DOUBLED, lambda it: _add(it, "effects", replace(it.effects[0], at=12))),
    "unknown done twice": ("I1", Kind.DOUBLED, lambda it: _add(it, "effects", replace(it.effects[3], at=53))),
    "key twice": ("I1", Kind.DOUBLED, lambda it: _add(it, "rows", replace(it.rows[1], id="other", value=9))),
    "key answered with two": (
        "I1",
        Kind.DOUBLED,
        lambda it: _add(it, "calls", replace(it.calls[3], at=29, command="c1", state=None)),
    ),
    "after the deadline": ("I2", Kind.LATE, lambda it: _swap(it, "effects", 1, at=26.5)),
    "applied, not done": ("I3", Kind.LOST, lambda it: replace(it, effects=it.effects[1:])),
    "answered 200, not done": (
        "I3",
        Kind.LOST,
        lambda it: _swap(it, "calls", 7, status=200, state="applied"),
    ),
    "counted otherwise": ("I3", Kind.WRONG, lambda it: _swap(it, "rows", 1, counted=3)),
    "failed, done": ("I3", Kind.WRONG, lambda it: _add(it, "effects", Effect(at=81, thing=PORTION, value=108))),
    "no such beat": ("I4", Kind.UNTRUE, lambda it: _swap(it, "published", 2, beat=(7, 99))),
    "old beat": ("I4", Kind.UNTRUE, lambda it: _swap(it, "beats", 2, at=25.0)),
    "retained beat": ("I4", Kind.UNTRUE, lambda it: _swap(it, "beats", 2, retained=True)),
    "rejected, done": ("I5", Kind.PHANTOM, lambda it: _add(it, "effects", Effect(at=41, thing=FEED, value=104))),
    "expired, done": ("I5", Kind.PHANTOM, lambda it: _add(it, "effects", Effect(at=71, thing=FEED, value=107))),
    "503, published": (
        "I5",
        Kind.PHANTOM,
        lambda it: _add(it, "published", replace(it.published[0], id="c9", value=5, beat=None)),
    ),
    "503, done": ("I5", Kind.PHANTOM, lambda it: _swap(it, "calls", 2, status=503, state=None)),
    "two ends": ("I6", Kind.UNTRUE, lambda it: _swap(it, "acks", 0, state=State.FAILED)),
    "back from an end": (
        "I6",
        Kind.UNTRUE,
        lambda it: _swap(it, "rows", 0, steps=(*it.rows[0].steps, ("failed", 15.0), ("applied", 16.0))),
    ),
    "ledger against answer": ("I6", Kind.UNTRUE, lambda it: _swap(it, "calls", 2, state="partial")),
    "stuck": (
        "I7",
        Kind.STUCK,
        lambda it: _swap(it, "rows", 5, state=State.ACCEPTED, steps=it.rows[5].steps[:3]),
    ),
    "unknown for ever": ("I7", Kind.STUCK, lambda it: replace(it, unknown_allowed=False)),
    "history lost": ("I8", Kind.LOST, lambda it: _swap(it, "delivered", 0, rows={"r1": 0})),
    "history twice": ("I9", Kind.DOUBLED, lambda it: _swap(it, "delivered", 0, rows={"r1": 2})),
    "overtaken": ("I10", Kind.WRONG, lambda it: _swap(it, "published", 1, order=("b" * 8, 0))),
    "epoch back": ("I11", Kind.UNTRUE, lambda it: _swap(it, "gate", 4, epoch=8)),
    "agent of the past": ("I12", Kind.WRONG, lambda it: _swap(it, "effects", 1, fence=6)),
    "another site's command": (
        "I13",
        Kind.PHANTOM,
        lambda it: _add(it, "effects", Effect(at=21, thing=("negev-1", *FEED[1:]), value=102)),
    ),
    "another site's ack": ("I13", Kind.UNTRUE, lambda it: _swap(it, "acks", 0, site="negev-1")),
    "done unasked": ("I14", Kind.PHANTOM, lambda it: _add(it, "effects", Effect(at=21, thing=FEED, value=999))),
    "published without a row": (
        "I14",
        Kind.UNTRUE,
        lambda it: _add(it, "published", replace(it.published[0], id="c9", value=7)),
    ),
    "answered without a row": ("I14", Kind.UNTRUE, lambda it: _swap(it, "calls", 1, command="c9")),
    "two rows": ("I14", Kind.UNTRUE, lambda it: _add(it, "rows", it.rows[0])),
    "500": ("I15", Kind.UNTRUE, lambda it: _swap(it, "calls", 1, status=500)),
    "hanging": ("I15", Kind.UNTRUE, lambda it: _swap(it, "calls", 1, answered_at=40)),
    "runs on alone": ("I16", Kind.WRONG, lambda it: _swap(it, "energised", 0, silent_s=61)),
    "value of another register": ("I17", Kind.UNTRUE, lambda it: _swap(it, "shown", 0, value=77)),
}


@pytest.mark.parametrize("how", SPOILT)
def test_spoilt_history_is_caught_with_proof(how: str) -> None:
    """Under the invariant that it breaks, and with the kind of fault."""
    invariant, kind, spoil = SPOILT[how]
    verdict = check(spoil(good()))
    found = {(fault.invariant, fault.kind) for fault in verdict.faults}
    assert (invariant, kind) in found
    assert all(fault.proof for fault in verdict.faults)
    assert "BROKEN" in verdict.standing(invariant)
    assert verdict.as_dict()["violations"] == len(verdict.faults)
    assert invariant in verdict.table()


def test_spoilt_histories_leave_no_kind_and_no_invariant_untried() -> None:
    """Every judgement was seen to fail once."""
    assert {invariant for invariant, _, _ in SPOILT.values()} == set(INVARIANTS)
    assert {kind for _, kind, _ in SPOILT.values()} == set(Kind)


def test_missing_beat_in_a_gap_of_the_tap_is_no_fault() -> None:
    """The witness was away, so nothing follows from what it did not see."""
    assert check(replace(_swap(good(), "published", 2, beat=(7, 99)), gaps=((27, 29),))).faults == ()


#: Ends, and whether they go with an effect.
_ENDS: Final = st.sampled_from(
    [
        (State.APPLIED, True),
        (State.FAILED, False),
        (State.REJECTED, False),
        (State.EXPIRED, False),
        (State.UNKNOWN, True),
        (State.UNKNOWN, False),
    ]
)
_STORIES: Final = st.lists(st.tuples(_ENDS, st.sampled_from([PORTION, FEED])), min_size=1, max_size=12)


def _told(stories: list[tuple[tuple[State, bool], Thing]]) -> History:
    parts = [story(number, thing, end[0], acts=end[1]) for number, (end, thing) in enumerate(stories, 1)]
    return together(*parts, first={PORTION: 50})


@given(_STORIES)
def test_consistent_history_always_passes(stories: list[tuple[tuple[State, bool], Thing]]) -> None:
    """Whatever ends there are."""
    assert check(_told(stories)).faults == ()


@given(_STORIES, st.data())
def test_single_corruption_is_always_caught(
    stories: list[tuple[tuple[State, bool], Thing]], data: st.DataObject
) -> None:
    """An effect taken away, doubled, made late or invented; a row taken away; an end exchanged."""
    history = _told(stories)
    assert check(data.draw(_corruption(history))).faults != ()


@st.composite
def _corruption(draw: st.DrawFn, history: History) -> History:
    ways: list[Callable[[], History]] = [
        lambda: _add(history, "effects", Effect(at=500, thing=FEED, value=9_999)),
        lambda: replace(history, rows=_without(history.rows, draw)),
    ]
    if history.effects:
        index = draw(st.integers(0, len(history.effects) - 1))
        ways += [
            lambda: _add(history, "effects", replace(history.effects[index], at=500)),
            lambda: _swap(history, "effects", index, at=history.effects[index].at + 8),
        ]
    applied = [effect for effect in history.effects if _applied(history, effect)]
    if applied:
        ways.append(lambda: replace(history, effects=tuple(each for each in history.effects if each is not applied[0])))
    if history.acks:
        ways.append(lambda: _swap(history, "acks", 0, state=_another(history.acks[0].state)))
    return draw(st.sampled_from(ways))()


def _without(rows: tuple[Row, ...], draw: st.DrawFn) -> tuple[Row, ...]:
    gone = draw(st.integers(0, len(rows) - 1))
    return rows[:gone] + rows[gone + 1 :]


def _applied(history: History, effect: Effect) -> bool:
    return any(row.state is State.APPLIED and row.value == effect.value for row in history.rows)


def _another(state: State) -> State:
    return State.FAILED if state is not State.FAILED else State.APPLIED
