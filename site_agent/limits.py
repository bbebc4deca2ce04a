"""Limits that the site itself keeps on doses: the largest, the least gap, the most in any 24 hours. Pure.

The rule itself is :mod:`gateway.protocol.allowance`; here is what it is asked about.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from gateway.protocol.allowance import Breach, Given, allowance, remembered_s
from gateway.protocol.description import Limit
from site_agent.clock import Stamp, age_s


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
        ages_s = {id: age_s(dose.stamp, now) for id, dose in doses.items()}
        breach = allowance(limits, [Given(doses[id].amount, age) for id, age in ages_s.items()]).breach(amount)
        if breach is None:
            for id, age in ages_s.items():
                if age >= remembered_s(limits):
                    self._drop(doses, id)
        return breach

    def _drop(self, doses: dict[str, _Dose], id: str) -> None:
        del doses[id]
        self._keys.pop(id, None)
