"""Groups as values, and how their states follow from the tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from gateway.protocol.lifecycle import State


class GroupState(StrEnum):
    """How far a group has come."""

    PREVIEWED = "previewed"
    RUNNING = "running"
    FINISHED = "finished"
    STOPPED = "stopped"
    INTERRUPTED = "interrupted"
    EXPIRED = "expired"


class Cause(StrEnum):
    """Why a group was stopped."""

    ASKED = "asked"
    FAILURES = "failures"


class ItemState(StrEnum):
    """What is known of a target that no command in the ledger speaks for; otherwise the command's state counts."""

    WAITING = "waiting"
    NOT_SENT = "not-sent"
    #: Its run took it on, but no command is in the ledger: without a row nothing was published.
    BEGUN = "begun"
    REFUSED = "refused"


#: Targets of a group that nobody runs any more will never be sent.
_LIVE: Final = frozenset({GroupState.PREVIEWED, GroupState.RUNNING})
FAILED: Final = frozenset(
    {ItemState.REFUSED, *(str(each) for each in State if each not in {State.PENDING, State.ACCEPTED, State.APPLIED})}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupRecord:
    """A group. ``counts``: how many targets are in which state."""

    id: str
    actor: str
    name: str
    input: Mapping[str, Any]
    rate_per_s: float
    stop_share: float
    ttl_s: float
    token_hash: str
    targets: int
    summary: Mapping[str, Any]
    state: GroupState
    cause: str | None
    created_at: datetime
    expires_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    run_by: str | None
    counts: Mapping[str, int]

    @property
    def failed(self) -> int:
        """How many targets count as failed by now."""
        return sum(count for state, count in self.counts.items() if state in FAILED)


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemRecord:
    """A target of a group: what its preview said, and what became of it."""

    position: int
    site: str
    device: str
    preview: Mapping[str, Any]
    state: str
    command: str | None
    code: str | None
    detail: str | None


def state_of(state: str, *, expires_at: datetime, lease_until: datetime | None, now: datetime) -> GroupState:
    """The state as it is now: time alone ends a preview, and a run of which nothing was heard."""
    stored = GroupState(state)
    if stored is GroupState.PREVIEWED and expires_at <= now:
        return GroupState.EXPIRED
    if stored is GroupState.RUNNING and (lease_until is None or lease_until <= now):
        return GroupState.INTERRUPTED
    return stored


def item_state(state: str, group: GroupState) -> str:
    """A target's state: one that waits in a group that is over was not sent."""
    return ItemState.NOT_SENT.value if state == ItemState.WAITING and group not in _LIVE else state


def key_of(group_id: str, position: int) -> str:
    """The Idempotency-Key of a target's command: one command per target, whatever happens."""
    return f"group:{group_id}:{position}"
