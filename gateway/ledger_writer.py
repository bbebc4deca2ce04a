"""Group commit: many threads' entries, one transaction at a time.

A commit costs one disk flush, however much it holds. While one is under way the next group gathers, so that the
ledger keeps up with any number of threads and a lone command waits for nothing but its own flush.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, InvalidStateError
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Final

import structlog
from sqlalchemy.exc import DBAPIError, OperationalError, StatementError

from gateway.audit_chain import Entry
from gateway.database.engine import writing
from gateway.ledger import Ledger
from gateway.ledger_rows import Answer, Asked, Published, Recorded
from gateway.protocol.errors import TidegateError, Unavailable
from gateway.trail import Trail

log = structlog.get_logger(__name__)

#: Entries that may wait; at 500 commands a second this is two seconds' worth.
WAITING: Final = 2_000
#: Entries of one transaction; the other process waits for its end.
GROUP: Final = 256
#: After a group of several, the next one may gather for this long per entry of the last: under load a larger group
#: saves more than the wait costs, and a lone command never waits.
LINGER_S: Final = 0.0005
LONGEST_LINGER_S: Final = 0.008
#: What nobody waits for may wait for company for this long.
PATIENCE_S: Final = 0.25


class Overloaded(TidegateError):
    """More work waits than can be done in time; nothing was taken on."""

    code: ClassVar[str] = "overloaded"


@dataclass(slots=True)
class _Entry:
    what: Asked | Answer | Published | Entry
    done: Future[Any]


class LedgerWriter:
    """One thread that writes what others hand in; safe from any thread between :meth:`start` and :meth:`stop`."""

    def __init__(self, ledger: Ledger, *, waiting: int = WAITING) -> None:
        self._ledger = ledger
        self._limit = waiting
        self._waiting: deque[_Entry] = deque()
        self._changed = threading.Condition()
        #: Somebody waits for one of those that wait.
        self._urgent = False
        self._stopping = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to write."""
        self._stopping = False
        self._thread = threading.Thread(target=self._work, name="ledger-writer", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Write what waits, take nothing more, and end."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def record(self, asked: Asked) -> Future[Recorded]:
        """As :meth:`gateway.ledger.Ledger.record`; the future completes after the commit, or fails with Unavailable.

        Raises:
            Overloaded: too many entries wait.
            Unavailable: the writer is not running.
        """
        return self._hand_in(asked)

    def published(self, id: str, at: datetime) -> Future[None]:
        """Note in the time line that the broker was handed a command.

        Nobody waits for it, so it goes with the next commit, at most :data:`PATIENCE_S` later.

        Raises:
            Overloaded: too many entries wait.
            Unavailable: the writer is not running.
        """
        return self._hand_in(Published(id=id, at=at))

    def settle(self, answer: Answer) -> Future[None]:
        """As :meth:`gateway.ledger.Ledger.settle`; the future completes after the commit, or fails with Unavailable.

        Raises:
            Overloaded: too many entries wait.
            Unavailable: the writer is not running.
        """
        return self._hand_in(answer)

    def audited(self, entry: Entry) -> Future[None]:
        """Add a row of its own to the audit; the future completes after the commit, or fails with Unavailable.

        Raises:
            Overloaded: too many entries wait.
            Unavailable: the writer is not running.
        """
        return self._hand_in(entry)

    def _hand_in(self, what: Asked | Answer | Published | Entry) -> Future[Any]:
        entry = _Entry(what, Future())
        urgent = not isinstance(what, Published)
        with self._changed:
            if self._stopping or self._thread is None:
                raise Unavailable("database", "the ledger's writer is not running")
            if len(self._waiting) >= self._limit:
                raise Overloaded(f"{self._limit} entries wait for the ledger")
            self._waiting.append(entry)
            self._urgent = self._urgent or urgent
            if urgent or len(self._waiting) == 1:
                self._changed.notify()
        return entry.done

    def _work(self) -> None:
        while True:
            with self._changed:
                while not self._waiting and not self._stopping:
                    self._changed.wait()
                if not self._waiting:
                    return
                self._changed.wait_for(lambda: self._urgent or self._stopping, timeout=PATIENCE_S)
                self._urgent = len(self._waiting) > GROUP
                group = [self._waiting.popleft() for _ in range(min(len(self._waiting), GROUP))]
            self._commit(group)
            # What nobody waits for is no sign of load.
            awaited = sum(not isinstance(each.what, Published) for each in group)
            if awaited > 1 and not self._stopping:
                time.sleep(min(LINGER_S * awaited, LONGEST_LINGER_S))

    def _commit(self, group: Sequence[_Entry]) -> None:
        try:
            outcomes = self._write(group)
        except Exception as error:  # whoever waits must hear of it, and the thread must live
            if len(group) > 1 and not _is_outage(error):
                # One entry that cannot be written must not take the others with it.
                for each in group:
                    self._commit([each])
                return
            log.warning("ledger-write-failed", entries=len(group), error=str(error))
            failure = error if isinstance(error, TidegateError) else Unavailable("database", str(error))
            for each in group:
                with contextlib.suppress(InvalidStateError):  # its owner has cancelled it
                    each.done.set_exception(failure)
            return
        recorded = iter(outcomes)
        for each in group:
            with contextlib.suppress(InvalidStateError):  # same
                each.done.set_result(next(recorded) if isinstance(each.what, Asked) else None)

    def _write(self, group: Sequence[_Entry]) -> Sequence[Recorded]:
        # Commands before the rest: nothing about a command is handed in before the command itself.
        asked = [each.what for each in group if isinstance(each.what, Asked)]
        published = [each.what for each in group if isinstance(each.what, Published)]
        answers = [each.what for each in group if isinstance(each.what, Answer)]
        recorded: Sequence[Recorded] = ()
        trail = Trail(entries=[each.what for each in group if isinstance(each.what, Entry)])
        with writing(self._ledger.engine) as connection:
            if asked:
                recorded = self._ledger.record_in(connection, asked, trail)
            if published:
                self._ledger.publish_in(connection, published)
            if answers:
                self._ledger.settle_in(connection, answers, trail)
            self._ledger.close_in(connection, trail)
        return recorded


def _is_outage(error: Exception) -> bool:
    cause = error.__cause__
    if isinstance(cause, OperationalError):
        return True
    return isinstance(error, Unavailable) and not isinstance(cause, DBAPIError | StatementError)
