"""What the checker says: faults with the events that prove them, by kind and by invariant, for people and for JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum, auto
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from tests.faults.matching import Matched

INVARIANTS: Final = tuple(f"I{number}" for number in range(1, 18))


class Kind(StrEnum):
    """What is wrong with one command."""

    LOST = auto()  # called applied, never done
    DOUBLED = auto()
    LATE = auto()
    PHANTOM = auto()  # done without an accepted command
    WRONG = auto()  # done, but otherwise than said
    STUCK = auto()  # no end, and not called unknown
    UNTRUE = auto()  # what was said of it contradicts itself or the rest


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A broken promise; ``proof`` are the events that show it."""

    invariant: str
    kind: Kind
    command: str | None
    what: str
    proof: tuple[object, ...] = ()


#: An invariant, and None or the fault of one case that it was held against.
Case = tuple[str, Fault | None]
Judgement = Callable[["Matched"], Iterator[Case]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """All that the checker found; ``exercised`` counts the cases that each invariant was held against."""

    faults: tuple[Fault, ...]
    exercised: Mapping[str, int]
    totals: Mapping[str, int]

    def standing(self, invariant: str) -> str:
        """``pass``, ``not exercised`` or the first counter-example."""
        broken = [each for each in self.faults if each.invariant == invariant]
        if broken:
            return f"BROKEN {len(broken)} times, first: {broken[0].what}"
        return "pass" if self.exercised.get(invariant) else "not exercised"

    def table(self) -> str:
        """For people."""
        lines = [f"{name.replace('_', ' '):<20}{count:>8}" for name, count in self.totals.items()]
        lines.append("")
        lines += [f"{each:<4}{self.exercised.get(each, 0):>8}  {self.standing(each)}" for each in INVARIANTS]
        for fault in self.faults[:20]:
            lines += ["", f"{fault.invariant} {fault.kind} {fault.command or ''}: {fault.what}"]
            lines += [f"    {event}" for event in fault.proof[:12]]
        return "\n".join(lines)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            **self.totals,
            "violations": len(self.faults),
            "kinds": dict(Counter(str(fault.kind) for fault in self.faults)),
            "invariants": {each: self.standing(each) for each in INVARIANTS},
            "exercised": {each: self.exercised.get(each, 0) for each in INVARIANTS},
            "faults": [
                {
                    "invariant": each.invariant,
                    "kind": str(each.kind),
                    "command": each.command,
                    "what": each.what,
                    "proof": [str(event) for event in each.proof],
                }
                for each in self.faults
            ],
        }
