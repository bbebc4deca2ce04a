"""What became of the doses that people commanded, in grams: from the ledger, with what the PLC counted for each."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row

from gateway.protocol.description import Description
from gateway.protocol.lifecycle import State

_GRAMS: Final = {"g": 1.0, "kg": 1_000.0}
#: Of these nobody knows yet, or ever, how much of the dose fell beyond what was counted.
_OPEN: Final = frozenset({State.PENDING, State.ACCEPTED, State.UNKNOWN})
#: The PLC was never asked for these.
_UNASKED: Final = frozenset({State.REJECTED, State.EXPIRED})


@dataclass(frozen=True, slots=True)
class Doses:
    """What came of the commands of a day, in grams.

    Of each dose that was asked of the PLC what it counted is ``counted_g``; of the rest either it is known that it did
    not fall, ``short_g``, or nobody knows, ``unknown_g``. What one dose gave too much makes up for no other one.
    """

    count: int = 0
    asked_g: float = 0.0
    counted_g: float = 0.0
    short_g: float = 0.0
    unknown_g: float = 0.0
    refused_g: float = 0.0

    def __add__(self, other: Doses) -> Doses:
        """Both together."""
        return Doses(
            self.count + other.count,
            self.asked_g + other.asked_g,
            self.counted_g + other.counted_g,
            self.short_g + other.short_g,
            self.unknown_g + other.unknown_g,
            self.refused_g + other.refused_g,
        )


def feeds(about: Description) -> bool:
    """Whether a device gives food: by meals, or by an action that counts grams."""
    return about.meals is not None or any(grams_of(about, name) is not None for name in about.actions)


def grams_of(about: Description, action: str) -> float | None:
    """How many grams one of the action's argument is; None if it does not give anything that is weighed."""
    found = about.actions.get(action)
    schema = None if found is None or found.argument is None else found.input.properties.get(found.argument)
    return None if schema is None else _GRAMS.get(schema.unit or "")


def dose_of(row: Row[Any], about: Description) -> Doses | None:
    """What became of one command, a row of the ledger; None if it asked for nothing that is weighed."""
    factor = grams_of(about, row.name)
    if factor is None:
        return None
    argument = about.actions[row.name].argument
    result: dict[str, Any] = json.loads(row.result or "{}")
    counted = _number(result.get(f"{argument}_counted"))
    asked_g = factor * (_number(result.get(f"{argument}_asked", json.loads(row.input).get(argument))) or 0.0)
    return _dose(State(row.state), asked_g, None if counted is None else factor * counted)


def _dose(state: State, asked_g: float, counted_g: float | None) -> Doses:
    if state in _UNASKED and counted_g is None:
        return Doses(count=1, refused_g=asked_g)
    rest_g = max(0.0, asked_g - (counted_g or 0.0))
    # A PLC that says "done" and counts nothing has not said how much fell.
    known = state not in _OPEN and (counted_g is not None or state is not State.APPLIED)
    return Doses(
        count=1,
        asked_g=asked_g,
        counted_g=counted_g or 0.0,
        short_g=rest_g if known else 0.0,
        unknown_g=0.0 if known else rest_g,
    )


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
