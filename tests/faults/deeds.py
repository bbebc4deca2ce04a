"""Judgements of what PLCs did: once, in time, in order, as said, and only what was asked for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from gateway.protocol.lifecycle import State
from tests.faults.history import Effect
from tests.faults.matching import DONE, NOTHING_DONE, WITHOUT_EFFECT, Matched
from tests.faults.verdict import Case, Fault, Judgement, Kind


def _once(matched: Matched) -> Iterator[Case]:
    """I1."""
    for id, effects in matched.effects.items():
        fault = None
        if len(effects) > 1:
            fault = Fault(
                invariant="I1",
                kind=Kind.DOUBLED,
                command=id,
                what=f"{effects[0].thing} {effects[0].value} took effect {len(effects)} times",
                proof=(matched.rows[id], *effects, *matched.published[id]),
            )
        yield "I1", fault


def _in_time(matched: Matched) -> Iterator[Case]:
    """I2."""
    for id, effects in matched.effects.items():
        row = matched.rows[id]
        if row.issued_at is None or row.ttl_s is None:
            continue
        latest = row.issued_at + row.ttl_s + matched.history.bounds.in_flight_s
        late = [each for each in effects if each.at > latest]
        fault = None
        if late:
            what = f"{late[0].thing} {late[0].value} took effect {late[0].at - row.issued_at:.1f} s after it was issued"
            fault = Fault(invariant="I2", kind=Kind.LATE, command=id, what=what, proof=(row, *late))
        yield "I2", fault


def _true_ends(matched: Matched) -> Iterator[Case]:
    """I3, for the ledger's ends."""
    for row in matched.history.rows:
        effects = matched.effects.get(row.id, [])
        if row.state in DONE:
            fault = None
            if not effects:
                what = f"{row.thing} {row.value} is applied, and nothing was done"
                fault = Fault(invariant="I3", kind=Kind.LOST, command=row.id, what=what, proof=(row,))
            yield "I3", fault
        if row.counted is not None and len(effects) == 1 and effects[0].counted is not None:
            fault = None
            if row.counted != effects[0].counted:
                what = f"{row.counted} counted, says the ledger; the PLC says {effects[0].counted}"
                fault = Fault(invariant="I3", kind=Kind.WRONG, command=row.id, what=what, proof=(row, *effects))
            yield "I3", fault
        if row.state is State.FAILED and row.code in NOTHING_DONE and effects:
            what = f"{row.thing} {row.value} failed with {row.code}, and was done"
            yield "I3", Fault(invariant="I3", kind=Kind.WRONG, command=row.id, what=what, proof=(row, *effects))


def _confirmations(matched: Matched) -> Iterator[Case]:
    """I3, for what web clients were told."""
    for call in matched.history.calls:
        if call.status == 200 and call.state == State.APPLIED:
            fault = None
            if not matched.effects.get(call.command or ""):
                what = f"{call.thing} {call.value} was answered 200, and nothing was done"
                fault = Fault(invariant="I3", kind=Kind.LOST, command=call.command, what=what, proof=(call,))
            yield "I3", fault


def _ordered(matched: Matched) -> Iterator[Case]:
    """I10: effects per device in the order of acceptance, which for one requester is that of its numbers."""
    last: dict[tuple[str, str, str, str], tuple[int, object]] = {}
    for effect in matched.history.effects:
        row = matched.row_of(effect)
        sent = next((each for each in matched.published.get(row.id, []) if each.order), None) if row else None
        if row is None or sent is None or sent.order is None:
            continue
        boot, number = sent.order
        lane = (*row.thing[:2], row.requester, boot)
        before = last.get(lane)
        fault = None
        if before is not None and before[0] > number:
            what = f"number {number} of {row.requester} took effect after number {before[0]}"
            fault = Fault(invariant="I10", kind=Kind.WRONG, command=row.id, what=what, proof=(sent, before[1], effect))
        else:
            last[lane] = (number, effect)
        if before is not None:
            yield "I10", fault


def _ended(matched: Matched) -> Iterator[Case]:
    """I7, when everything is mended."""
    for row in matched.history.rows:
        stuck = not row.state.final and (row.state is not State.UNKNOWN or not matched.history.unknown_allowed)
        what = f"{row.thing} {row.value} is still {row.state} at the end"
        yield "I7", Fault(invariant="I7", kind=Kind.STUCK, command=row.id, what=what, proof=(row,)) if stuck else None


def _phantoms(matched: Matched) -> Iterator[Case]:
    """I5 and I14: nothing is done without an accepted command; I13: or for another site's."""
    sites = defaultdict(set)
    for row in matched.history.rows:
        sites[row.thing[1:], row.value].add(row.thing[0])
    for effect in matched.orphans:
        elsewhere = sites.get((effect.thing[1:], effect.value), set()) - {effect.thing[0]}
        invariant = "I13" if elsewhere else "I14"
        what = f"{effect.thing} {effect.value} took effect without a row in the ledger"
        what += f"; it was asked of {sorted(elsewhere)}" if elsewhere else ""
        yield invariant, Fault(invariant=invariant, kind=Kind.PHANTOM, command=None, what=what, proof=(effect,))
    for row in matched.history.rows:
        yield "I13", None
        if row.state in WITHOUT_EFFECT:
            effects = matched.effects.get(row.id, [])
            what = f"{row.thing} {row.value} is {row.state} {row.code}, and was done"
            fault = Fault(invariant="I5", kind=Kind.PHANTOM, command=row.id, what=what, proof=(row, *effects))
            yield "I5", fault if effects else None


def _one_writer(matched: Matched) -> Iterator[Case]:
    """I12: the fence of whoever writes to a PLC never goes back."""
    last: dict[tuple[str, str], Effect] = {}
    for effect in matched.history.effects:
        if effect.fence is None:
            continue
        before = last.get(effect.thing[:2])
        fault = None
        if before is not None and before.fence is not None and before.fence > effect.fence:
            what = f"{effect.thing}: an agent of epoch {effect.fence} acted after one of epoch {before.fence}"
            fault = Fault(invariant="I12", kind=Kind.WRONG, command=None, what=what, proof=(before, effect))
        else:
            last[effect.thing[:2]] = effect
        yield "I12", fault


def _safe(matched: Matched) -> Iterator[Case]:
    """I16."""
    for each in matched.history.energised:
        fault = None
        if each.silent_s > matched.history.bounds.watchdog_s:
            what = f"{each.thing} runs though its agent has been silent for {each.silent_s:.1f} s"
            fault = Fault(invariant="I16", kind=Kind.WRONG, command=None, what=what, proof=(each,))
        yield "I16", fault


JUDGEMENTS: Final[tuple[Judgement, ...]] = (
    _once,
    _in_time,
    _true_ends,
    _confirmations,
    _ordered,
    _ended,
    _phantoms,
    _one_writer,
    _safe,
)
