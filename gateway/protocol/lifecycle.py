"""A command's states and the legal steps between them: the one table (I6).

The agent's journal, the ledger and the documentation all read it from here.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from gateway.protocol.errors import IllegalStep


class State(StrEnum):
    """What is known of a command."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    APPLIED = "applied"
    PARTIAL = "partial"
    FAILED = "failed"
    REJECTED = "rejected"
    EXPIRED = "expired"
    UNKNOWN = "unknown"

    @property
    def final(self) -> bool:
        """Whether the state can never change again."""
        return not STEPS[self]


MEANING: Final[dict[State, str]] = {
    State.PENDING: "recorded at the centre; the agent has not answered yet",
    State.ACCEPTED: "every refusal is behind; the agent is about to write",
    State.APPLIED: "verified: the PLC was read equal, or its mailbox said so",
    State.PARTIAL: "a dose that was counted short",
    State.FAILED: "proved to have had no effect, or the read-back is in the result",
    State.REJECTED: "refused; nothing was or will be written",
    State.EXPIRED: "too late; nothing was or will be written",
    State.UNKNOWN: "no evidence yet; it may have taken effect, so do not repeat it",
}

#: state -> the states it may become. A state with no step is final.
STEPS: Final[dict[State, frozenset[State]]] = {
    State.PENDING: frozenset({State.ACCEPTED, State.REJECTED, State.EXPIRED, State.UNKNOWN}),
    State.ACCEPTED: frozenset({State.APPLIED, State.PARTIAL, State.FAILED, State.UNKNOWN}),
    # Evidence only; time alone never moves a command out of unknown.
    State.UNKNOWN: frozenset({State.APPLIED, State.PARTIAL, State.FAILED, State.REJECTED, State.EXPIRED}),
    State.APPLIED: frozenset(),
    State.PARTIAL: frozenset(),
    State.FAILED: frozenset(),
    State.REJECTED: frozenset(),
    State.EXPIRED: frozenset(),
}

FINAL: Final = frozenset(state for state, steps in STEPS.items() if not steps)


def path(before: State, after: State) -> tuple[State, ...]:
    """The steps that lead from ``before`` to ``after``, without ``before`` itself.

    An agent that is quick enough reports only the outcome; that it had accepted the command follows, so
    ``pending`` to ``applied`` goes by way of ``accepted``. Empty if nothing changes.

    Raises:
        IllegalStep: the table has no way.
    """
    if after == before:
        return ()
    if after in STEPS[before]:
        return (after,)
    if before is State.PENDING and after in STEPS[State.ACCEPTED]:
        return (State.ACCEPTED, after)
    raise IllegalStep(before, after)


def sources(after: State) -> frozenset[State]:
    """The states from which :func:`path` reaches ``after``: the ledger's compare-and-set guard."""
    direct = {state for state, steps in STEPS.items() if after in steps}
    return frozenset(direct | {State.PENDING} if State.ACCEPTED in direct else direct)


def diagram() -> str:
    """The table as a Mermaid state diagram, for the documentation."""
    lines = ["stateDiagram-v2", "    [*] --> pending"]
    lines += [f"    {state} --> {step}" for state in State for step in sorted(STEPS[state], key=list(State).index)]
    lines += [f"    {state} --> [*]" for state in State if state in FINAL]
    return "\n".join(lines)
