"""Who waits for which command's final ack: a bounded map (I15) and one wake-up each."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from gateway.protocol.messages import Ack
from http_facade.refusals import Overloaded


class Waiter:
    """One request that waits; used once. A bare lock wakes at a third of the price of a condition."""

    __slots__ = ("_ack", "_lock", "device", "name", "site")

    def __init__(self, site: str, device: str, name: str) -> None:
        self.site = site
        self.device = device
        self.name = name
        self._ack: Ack | None = None
        self._lock = threading.Lock()
        self._lock.acquire()

    def wait(self, timeout_s: float) -> Ack | None:
        """The final ack, once it is committed; None if there was none in time, or if nobody can tell any more."""
        self._lock.acquire(timeout=timeout_s)
        return self._ack

    def finish(self, ack: Ack | None) -> None:
        """Wake the request; only for who got this waiter from :meth:`Waiters.claim`."""
        self._ack = ack
        self._lock.release()


class Waiters:
    """The open requests by command id; ``limit`` leaves threads for reads while commands wait."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._open: dict[str, Waiter] = {}
        self._closed = False

    def __len__(self) -> int:
        return len(self._open)

    @contextmanager
    def expect(self, command_id: str, waiter: Waiter) -> Iterator[None]:
        """Take acks of ``command_id`` for ``waiter`` while the block runs.

        Raises:
            Overloaded: too many wait already, or this process stops.
        """
        if self._closed:
            raise Overloaded("this facade stops; ask again")
        if len(self._open) >= self._limit:
            raise Overloaded(f"{self._limit} commands wait for their answer already; ask again in a second")
        self._open[command_id] = waiter
        try:
            yield
        finally:
            self._open.pop(command_id, None)

    def find(self, command_id: str) -> Waiter | None:
        """Who waits for ``command_id``."""
        return self._open.get(command_id)

    def claim(self, command_id: str) -> Waiter | None:
        """Take the waiter out; of several threads exactly one gets it, and must finish it."""
        return self._open.pop(command_id, None)

    def dismiss(self) -> None:
        """Wake everybody without an answer, and let nobody wait any more: this process stops."""
        self._closed = True
        while self._open:
            try:
                _, waiter = self._open.popitem()
            except KeyError:
                return
            waiter.finish(None)
