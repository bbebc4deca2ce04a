"""When to ask a site again what became of a command: worked out without touching broker, database or clock.

Only a site that beats is asked. A new connection is asked at once about everything, since what kept the answers away
may be over; after that each command's turn comes more and more rarely.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from gateway.ledger_questions import Question

#: A site that has just connected repeats its acks by itself; most questions are answered by then.
SETTLING_S: Final = 1.0
#: Between two rounds of one site.
ROUND_S: Final = 1.0
FIRST_DELAY_S: Final = 2.0
LAST_DELAY_S: Final = 600.0
#: Questions of one site in one round.
PER_ROUND: Final = 50
#: Sites of one round; gates and acks wait for its end.
SITES: Final = 50
#: Commands whose next turn is remembered. A forgotten one is asked about too early, which does no harm.
REMEMBERED: Final = 10_000


@dataclass(slots=True)
class _Site:
    epoch: int
    heard_s: float
    look_at_s: float
    #: The round has come to this id; the next one goes on behind it.
    cursor: str = ""


class _Turn(NamedTuple):
    epoch: int
    at_s: float
    delay_s: float


class Questions:
    """In memory, one small entry per site that has credentials at the broker; for one thread."""

    def __init__(self, *, expiry_s: float) -> None:
        self._expiry_s = expiry_s
        self._sites: dict[str, _Site] = {}
        #: By the time of the last question, the oldest first.
        self._turns: dict[str, _Turn] = {}

    def heard(self, site: str, epoch: int, now_s: float) -> None:
        """A beat was let in."""
        known = self._sites.get(site)
        if known is None or epoch > known.epoch:
            self._sites[site] = _Site(epoch, now_s, now_s + SETTLING_S)
        else:
            known.heard_s = now_s

    def ended(self, site: str, epoch: int) -> None:
        """A connection is over: nobody is there to answer."""
        known = self._sites.get(site)
        if known is not None and known.epoch <= epoch:
            del self._sites[site]

    def due(self, unresolved: Collection[str], now_s: float) -> list[str]:
        """Which of the sites that have unresolved commands to look at now, the longest waiting first."""
        found = [(known.look_at_s, site) for site in unresolved if (known := self._live(site, now_s)) is not None]
        return [site for look_at_s, site in sorted(found)[:SITES] if look_at_s <= now_s]

    def cursor(self, site: str) -> str:
        """The id behind which this round of a due site begins."""
        return self._sites[site].cursor

    def choose(self, site: str, page: Sequence[Question], now_s: float) -> list[Question]:
        """Those of a due site's page whose turn it is; the next round goes on behind the page, or from the start."""
        known = self._sites[site]
        known.look_at_s = now_s + ROUND_S
        known.cursor = page[-1].id if len(page) >= PER_ROUND else ""
        return [each for each in page if self._is_due(each.id, known.epoch, now_s)]

    def asked(self, question: Question, now_s: float) -> None:
        """It was handed to the broker."""
        epoch = self._sites[question.topic.site].epoch
        last = self._turns.pop(question.id, None)
        delay_s = FIRST_DELAY_S
        if last is not None and last.epoch == epoch:
            delay_s = min(2 * last.delay_s, LAST_DELAY_S)
        self._turns[question.id] = _Turn(epoch, now_s + delay_s, delay_s)
        if len(self._turns) > REMEMBERED:
            del self._turns[next(iter(self._turns))]

    def _live(self, site: str, now_s: float) -> _Site | None:
        known = self._sites.get(site)
        return None if known is None or now_s - known.heard_s > self._expiry_s else known

    def _is_due(self, command_id: str, epoch: int, now_s: float) -> bool:
        turn = self._turns.get(command_id)
        return turn is None or turn.epoch != epoch or turn.at_s <= now_s
