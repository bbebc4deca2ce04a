"""Limits that the site itself keeps on doses: the largest, the least gap, the most in any 24 hours. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from gateway.protocol.description import Limit
from site_agent.clock import Stamp, age_s

DAY_S: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class Breach:
    """A limit that a dose would break: what it allows, and what counts against it now.

    ``live`` is the dose itself for ``largest``, seconds since the last dose for ``least_gap_s``, and what was given in
    the last 24 hours for ``most_per_day``.
    """

    limit: Limit
    allowed: float
    live: float
    asked: float


@dataclass(slots=True)
class _Dose:
    amount: float
    stamp: Stamp


class Doses:
    """The doses of the last day, by device and action.

    One whose end is not known counts in full. One that is proved to have had no effect counts for nothing.
    """

    def __init__(self) -> None:
        self._doses: defaultdict[tuple[str, str], dict[str, _Dose]] = defaultdict(dict)
        self._keys: dict[str, tuple[str, str]] = {}

    def note(self, device: str, action: str, id: str, amount: float, stamp: Stamp) -> None:
        """A dose is about to be given."""
        self._keys[id] = device, action
        self._doses[device, action][id] = _Dose(amount, stamp)

    def correct(self, id: str, counted: float) -> None:
        """What was given after all; 0 if it is proved to have had no effect."""
        doses = self._doses.get(self._keys.get(id, ("", "")))
        if doses is None or id not in doses:
            return
        if counted:
            doses[id].amount = counted
        else:
            self._drop(doses, id)

    def check(
        self, device: str, action: str, limits: Mapping[Limit, float], amount: float, now: Stamp
    ) -> Breach | None:
        """The first limit that a dose of ``amount`` would break now."""
        doses = self._doses[device, action]
        largest, gap_s, most = (limits.get(each) for each in (Limit.LARGEST, Limit.LEAST_GAP_S, Limit.MOST_PER_DAY))
        ages_s = {id: age_s(dose.stamp, now) for id, dose in doses.items()}
        if largest is not None and amount > largest:
            return Breach(Limit.LARGEST, largest, amount, amount)
        if gap_s is not None and ages_s and min(ages_s.values()) < gap_s:
            return Breach(Limit.LEAST_GAP_S, gap_s, min(ages_s.values()), amount)
        given = sum(doses[id].amount for id, age in ages_s.items() if age < DAY_S)
        if most is not None and given + amount > most:
            return Breach(Limit.MOST_PER_DAY, most, given, amount)
        for id, age in ages_s.items():
            if age >= max(DAY_S, gap_s or 0.0):
                self._drop(doses, id)
        return None

    def _drop(self, doses: dict[str, _Dose], id: str) -> None:
        del doses[id]
        self._keys.pop(id, None)
