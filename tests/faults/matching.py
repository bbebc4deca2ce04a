"""Which effect belongs to which command, and what is known of each command: the joins that all judgements share."""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property

from gateway.protocol.lifecycle import State
from tests.faults.history import Acked, Effect, History, Published, Row, Thing

WITHOUT_EFFECT = frozenset({State.REJECTED, State.EXPIRED})
#: Ends that say for sure that something was done.
DONE = frozenset({State.APPLIED})
#: Codes of `failed` that say for sure that nothing was done.
NOTHING_DONE = frozenset({"not-written", "plc-refused"})

Key = tuple[Thing, int]


class Matched:
    """A history with its joins."""

    def __init__(self, history: History) -> None:
        self.history = history

    @cached_property
    def rows(self) -> dict[str, Row]:
        """By id; that there is one for each is judged elsewhere."""
        return {row.id: row for row in self.history.rows}

    @cached_property
    def asked(self) -> dict[Key, list[tuple[float, str | None]]]:
        """When a value was asked for, and the row's id if it has one; in the order of times."""
        found = defaultdict[Key, list[tuple[float, str | None]]](list)
        for row in self.history.rows:
            first = row.issued_at if row.issued_at is not None else (row.steps[0][1] if row.steps else 0.0)
            found[row.thing, row.value].append((first, row.id))
        for each in found.values():
            each.sort(key=lambda pair: pair[0])
        return found

    def row_of(self, effect: Effect) -> Row | None:
        """The last command before the effect that asked for it."""
        candidates = self.asked.get((effect.thing, effect.value), [])
        before = [id for at, id in candidates if at <= effect.at] or [id for _, id in candidates[:1]]
        return self.rows[before[-1]] if before and before[-1] is not None else None

    @cached_property
    def effects(self) -> dict[str, list[Effect]]:
        """By the id of their row."""
        found = defaultdict[str, list[Effect]](list)
        for effect in self.history.effects:
            row = self.row_of(effect)
            if row is not None:
                found[row.id].append(effect)
        return found

    @cached_property
    def orphans(self) -> list[Effect]:
        """Effects that no row asked for."""
        return [effect for effect in self.history.effects if self.row_of(effect) is None]

    @cached_property
    def acks(self) -> dict[str, list[Acked]]:
        """By id."""
        found = defaultdict[str, list[Acked]](list)
        for ack in self.history.acks:
            found[ack.id].append(ack)
        return found

    @cached_property
    def published(self) -> dict[str, list[Published]]:
        """Commands, not questions, by id."""
        found = defaultdict[str, list[Published]](list)
        for each in self.history.published:
            if each.ttl_s > 0:
                found[each.id].append(each)
        return found
