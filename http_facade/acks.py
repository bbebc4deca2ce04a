"""Acks from the broker to the requests that wait for them: decoded and committed in the broker's thread, one wake-up.

An ack that nobody here waits for is the gateway's business: the facade does not even decode it.
"""

from __future__ import annotations

from concurrent.futures import Future
from datetime import datetime
from typing import Protocol

import structlog

from gateway.broker import Incoming
from gateway.ledger import Answer
from gateway.protocol.codec import decode
from gateway.protocol.errors import DecodeError, TidegateError
from gateway.protocol.messages import Ack
from gateway.protocol.topics import AckTopic, parse
from http_facade.waiters import Waiter, Waiters

log = structlog.get_logger(__name__)


class Outcomes(Protocol):
    """Where the ledger takes what became of commands; a future completes when the transaction is committed."""

    def settle(self, answer: Answer) -> Future[None]:
        """Move the command on."""

    def published(self, id: str, at: datetime) -> Future[None]:
        """Note in its time line when it was handed to the broker."""


class Acks:
    """Matches acks to waiters, and tells them once the outcome is committed."""

    def __init__(self, waiters: Waiters, outcomes: Outcomes, *, requester: str) -> None:
        self._waiters = waiters
        self._outcomes = outcomes
        self._requester = requester
        #: Acks for a command that waits here which could not be read.
        self.undecodable = 0

    def on_message(self, incoming: Incoming) -> None:
        """Take one message of the acks subscription; never raises, never waits."""
        waiter = self._waiters.find(incoming.topic[incoming.topic.rfind("/") + 1 :])
        if waiter is None or incoming.retained:
            return
        try:
            topic = parse(incoming.topic)
            ack = decode(Ack, incoming.topic, incoming.payload)
        except DecodeError as error:
            self.undecodable += 1
            log.warning("ack-undecodable", error=str(error), count=self.undecodable)
            return
        if ack.final and self._fits(topic, ack, waiter):
            self.conclude(waiter.site, ack, published_at=waiter.published_at)

    def conclude(self, site: str, ack: Ack, *, published_at: datetime | None) -> None:
        """Commit the outcome ``ack`` and then wake who waits for it; without a commit nobody is told.

        ``published_at`` is handed in first, for nobody waits for it: it rides in the transaction of the outcome, and
        whoever is told of that finds the whole time line.
        """
        waiter = self._waiters.claim(ack.id)
        try:
            if published_at is not None:
                self._outcomes.published(ack.id, published_at)
            committed = self._outcomes.settle(Answer(site=site, requester=self._requester, ack=ack))
        except TidegateError as error:
            log.warning("outcome-not-committed", command=ack.id, error=str(error))
            if waiter is not None:
                waiter.finish(None)
            return
        if waiter is not None:
            committed.add_done_callback(lambda done: _wake(waiter, ack, done))

    def _fits(self, topic: object, ack: Ack, waiter: Waiter) -> bool:
        """Whether it is the word of the very site that was asked, about the very command (I13)."""
        return (
            isinstance(topic, AckTopic)
            and topic.requester == self._requester
            and (topic.site, topic.id) == (waiter.site, ack.id)
            and (ack.device, ack.name) == (waiter.device, waiter.name)
        )


def _wake(waiter: Waiter, ack: Ack, committed: Future[None]) -> None:
    error = committed.exception()
    if error is not None:
        log.warning("outcome-not-committed", command=ack.id, error=str(error))
    waiter.finish(ack if error is None else None)
