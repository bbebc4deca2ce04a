"""Judges a whole run by what the PLCs really did: :func:`check` finds every broken promise that the history shows."""

from __future__ import annotations

from collections import Counter
from typing import Final

from gateway.protocol.lifecycle import State
from tests.faults import deeds, sayings
from tests.faults.history import History
from tests.faults.matching import Matched
from tests.faults.verdict import Verdict

#: Names that are settings; everything else is an action.
SETTINGS: Final = frozenset({"portion_g", "interval_min", "enabled"})


def check(history: History) -> Verdict:
    """Hold every invariant against the history."""
    matched = Matched(history)
    cases = [case for judgement in (*deeds.JUDGEMENTS, *sayings.JUDGEMENTS) for case in judgement(matched)]
    return Verdict(
        faults=tuple(fault for _, fault in cases if fault is not None),
        exercised=Counter(invariant for invariant, _ in cases),
        totals=_totals(matched),
    )


def _totals(matched: Matched) -> dict[str, int]:
    history = matched.history
    states = Counter(row.state for row in history.rows)
    doses = [row for row in history.rows if row.thing[2] not in SETTINGS]
    resolved = [row for row in history.rows if row.state.final and any(what == "unknown" for what, _ in row.steps)]
    return {
        "commands": len(history.rows),
        "calls": len(history.calls),
        "doses_asked": len(doses),
        "doses_counted": sum(effect.counted is not None for effect in history.effects),
        **{str(state): states[state] for state in State if state.final},
        "unknown_resolved": len(resolved),
        "unknown_left": states[State.UNKNOWN],
        "effects": len(history.effects),
    }
