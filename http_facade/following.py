"""Waiting for the end of a command that another request, or another facade, has sent: by ack or by ledger, bounded."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, Protocol

import structlog

from gateway.ledger import CommandRecord
from gateway.protocol.errors import Unavailable
from http_facade.refusals import Overloaded
from http_facade.waiters import Waiter, Waiters

log = structlog.get_logger(__name__)

#: Between two looks into the ledger: at first, doubled each time, and at most.
FIRST_PAUSE_S: Final = 0.05
LONGEST_PAUSE_S: Final = 0.5


class Reader(Protocol):
    """The ledger, one command at a time."""

    def get(self, command_id: str) -> CommandRecord | None:
        """The command with its time line; raises Unavailable."""


class Follower:
    """Waits on behalf of requests that did not send the command themselves."""

    def __init__(self, ledger: Reader, waiters: Waiters, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._ledger = ledger
        self._waiters = waiters
        self._clock = clock

    def follow(self, record: CommandRecord, wait_s: float) -> CommandRecord:
        """The command as it is at its end, or when the patience ends.

        When too many wait already, as it is now: it was sent, so no answer may look like a refusal (I5).
        """
        if record.state.final or wait_s <= 0:
            return record
        try:
            with self._waiters.expect(record.id, waiter_of(record)) as waiter:
                return self.watch(record, wait_s, waiter)
        except Overloaded:
            return record

    def watch(self, record: CommandRecord, wait_s: float, waiter: Waiter) -> CommandRecord:
        """The same for who has a place among the waiters."""
        until_s, pause_s, last = self._clock() + wait_s, FIRST_PAUSE_S, False
        while not (record.state.final or last):
            left_s = until_s - self._clock()
            last = left_s <= 0 or waiter.over
            if not last:
                # Our own commands' acks come to the waiter; of another facade's only the ledger tells.
                waiter.wait(min(pause_s, left_s))
                pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
            record = self._newest(record)
        return record

    def _newest(self, record: CommandRecord) -> CommandRecord:
        try:
            return self._ledger.get(record.id) or record
        except Unavailable as error:
            log.warning("ledger-unread", command=record.id, error=str(error))
            return record


def waiter_of(record: CommandRecord) -> Waiter:
    """Who takes acks of this command."""
    return Waiter(record.site, record.device, record.name)
