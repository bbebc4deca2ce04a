"""Cancelling a command that nobody has begun: the agent decides, for only it knows whether anything was sent.

A cancel has no effect of its own, and so needs no open gate: at a silent site it is simply not heard.
"""

from __future__ import annotations

from concurrent.futures import Future
from datetime import UTC, datetime
from typing import Final

from gateway.broker import BrokerRefused
from gateway.ledger import CommandRecord
from gateway.protocol.codes import AckCode
from gateway.protocol.errors import Unavailable
from gateway.protocol.ids import is_command_id, is_facade
from gateway.protocol.lifecycle import State
from gateway.protocol.messages import After, Command
from gateway.protocol.topics import CANCEL, CommandTopic
from http_facade.audit_notes import AuditNotes
from http_facade.following import Follower, Reader, waiter_of
from http_facade.handing_over import HandOver
from http_facade.refusals import BrokerUnavailable, NotCancellable, NotFound
from http_facade.representations import recorded_command
from http_facade.waiters import Waiters

#: The broker keeps a cancel no longer than this for a site that is not there.
EXPIRY_S: Final = 10
_OPEN: Final = (State.PENDING, State.ACCEPTED)


class Cancelling:
    """Cancels commands of this facade and of others; safe from any thread."""

    def __init__(self, *, hand_over: HandOver, ledger: Reader, waiters: Waiters, audit: AuditNotes) -> None:
        self._audit = audit
        self._hand_over = hand_over
        self._ledger = ledger
        self._waiters = waiters
        self._follower = Follower(ledger, waiters)

    def cancel(self, command_id: str, *, actor: str, source_address: str | None, wait_s: float) -> CommandRecord:
        """Ask the site to forget the command, and wait for its word: cancelled, or still pending.

        Raises:
            NotFound: there is no such command.
            NotCancellable: it is not a facade's, is under way, or came to another end.
            Overloaded, BrokerUnavailable, Unavailable: no cancel was sent.
        """
        record = self._ledger.get(command_id) if is_command_id(command_id) else None
        if record is None:
            raise NotFound("command", command_id)
        if not is_facade(record.requester):
            detail = f"it is a command of {record.requester}; only its requester can cancel it"
            raise NotCancellable(detail, recorded_command(record))
        if record.state in _OPEN:
            self._audit.cancel(record, actor=actor, source_address=source_address)
            with self._waiters.expect(record.id, waiter_of(record)) as waiter:
                confirmed = self._publish(record, actor)
                record = self._follower.watch(record, wait_s, waiter)
            if not record.state.final:
                _raise_if_refused(confirmed)
        return _judged(record)

    def _publish(self, record: CommandRecord, actor: str) -> Future[None]:
        me = self._hand_over.requester
        command = Command(
            id=record.id,
            input={},
            # By these the agent knows whether it would remember the command.
            issued_at=record.issued_at or datetime.now(UTC),
            ttl_s=EXPIRY_S,
            after=None if record.asked_epoch is None else After(epoch=record.asked_epoch, seq=0, age_s=0),
            asked_by=None if record.requester == me else record.requester,
            actor=actor,
        )
        topic = CommandTopic(site=record.site, requester=me, device=record.device, name=CANCEL)
        if not self._hand_over.connected:
            raise BrokerUnavailable("the link to the broker is down; no cancel was sent")
        try:
            return self._hand_over.out_of_turn(topic, command, expiry_s=EXPIRY_S)
        except (Unavailable, BrokerRefused) as error:
            raise BrokerUnavailable(f"{error}; no cancel was sent") from error


def _raise_if_refused(confirmed: Future[None]) -> None:
    error = confirmed.exception() if confirmed.done() else None
    if isinstance(error, BrokerRefused):
        raise BrokerUnavailable(f"{error}; no cancel was sent") from error


def _judged(record: CommandRecord) -> CommandRecord:
    if record.state is State.PENDING or (record.state, record.code) == (State.REJECTED, AckCode.CANCELLED):
        return record
    under_way = "it is under way at the site" if record.state is State.ACCEPTED else f"the command is {record.state}"
    raise NotCancellable(f"{under_way}; nothing was cancelled", recorded_command(record))
