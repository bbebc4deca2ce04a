"""Judges a whole run: what clients were told, what the ledger says, and what the PLCs really did.

Every command of a run asks for a value that no other asks for, and on each feeder the values rise in the order in
which they were asked for. So the PLC's own log tells which command acted, how often, and in which order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

#: Nothing was or will be written: said by the ledger, or by HTTP without a row.
WITHOUT_EFFECT: Final = frozenset({"rejected", "expired"})
ENDED: Final = frozenset({"applied", "failed", "rejected", "expired"})


@dataclass(frozen=True, slots=True)
class Asked:
    """What one HTTP request asked for, and its answer; ``status`` None if the facade died meanwhile."""

    device: str
    value: int
    status: int | None
    code: str | None
    command: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """One run, when everything is mended and quiet; ``effects`` are the values written to each device, in order."""

    asked: Sequence[Asked]
    rows: Sequence[Mapping[str, Any]]
    effects: Mapping[str, Sequence[int]]
    setting: str

    def faults(self) -> list[str]:
        """Every broken promise, with its number; empty if there is none."""
        return [*self._effects(), *self._answers(), *self._ends()]

    def summary(self) -> str:
        """How many of what: ``unknown`` is allowed, and so its share is shown."""
        states = Counter(row["state"] for row in self.rows)
        effects = sum(len(each) for each in self.effects.values())
        statuses = Counter(each.status for each in self.asked)
        return f"asked {len(self.asked)} {dict(statuses)}, ledger {dict(states)}, effects {effects}"

    def _effects(self) -> Iterator[str]:
        states = {(row["device"], row["input"][self.setting]): row["state"] for row in self.rows}
        for device, values in self.effects.items():
            for value, times in Counter(values).items():
                state = states.get((device, value))
                if times > 1:
                    yield f"I1: {device} was set to {value} {times} times"
                if state is None:
                    yield f"I14: {device} was set to {value} without a row in the ledger"
                if state in WITHOUT_EFFECT:
                    yield f"I5: {device} was set to {value}, which is {state}"
            if list(values) != sorted(values):
                yield f"I10: {device} was set in another order than asked: {values}"

    def _answers(self) -> Iterator[str]:
        states = {row["id"]: row["state"] for row in self.rows}
        for each in self.asked:
            done = each.value in self.effects[each.device]
            what = f"{each.device}={each.value} was answered {each.status} {each.code}"
            if each.status == 200 and not done:
                yield f"I3: {what}, but never written"
            if each.status in {409, 422, 503, 504} and done:
                yield f"I5: {what}, but written"
            if each.status in {200, 202} and each.command not in states:
                yield f"I14: {what}, but the ledger has no row"
            if each.status == 200 and states.get(each.command or "") != "applied":
                yield f"I6: {what}, but the ledger says {states.get(each.command or '')}"
            if each.status == 500:
                yield f"{what}: a fault of the facade"

    def _ends(self) -> Iterator[str]:
        for row in self.rows:
            value = row["input"][self.setting]
            done = value in self.effects[row["device"]]
            what = f"{row['device']}={value} ({row['id']})"
            if row["state"] == "applied" and not done:
                yield f"I3: {what} is applied, but never written"
            if row["state"] == "failed" and row["code"] == "not-written" and done:
                yield f"I3: {what} is called not written, but was"
            if row["state"] not in ENDED | {"unknown"}:
                yield f"I7: {what} is still {row['state']}"
