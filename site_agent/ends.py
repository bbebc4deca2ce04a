"""How commands end: on disk first, then to whoever asked, and again until the centre has it (I6, I7)."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Final, Protocol

import structlog

from gateway.crash import point
from gateway.protocol.errors import Unavailable
from gateway.protocol.messages import Ack
from gateway.protocol.topics import AckTopic, reply_topic
from site_agent.dosage import Dosage
from site_agent.journal import Entry, Journal

#: Ends that the centre has not yet confirmed; above it new commands are refused (I15).
UNSETTLED_LIMIT: Final = 10_000
_JOURNAL_RETRY_S: Final = 1.0

log = structlog.get_logger(__name__)


class Outlet(Protocol):
    """Where acks go; losing one is harmless, it is repeated until committed."""

    def send_ack(self, topic: AckTopic, ack: Ack, *, at: str | None = None, correlation: bytes | None = None) -> None:
        """Publish if connected; ``at`` is the Response Topic, where it is another than the ack's own."""


@dataclass(frozen=True, slots=True)
class ReplyTo:
    """The MQTT 5 Response Topic and Correlation Data of a command."""

    topic: str | None = None
    correlation: bytes | None = None


NOWHERE_ELSE: Final = ReplyTo()


class Ends:
    """The last word about each command that the centre does not have yet."""

    def __init__(self, site: str, journal: Journal, outlet: Outlet, dosage: Dosage) -> None:
        self._site = site
        self._journal = journal
        self._outlet = outlet
        self._dosage = dosage
        self._unsettled: dict[str, tuple[str, Ack]] = {}
        #: Those that were there at the last round of reminders.
        self._due: set[str] = set()

    @property
    def full(self) -> bool:
        """Whether too many ends wait for the centre already."""
        return len(self._unsettled) >= UNSETTLED_LIMIT

    def last(self, id: str) -> Ack | None:
        """What was said last about a command that the centre does not have yet."""
        found = self._unsettled.get(id)
        return None if found is None else found[1]

    def keep(self, requester: str, outcome: Ack) -> None:
        """Repeat it until the centre has it; it is on disk already."""
        self._unsettled[outcome.id] = (requester, outcome)

    def turn_away(self, requester: str, outcome: Ack, reply: ReplyTo) -> None:
        """Say that nothing is done; it is on disk already.

        Said again only as long as there is room: a flood of commands must not fill the memory (I15), and whoever missed
        the answer can ask.
        """
        if not self.full:
            self.keep(requester, outcome)
        self.say(requester, outcome, reply)

    async def conclude(self, entry: Entry, outcome: Ack) -> None:
        """Make it durable. No ack may leave before, so this waits for a full disk to be cleared."""
        while True:
            try:
                await self._journal.conclude(outcome, int(time.time()))
            except Unavailable as error:
                log.error("journal-unavailable", command=outcome.id, cause=str(error))
                await asyncio.sleep(_JOURNAL_RETRY_S)
            else:
                self._dosage.learn(outcome)
                self.keep(entry.requester, outcome)
                point("agent-concluded")
                return

    def say(self, requester: str, ack: Ack, reply: ReplyTo = NOWHERE_ELSE) -> None:
        """Tell whoever asked."""
        home = AckTopic(self._site, requester, ack.id)
        self._outlet.send_ack(home, ack, correlation=reply.correlation)
        asked = reply_topic(reply.topic, home)
        if asked != str(home):
            self._outlet.send_ack(home, ack, at=asked, correlation=reply.correlation)

    def repeat(self) -> None:
        """Say every end again that the centre has not confirmed."""
        for requester, ack in self._unsettled.values():
            self._outlet.send_ack(AckTopic(self._site, requester, ack.id), ack)

    def remind(self, limit: int) -> None:
        """Say some of them again, each as often as the others; what has come up since the last round may wait."""
        due = [each for each in self._unsettled if each in self._due][:limit]
        for each in due:
            requester, ack = self._unsettled[each] = self._unsettled.pop(each)
            self._outlet.send_ack(AckTopic(self._site, requester, ack.id), ack)
        self._due = set(self._unsettled)

    def settle(self, ids: tuple[str, ...]) -> None:
        """The centre has these ends now."""
        ended = [each for each in ids if each not in self._unsettled or self._unsettled[each][1].final]
        for each in ended:
            self._unsettled.pop(each, None)
        if ended:
            self._journal.settle(ended)
