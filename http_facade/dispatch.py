"""The one order of a command: validate, gate, ledger row committed, publish, wait, outcome committed, answer.

Up to the ledger row nothing has happened. From the publish on, an answer is never "refused" without evidence (I5).
"""

from __future__ import annotations

import math
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from datetime import UTC, datetime
from functools import partial
from typing import Final, Protocol

import structlog

from gateway.broker import BrokerRefused
from gateway.crash import point
from gateway.ledger import Answer, Asked, CommandRecord
from gateway.ledger_rows import Recorded
from gateway.protocol.errors import TidegateError, Unavailable
from gateway.protocol.lifecycle import State
from gateway.protocol.messages import Ack, After, Command, Expect
from gateway.protocol.topics import CommandTopic
from http_facade.acks import Acks, Outcomes
from http_facade.catalogue import Catalogue
from http_facade.checking import checked_input
from http_facade.following import Follower, Reader
from http_facade.gate import Gate
from http_facade.handing_over import HandOver
from http_facade.minting import CommandIds
from http_facade.refusals import BrokerUnavailable, KeyConflict, LedgerUnavailable
from http_facade.request import Checked, Outcome, Request
from http_facade.waiters import Waiter, Waiters

__all__ = ["Checked", "Dispatch", "Outcome", "Request"]

log = structlog.get_logger(__name__)

#: A commit that takes longer is given up; the command was not sent then.
RECORD_TIMEOUT_S: Final = 5.0
#: For noting why a recorded command was not sent; the answer does not depend on it.
VOID_TIMEOUT_S: Final = 1.0


class Recorder(Outcomes, Protocol):
    """The ledger's writing side; a future completes when the transaction is committed."""

    def record(self, asked: Asked) -> Future[Recorded]:
        """Insert the command's row, unless its actor's key names another command."""


class Keys(Reader, Protocol):
    """The ledger's reading side."""

    def by_key(self, actor: str, key: str) -> CommandRecord | None:
        """The command that the actor's Idempotency-Key names; raises Unavailable."""


