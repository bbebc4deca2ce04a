"""Acks from the broker to the requests that wait for them: decoded and committed in the broker's thread, one wake-up.

An ack that nobody here waits for is the gateway's business: the facade does not even decode it.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future

import structlog

from gateway.broker import Incoming
from gateway.ledger import Answer
from gateway.protocol.codec import decode
from gateway.protocol.errors import DecodeError, TidegateError
from gateway.protocol.messages import Ack
from gateway.protocol.topics import AckTopic, parse
from http_facade.waiters import Waiter, Waiters

log = structlog.get_logger(__name__)

Settle = Callable[[Answer], "Future[None]"]


class Acks:
    """Matches acks to waiters; ``settle`` commits an outcome and completes once that is done."""

    def __init__(self, waiters: Waiters, settle: Settle, *, requester: str) -> None:
        self._waiters = waiters
        self._settle = settle
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
            self.conclude(waiter.site, ack)

    def conclude(self, site: str, ack: Ack) -> None:
        """Commit the outcome ``ack`` and then wake who waits for it; without a commit nobody is told."""
        waiter = self._waiters.claim(ack.id)
        try:
            committed = self._settle(Answer(site=site, requester=self._requester, ack=ack))
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
