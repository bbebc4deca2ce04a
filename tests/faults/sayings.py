"""Judgements of what was said: on the broker, in the ledger, in the gate, and to web clients."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from gateway.protocol.errors import IllegalStep
from gateway.protocol.ids import is_facade
from gateway.protocol.lifecycle import State, path
from tests.faults.history import Acked, Beat, Call, GateSeen, Row
from tests.faults.matching import WITHOUT_EFFECT, Matched
from tests.faults.verdict import Case, Fault, Judgement, Kind

#: Answers that say that nothing was or will be done.
_REFUSED: Final = frozenset({400, 401, 403, 404, 409, 412, 413, 415, 422, 429, 503})


def _gate(matched: Matched) -> Iterator[Case]:
    """I4: what was sent relies on a live beat of the site, no older than the gate allows."""
    beats: dict[tuple[str, tuple[int, int]], Beat] = {}
    for beat in matched.history.beats:
        if not beat.retained:
            beats.setdefault((beat.site, (beat.epoch, beat.seq)), beat)
    bounds = matched.history.bounds
    for id, copies in matched.published.items():
        first, row = copies[0], matched.rows.get(id)
        if first.beat is None:
            continue
        issued_at = row.issued_at if row is not None and row.issued_at is not None else first.at
        found = beats.get((first.thing[0], first.beat))
        if found is None and matched.history.gap_in(issued_at - bounds.alive_expiry_s, first.at):
            continue
        fault = None
        if found is None or issued_at - found.at > bounds.alive_expiry_s + bounds.in_flight_s:
            what = f"sent on a beat {first.beat} that " + ("nobody saw" if found is None else f"was {found.at:.1f}")
            fault = Fault(invariant="I4", kind=Kind.UNTRUE, command=id, what=what, proof=(first, found))
        yield "I4", fault


def _refusals(matched: Matched) -> Iterator[Case]:
    """I5: who was refused finds nothing published, and nothing done, unless the agent itself refused it."""
    shared = Counter((call.thing, call.value) for call in matched.history.calls)
    by_value = {(each.thing, each.value): each.id for copies in matched.published.values() for each in copies}
    for call in matched.history.calls:
        if call.status not in _REFUSED:
            continue
        # Another call for the same thing may have been let through.
        alone = shared[call.thing, call.value] == 1
        id = call.command or (by_value.get((call.thing, call.value)) if alone else None)
        row = matched.rows.get(id or "")
        done = matched.effects.get(id or "", [])
        ended = row is not None and row.state in WITHOUT_EFFECT
        fault = None
        if done or (id in matched.published and not ended):
            what = f"{call.thing} {call.value} was answered {call.status} {call.code}, and was "
            what += "done" if done else "published"
            proof = (call, row, *matched.published.get(id or "", []), *done)
            fault = Fault(invariant="I5", kind=Kind.PHANTOM, command=id, what=what, proof=proof)
        yield "I5", fault


def _forward(matched: Matched) -> Iterator[Case]:
    """I6, of the agents' words: a final state never changes, and all agree on it."""
    for id, acks in matched.acks.items():
        row = matched.rows.get(id)
        final = [ack for ack in acks if ack.state.final]
        ends = {ack.state for ack in final} | ({row.state} if row is not None and row.state.final else set())
        fault = None
        # An answer to somebody else who used the same id is theirs alone.
        if len(ends) > 1 and not any(ack.code == "id-conflict" for ack in final):
            what = f"its end is said to be {' and '.join(sorted(ends))}"
            fault = Fault(invariant="I6", kind=Kind.UNTRUE, command=id, what=what, proof=(*final, row))
        yield "I6", fault


def _steps(matched: Matched) -> Iterator[Case]:
    """I6, of the ledger's time lines."""
    for row in matched.history.rows:
        states = [State(what) for what, _ in row.steps if what in set(State)]
        bad = [(before, after) for before, after in pairwise(states) if not _legal(before, after)]
        if states and states[-1] is not row.state:
            bad.append((states[-1], row.state))
        fault = None
        if bad:
            what = f"went from {bad[0][0]} to {bad[0][1]}"
            fault = Fault(invariant="I6", kind=Kind.UNTRUE, command=row.id, what=what, proof=(row,))
        yield "I6", fault


def _legal(before: State, after: State) -> bool:
    try:
        return bool(path(before, after))
    except IllegalStep:
        return False


def _answers(matched: Matched) -> Iterator[Case]:
    """I6, of answers: who was told an end finds it in the ledger."""
    for call in matched.history.calls:
        row = matched.rows.get(call.command or "")
        if row is None or call.state is None or call.state not in set(State) or not State(call.state).final:
            continue
        fault = None
        if row.state != call.state:
            what = f"was answered {call.state}, and ended {row.state}"
            fault = Fault(invariant="I6", kind=Kind.UNTRUE, command=row.id, what=what, proof=(call, row))
        yield "I6", fault