class Dispatch:
    """Carries commands out; its methods are safe from any thread and hold no lock while they wait."""

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        gate: Gate,
        hand_over: HandOver,
        recorder: Recorder,
        ledger: Keys,
        waiters: Waiters,
        acks: Acks,
    ) -> None:
        self._catalogue = catalogue
        self._gate = gate
        self._hand_over = hand_over
        self._recorder = recorder
        self._ledger = ledger
        self._waiters = waiters
        self._acks = acks
        self._follower = Follower(ledger, waiters)
        self._ids = CommandIds()

    def check(self, request: Request) -> Checked:
        """All that is looked at before the ledger row; without any effect.

        Raises:
            Refusal, InvalidInput, Unavailable: it may not be asked for now.
        """
        description = self._catalogue.description(request.site, request.device)
        values = checked_input(description, request.name, request.input)
        after = self._gate.check(request.site, description.plc)
        if not self._hand_over.connected:
            raise BrokerUnavailable("the link to the broker is down; nothing was sent")
        return Checked(description=description, input=values, after=after)

    def command(self, request: Request) -> Outcome:
        """Send the command, and wait for the truth about it; a key that is known leads to its first command.

        One that is recorded and cannot be sent has come to its end by that.

        Raises:
            Refusal, InvalidInput, Unavailable: nothing was and will be published by this request.
        """
        identity = request.identity()
        if request.key is not None:
            # Before gate and description: what became of it can be told while the site is silent.
            first = self._ledger.by_key(request.actor, request.key)
            if first is not None:
                return self._replay(request, identity, first)
        checked = self.check(request)
        asked = self._asked(request, checked, identity)
        waiter = Waiter(request.site, request.device, request.name)
        with self._waiters.expect(asked.id, waiter):
            point("facade-before-record")
            recorded = self._record(asked, checked.after)
            if recorded.fresh:
                point("facade-recorded")
                unsent = self._publish(asked, checked.after, waiter)
                point("facade-published")
                ack = unsent or self._wait(asked, waiter, request.wait_s)
                point("facade-before-answer")
                return Outcome(asked=asked, ack=ack)
        # Another request with the same key was quicker by a hair.
        first = self._ledger.get(recorded.id)
        if first is None:
            raise LedgerUnavailable("the ledger does not show the command that this key names; ask again")
        return self._replay(request, identity, first)

    def _replay(self, request: Request, identity: str | None, first: CommandRecord) -> Outcome:
        if first.fingerprint != identity:
            raise KeyConflict(first.id)
        return Outcome(record=self._follower.follow(first, request.wait_s))

    def _asked(self, request: Request, checked: Checked, identity: str | None) -> Asked:
        return Asked(
            id=self._ids.next(),
            site=request.site,
            device=request.device,
            name=request.name,
            requester=self._hand_over.requester,
            actor=request.actor,
            reason=None,
            input=checked.input,
            expect_revision=request.revision,
            issued_at=datetime.now(UTC),
            ttl_s=request.ttl_s,
            source_address=request.source_address,
            asked_epoch=checked.after.epoch,
            key=request.key,
            fingerprint=identity,
        )

    def _record(self, asked: Asked, after: After) -> Recorded:
        """Commit the row: no row, no command."""
        try:
            return self._recorder.record(asked).result(min(asked.ttl_s, RECORD_TIMEOUT_S))
        except (FutureTimeoutError, Unavailable) as error:
            detail = "the ledger took too long" if isinstance(error, FutureTimeoutError) else str(error)
            # The row may have been committed, or be so yet: this follows it in the writer's queue.
            self._void(asked, after, LedgerUnavailable.code, detail, timeout_s=0)
            raise LedgerUnavailable(f"{detail}; nothing was sent", command=asked.id) from error

    def _publish(self, asked: Asked, after: After, waiter: Waiter) -> Ack | None:
        """Hand it over; if that cannot be, its end."""
        command = Command(
            id=asked.id,
            input=dict(asked.input),
            issued_at=asked.issued_at,
            ttl_s=asked.ttl_s,
            after=after,
            expect=None if asked.expect_revision is None else Expect(revision=asked.expect_revision),
            actor=asked.actor,
        )
        topic = CommandTopic(site=asked.site, requester=asked.requester, device=asked.device, name=asked.name)
        waiter.published_at = datetime.now(UTC)
        try:
            confirmed = self._hand_over.in_order(topic, command, expiry_s=math.ceil(asked.ttl_s))
        except (Unavailable, BrokerRefused) as error:
            return self._void(asked, after, BrokerUnavailable.code, f"{error}; nothing was sent")
        confirmed.add_done_callback(partial(self._confirmed, asked, after))
        return None

    def _wait(self, asked: Asked, waiter: Waiter, wait_s: float) -> Ack | None:
        ack = waiter.wait(wait_s) if wait_s > 0 else None
        if ack is None and waiter.published_at is not None:  # otherwise the outcome took it along
            try:
                self._recorder.published(asked.id, waiter.published_at)
            except TidegateError as error:
                log.warning("publish-not-noted", command=asked.id, error=str(error))
        return ack

    def _confirmed(self, asked: Asked, after: After, confirmed: Future[None]) -> None:
        """In the broker's thread: the PUBACK came, or never will."""
        error = confirmed.exception()
        if error is None:
            return
        if isinstance(error, BrokerRefused):
            rejection = _rejection(asked, after, BrokerRefused.code, str(error))
            self._acks.conclude(asked.site, rejection, published_at=None)
            return
        # Handed over and lost: it may have arrived. Only evidence will tell, and that comes to the gateway.
        waiter = self._waiters.claim(asked.id)
        if waiter is not None:
            waiter.finish(None)

    def _void(self, asked: Asked, after: After, code: str, detail: str, *, timeout_s: float = VOID_TIMEOUT_S) -> Ack:
        """Note in the ledger that a command was never sent; its end."""
        ack = _rejection(asked, after, code, detail)
        answer = Answer(site=asked.site, requester=asked.requester, ack=ack)
        try:
            noted = self._recorder.settle(answer)
            if timeout_s:
                noted.result(timeout_s)
        except (TidegateError, FutureTimeoutError) as error:
            log.warning("unsent-command-not-noted", command=asked.id, error=str(error))
        return ack


def _rejection(asked: Asked, after: After, code: str, detail: str) -> Ack:
    """What the facade itself knows for certain: nobody received this command."""
    return Ack(
        id=asked.id,
        device=asked.device,
        name=asked.name,
        input=dict(asked.input),
        actor=asked.actor,
        state=State.REJECTED,
        code=code,
        detail=detail[:1024],
        epoch=after.epoch,
        at=datetime.now(UTC),
    )
