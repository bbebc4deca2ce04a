"""The one order of a command: validate, gate, ledger row committed, publish, wait, outcome committed, answer.

Up to the ledger row nothing has happened. From the publish on, an answer is never "refused" without evidence (I5).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final, Protocol

import structlog
from pydantic import ValidationError

from gateway.broker import BrokerRefused
from gateway.ledger import Answer, Asked
from gateway.protocol.codec import faults_of
from gateway.protocol.description import Description, check_write
from gateway.protocol.errors import Fault, InvalidInput, TidegateError, Unavailable, json_pointer
from gateway.protocol.lifecycle import State
from gateway.protocol.messages import Ack, After, Command, Expect, Message, Value
from gateway.protocol.topics import WRITE, CommandTopic, Topic
from http_facade.acks import Acks
from http_facade.catalogue import Catalogue
from http_facade.gate import Gate
from http_facade.minting import CommandIds
from http_facade.refusals import BrokerUnavailable, LedgerUnavailable
from http_facade.waiters import Waiter, Waiters

log = structlog.get_logger(__name__)

#: A commit that takes longer is given up; the command was not sent then.
RECORD_TIMEOUT_S: Final = 5.0
#: For noting why a recorded command was not sent; the answer does not depend on it.
VOID_TIMEOUT_S: Final = 1.0


class Link(Protocol):
    """The connection to the broker."""

    @property
    def connected(self) -> bool:
        """Whether a publish can leave now."""

    def publish(self, topic: Topic, message: Message, *, expiry_s: int | None = None) -> Future[None]:
        """Hand over now or never; raises Unavailable if there is no connection."""


class Recorder(Protocol):
    """The ledger's writing side; a future completes when the transaction is committed."""

    def record(self, asked: Asked) -> Future[None]:
        """Insert the command's row."""

    def settle(self, answer: Answer) -> Future[None]:
        """Move the command on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """Settings that somebody wants; ``wait_s`` is the caller's patience, ``revision`` a condition."""

    site: str
    device: str
    values: Mapping[str, Any]
    ttl_s: float
    wait_s: float
    revision: str | None
    actor: str
    source_address: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What is known when the answer is due: the command, and its final ack if there was one."""

    asked: Asked
    ack: Ack | None


class Dispatch:
    """Carries writes out; its methods are safe from any thread and hold no lock while they wait."""

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        gate: Gate,
        link: Link,
        ledger: Recorder,
        waiters: Waiters,
        acks: Acks,
        requester: str,
    ) -> None:
        self._catalogue = catalogue
        self._gate = gate
        self._link = link
        self._ledger = ledger
        self._waiters = waiters
        self._acks = acks
        self._requester = requester
        self._ids = CommandIds()

    def write(self, write: Write) -> Outcome:
        """Change settings of a device, and wait for the truth about it.

        Raises:
            Refusal, InvalidInput, Unavailable: nothing was and will be published.
        """
        description = self._catalogue.description(write.site, write.device)
        values = _checked(description, write.values)
        after = self._gate.check(write.site, description.plc)
        if not self._link.connected:
            raise BrokerUnavailable("the link to the broker is down; nothing was sent")
        asked = self._asked(write, values)
        waiter = Waiter(write.site, write.device, WRITE)
        with self._waiters.expect(asked.id, waiter):
            self._record(asked, after)
            self._publish(asked, after)
            ack = waiter.wait(write.wait_s) if write.wait_s > 0 else None
        return Outcome(asked=asked, ack=ack)

    def _asked(self, write: Write, values: Mapping[str, Value]) -> Asked:
        return Asked(
            id=self._ids.next(),
            site=write.site,
            device=write.device,
            name=WRITE,
            requester=self._requester,
            actor=write.actor,
            reason=None,
            input=values,
            expect_revision=write.revision,
            issued_at=datetime.now(UTC),
            ttl_s=write.ttl_s,
            source_address=write.source_address,
        )

    def _record(self, asked: Asked, after: After) -> None:
        """Commit the row: no row, no command."""
        try:
            self._ledger.record(asked).result(min(asked.ttl_s, RECORD_TIMEOUT_S))
        except (FutureTimeoutError, Unavailable) as error:
            detail = "the ledger took too long" if isinstance(error, FutureTimeoutError) else str(error)
            # The row may have been committed, or be so yet: this follows it in the writer's queue.
            self._void(asked, after, LedgerUnavailable.code, detail, timeout_s=0)
            raise LedgerUnavailable(f"{detail}; nothing was sent") from error

    def _publish(self, asked: Asked, after: After) -> None:
        command = Command(
            id=asked.id,
            input=dict(asked.input),
            issued_at=asked.issued_at,
            ttl_s=asked.ttl_s,
            after=after,
            expect=None if asked.expect_revision is None else Expect(revision=asked.expect_revision),
            actor=asked.actor,
        )
        topic = CommandTopic(site=asked.site, requester=self._requester, device=asked.device, name=asked.name)
        try:
            confirmed = self._link.publish(topic, command, expiry_s=math.ceil(asked.ttl_s))
        except (Unavailable, BrokerRefused) as error:
            self._void(asked, after, BrokerUnavailable.code, str(error))
            raise BrokerUnavailable(f"{error}; nothing was sent") from error
        confirmed.add_done_callback(partial(self._confirmed, asked, after))

    def _confirmed(self, asked: Asked, after: After, confirmed: Future[None]) -> None:
        """In the broker's thread: the PUBACK came, or never will."""
        error = confirmed.exception()
        if error is None:
            return
        if isinstance(error, BrokerRefused):
            self._acks.conclude(asked.site, _rejection(asked, after, BrokerRefused.code, str(error)))
            return
        # Handed over and lost: it may have arrived. Only evidence will tell, and that comes to the gateway.
        waiter = self._waiters.claim(asked.id)
        if waiter is not None:
            waiter.finish(None)

    def _void(self, asked: Asked, after: After, code: str, detail: str, *, timeout_s: float = VOID_TIMEOUT_S) -> None:
        """Note in the ledger that a command was never sent."""
        answer = Answer(site=asked.site, requester=self._requester, ack=_rejection(asked, after, code, detail))
        try:
            noted = self._ledger.settle(answer)
            if timeout_s:
                noted.result(timeout_s)
        except (TidegateError, FutureTimeoutError) as error:
            log.warning("unsent-command-not-noted", command=asked.id, error=str(error))


def _checked(description: Description, values: Mapping[str, Any]) -> Mapping[str, Value]:
    """The values if the device may be asked for them; raises InvalidInput with every fault.

    RFC 7396 reads null as "remove", and a setting cannot be removed.
    """
    nulls = [name for name, value in values.items() if value is None]
    faults = [
        Fault(json_pointer(name), "cannot-remove", "a setting cannot be removed; give it a value") for name in nulls
    ]
    rest = {name: value for name, value in values.items() if value is not None}
    if rest or not nulls:
        faults += check_write(description, rest)
    if not faults:
        try:
            return Command(input=rest).input
        except ValidationError as error:
            faults = [Fault(each.pointer.removeprefix("/input"), each.code, each.detail) for each in faults_of(error)]
    raise InvalidInput(faults)


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