def _audit(matched: Matched) -> Iterator[Case]:
    """I14: one row for each command that was published, and for each that somebody was told of.

    What a person publishes while the gateway is away and the site does not hear it is gone with the broker's memory: it
    had no effect (that is judged elsewhere), and nobody is left who could write it down.
    """
    counts = Counter(row.id for row in matched.history.rows)
    told: dict[str, object] = {call.command: call for call in matched.history.calls if call.command}
    sent: dict[str, object] = {
        id: copies[0]
        for id, copies in matched.published.items()
        if not copies[0].retained and (is_facade(copies[0].requester) or id in matched.acks)
    }
    for id, event in (told | sent).items():
        fault = None
        if counts[id] != 1:
            what = f"has {counts[id]} rows in the ledger"
            fault = Fault(invariant="I14", kind=Kind.UNTRUE, command=id, what=what, proof=(event,))
        yield "I14", fault


def _keys(matched: Matched) -> Iterator[Case]:
    """I14 and I1: one key of one actor is one command, in the ledger and in all answers."""
    rows: dict[tuple[str | None, str], list[Row]] = defaultdict(list)
    for row in matched.history.rows:
        if row.key is not None:
            rows[row.actor, row.key].append(row)
    for several in rows.values():
        what = f"one key made {len(several)} commands"
        fault = Fault(invariant="I1", kind=Kind.DOUBLED, command=several[0].id, what=what, proof=tuple(several))
        yield "I1", fault if len(several) > 1 else None
    calls: dict[str, list[Call]] = defaultdict(list)
    for call in matched.history.calls:
        if call.key is not None and call.command is not None:
            calls[call.key].append(call)
    for same in calls.values():
        ids = {call.command for call in same}
        what = f"one key was answered with {len(ids)} commands"
        fault = Fault(invariant="I1", kind=Kind.DOUBLED, command=same[0].command, what=what, proof=tuple(same))
        yield "I1", fault if len(ids) > 1 else None


def _epochs(matched: Matched) -> Iterator[Case]:
    """I11: the gate's epoch never goes back."""
    last: dict[str, GateSeen] = {}
    for seen in matched.history.gate:
        before = last.get(seen.site)
        if before is not None and seen.epoch != before.epoch:
            fault = None
            if seen.epoch < before.epoch:
                what = f"the gate of {seen.site} went back from epoch {before.epoch} to {seen.epoch}"
                fault = Fault(invariant="I11", kind=Kind.UNTRUE, command=None, what=what, proof=(before, seen))
            yield "I11", fault
        if before is None or seen.epoch >= before.epoch:
            last[seen.site] = seen


def _own_site(matched: Matched) -> Iterator[Case]:
    """I13: only a command's own site may answer it."""
    for id, acks in matched.acks.items():
        row = matched.rows.get(id)
        if row is None:
            continue
        strange: list[Acked] = [ack for ack in acks if ack.site != row.thing[0]]
        what = f"a command to {row.thing[0]} was answered by {[ack.site for ack in strange]}"
        fault = Fault(invariant="I13", kind=Kind.UNTRUE, command=id, what=what, proof=(row, *strange))
        yield "I13", fault if strange else None


def _bounded(matched: Matched) -> Iterator[Case]:
    """I15: every request is answered in time, and never by a fault of ours."""
    for call in matched.history.calls:
        took_s = call.answered_at - call.at
        slow = took_s > matched.history.bounds.answer_s
        fault = None
        if slow or call.status == 500:
            what = f"was answered {call.status} after {took_s:.1f} s"
            fault = Fault(invariant="I15", kind=Kind.UNTRUE, command=call.command, what=what, proof=(call,))
        yield "I15", fault


def _delivered(matched: Matched) -> Iterator[Case]:
    """I8 and I9: what the agent deleted is at the centre, each row once."""
    for each in matched.history.delivered:
        missing = [row for row, times in each.rows.items() if times == 0]
        doubled = [row for row, times in each.rows.items() if times > 1]
        what = f"batch {each.batch} of {each.site}: {{}}"
        lost = Fault(invariant="I8", kind=Kind.LOST, command=None, what=what.format(f"lost {missing}"), proof=(each,))
        yield "I8", lost if missing else None
        twice = what.format(f"twice {doubled}")
        yield (
            "I9",
            Fault(invariant="I9", kind=Kind.DOUBLED, command=None, what=twice, proof=(each,)) if doubled else None,
        )


def _shown(matched: Matched) -> Iterator[Case]:
    """I17: a value that is shown was once in that register."""
    held = defaultdict(set)
    for thing, value in matched.history.first.items():
        held[thing].add(value)
    for effect in matched.history.effects:
        held[effect.thing].add(effect.value)
    for each in matched.history.shown:
        fault = None
        if each.thing in held and each.value not in held[each.thing]:
            what = f"{each.thing} was shown as {each.value}, which it never held"
            fault = Fault(invariant="I17", kind=Kind.UNTRUE, command=None, what=what, proof=(each,))
        yield "I17", fault


JUDGEMENTS: Final[tuple[Judgement, ...]] = (
    _gate,
    _refusals,
    _forward,
    _steps,
    _answers,
    _audit,
    _keys,
    _epochs,
    _own_site,
    _bounded,
    _delivered,
    _shown,
)
