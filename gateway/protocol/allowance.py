"""What an action's limits allow now: the rule by which a site refuses doses, and the centre foretells that. Pure.

The site judges, by its journal; the centre knows only what it has heard.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from gateway.protocol.description import Limit
from gateway.protocol.lifecycle import State
from gateway.protocol.messages import Value

#: "Per day" is any stretch of so long, not a calendar's day.
WINDOW_S: Final = 86_400.0
#: Proved to have had no effect.
_VOID: Final = frozenset({State.REJECTED, State.EXPIRED, State.FAILED})


@dataclass(frozen=True, slots=True)
class Given:
    """A dose, and how long ago the PLC was asked for it."""

    amount: float
    age_s: float


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


@dataclass(frozen=True, slots=True)
class Allowance:
    """The limits, None where there is none; what was given in the last 24 hours, and how long ago the last dose was."""

    largest: float | None
    least_gap_s: float | None
    most: float | None
    used: float
    last_s: float | None

    @property
    def left(self) -> float | None:
        """What may still be given now, in all; None: as much as you like."""
        return None if self.most is None else max(0.0, self.most - self.used)

    @property
    def wait_s(self) -> float:
        """Until the least gap is over; 0 if nothing is to be waited for."""
        return 0.0 if self.least_gap_s is None or self.last_s is None else max(0.0, self.least_gap_s - self.last_s)

    def breach(self, amount: float) -> Breach | None:
        """The first limit that a dose of ``amount`` would break now."""
        if self.largest is not None and amount > self.largest:
            return Breach(Limit.LARGEST, self.largest, amount, amount)
        if self.least_gap_s is not None and self.last_s is not None and self.last_s < self.least_gap_s:
            return Breach(Limit.LEAST_GAP_S, self.least_gap_s, self.last_s, amount)
        if self.most is not None and self.used + amount > self.most:
            return Breach(Limit.MOST_PER_DAY, self.most, self.used, amount)
        return None


def allowance(limits: Mapping[Limit, float], given: Iterable[Given]) -> Allowance:
    """Of an action with these limits, after these doses; what counts for nothing is not among them."""
    doses = list(given)
    return Allowance(
        largest=limits.get(Limit.LARGEST),
        least_gap_s=limits.get(Limit.LEAST_GAP_S),
        most=limits.get(Limit.MOST_PER_DAY),
        used=sum(each.amount for each in doses if each.age_s < WINDOW_S),
        last_s=min((each.age_s for each in doses), default=None),
    )


def remembered_s(limits: Mapping[Limit, float]) -> float:
    """Doses that are older count for nothing any more."""
    return max(WINDOW_S, limits.get(Limit.LEAST_GAP_S, 0.0))


def counted_of(state: State, result: Mapping[str, Value | None]) -> float | None:
    """What a dose counts for by what is known of its end: 0, nothing at all; None, all that was asked for."""
    if state in _VOID:
        return 0.0
    amount = next((value for name, value in result.items() if name.endswith("_counted")), None)
    if state in (State.APPLIED, State.PARTIAL) and isinstance(amount, int | float):
        return amount
    return None
