"""One run of one group: starts at the stated rate, a few commands at once, and stops at the stated share of failures.

Only this process runs it. Before each target it takes the target on in the database, which also says that it lives; so
a stop that anybody asks for, anywhere, holds from the next target on, and a run that was silent for too long is over.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Protocol

import structlog

from gateway.ledger import CommandRecord
from gateway.protocol.errors import TidegateError, Unavailable
from gateway.protocol.lifecycle import State
from http_facade.audit_notes import AuditNotes
from http_facade.dispatch import Outcome, Request
from http_facade.groups.pace import Pace, broken
from http_facade.groups.preview import refusal_of
from http_facade.groups.rows import Cause, GroupState
from http_facade.groups.store import GroupStore
from http_facade.refusals import Overloaded

log = structlog.get_logger(__name__)

#: Commands of one run that may be open at once; when that many wait, the run goes slower than its rate.
AT_ONCE: Final = 8
#: A run of which nothing is heard for so long is over.
LEASE: Final = timedelta(seconds=15)
RENEW_S: Final = 3.0
#: After its deadline a command's end is waited for so long; once accepted, as long as a slow dose may take.
GRACE_S: Final = 5.0
SLOW_S: Final = 90.0
#: For a place among those who wait for answers at this facade.
ROOM_S: Final = 10.0
_LOOK_S: Final = 0.5


class Sender(Protocol):
    """Sends one command and waits for its end; :class:`http_facade.dispatch.Dispatch`."""

    def command(self, request: Request) -> Outcome:
        """Raises what the command is refused with."""


class Reader(Protocol):
    """The ledger."""

    def get(self, command_id: str) -> CommandRecord | None:
        """One command; raises Unavailable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to be run, and how."""

    group: str
    runner: str
    requests: Sequence[Request]
    rate_per_s: float
    stop_share: float


class Run:
    """Started once; ``over`` is called at its end, whatever that is."""

    def __init__(
        self,
        order: Order,
        *,
        store: GroupStore,
        sender: Sender,
        ledger: Reader,
        audit: AuditNotes,
        over: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._order = order
        self._store = store
        self._sender = sender
        self._ledger = ledger
        self._audit = audit
        self._over = over
        self._clock = clock
        self._pace = Pace(order.rate_per_s, clock)
        self._changed = threading.Condition()
        self._closing = threading.Event()
        self._under_way = 0
        self._failed = 0
        self._heard_s = clock()
        self._lost = False
        # Daemons: a process that is told to end does not wait for a dose to run through.
        self._thread = threading.Thread(target=self._main, name=f"group-{order.group}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """Begin nothing more, and say so: this process stops."""
        self._closing.set()
        with self._changed:
            self._changed.notify_all()

    def join(self, timeout_s: float) -> None:
        """Wait for the end."""
        self._thread.join(timeout_s)

    def _main(self) -> None:
        try:
            whole = self._begin_all()
            if not whole:
                unsure = self._closing.is_set() or self._lost
                self._end(*((GroupState.INTERRUPTED, None) if unsure else (GroupState.STOPPED, Cause.FAILURES)))
            # Until then it counts among the runs of this process, for it holds places among those who wait.
            self._wait_for_open_ones()
            if whole:
                self._end(GroupState.FINISHED)
        except Exception:
            log.exception("group-run-failed", group=self._order.group)
        finally:
            self._over()

    def _begin_all(self) -> bool:
        """Begin one target after the other; False if it had to leave some out."""
        for position, request in enumerate(self._order.requests):
            if not self._wait_for_turn() or not self._hold(position):
                return False
            self._pace.begin()
            with self._changed:
                self._under_way += 1
            worker = threading.Thread(target=self._one, args=(position, request), name="group-target", daemon=True)
            worker.start()
        return True

    def _wait_for_turn(self) -> bool:
        """Until one more may begin; False if none may any more."""
        while not (self._closing.is_set() or self._lost or self._broken(self._failed)):
            with self._changed:
                # As if all that are open failed: so one target more than the share can fail, never several.
                free = self._under_way < AT_ONCE and not self._broken(self._failed + self._under_way)
                if free and not self._pace.left_s():
                    return True
                self._changed.wait(min(RENEW_S, self._pace.left_s() or RENEW_S))
            self._say_alive()
        return False

    def _wait_for_open_ones(self) -> None:
        while self._under_way and not self._closing.is_set():
            with self._changed:
                self._changed.wait_for(lambda: not self._under_way or self._closing.is_set(), RENEW_S)
            self._say_alive()

    def _say_alive(self) -> None:
        if self._clock() - self._heard_s >= RENEW_S:
            self._hold(None)

    def _broken(self, failed: int) -> bool:
        return broken(failed, targets=len(self._order.requests), stop_share=self._order.stop_share)

    def _hold(self, begin: int | None) -> bool:
        """Tell the database that we live, and what we take on; tries again while our word may still hold."""
        while not (self._closing.is_set() or self._lost):
            try:
                held = self._store.hold(self._order.group, runner=self._order.runner, lease=LEASE, begin=begin)
            except Unavailable as error:
                log.warning("group-not-held", group=self._order.group, error=str(error))
                self._lost = self._clock() - self._heard_s > LEASE.total_seconds()
                self._closing.wait(_LOOK_S)
                continue
            self._lost = not held
            self._heard_s = self._clock()
            return held
        return False

    def _one(self, position: int, request: Request) -> None:
        good = False
        try:
            good = self._judge(self._send(request)) is State.APPLIED
        except TidegateError as error:
            self._refused(position, request, error)
        except Exception:
            log.exception("group-target-failed", group=self._order.group, position=position)
        finally:
            with self._changed:
                self._under_way -= 1
                self._failed += not good
                self._changed.notify_all()

    def _send(self, request: Request) -> Outcome:
        """Send it; while too many wait for answers here, which is no fault of the target, try again."""
        give_up_s = self._clock() + ROOM_S
        while True:
            try:
                return self._sender.command(request)
            except Overloaded:
                if self._clock() >= give_up_s:
                    raise
                self._closing.wait(_LOOK_S)
                if not self._hold(None):  # stopped meanwhile
                    raise

    def _judge(self, outcome: Outcome) -> State:
        """The command's end, or its state when it has had time enough for one."""
        if outcome.ack is not None:
            return outcome.ack.state
        state, began_s = State.PENDING, self._clock()
        while not self._closing.is_set():
            try:
                record = self._ledger.get(outcome.id)
            except Unavailable as error:
                log.warning("ledger-unread", command=outcome.id, error=str(error))
                record = None
            state = state if record is None else record.state
            patience_s = {State.PENDING: GRACE_S, State.ACCEPTED: SLOW_S}.get(state, 0)
            if self._clock() - began_s >= patience_s:
                break
            self._closing.wait(_LOOK_S)
        return state

    def _refused(self, position: int, request: Request, error: TidegateError) -> None:
        why = refusal_of(error)
        self._audit.refusal(
            site=request.site,
            device=request.device,
            name=request.name,
            actor=request.actor,
            source_address=request.source_address,
            input=request.input,
            code=why["code"],
            detail=why["detail"],
        )
        try:
            self._store.refuse(self._order.group, position, code=why["code"], detail=why["detail"])
        except Unavailable as failure:
            log.warning("refusal-not-noted", group=self._order.group, position=position, error=str(failure))

    def _end(self, state: GroupState, cause: Cause | None = None) -> None:
        try:
            self._store.end(self._order.group, state, runner=self._order.runner, cause=cause)
        except Unavailable as error:
            log.warning("group-end-not-noted", group=self._order.group, error=str(error))
