"""Who waits for which command's final ack: a bounded map (I15) and one wake-up each."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from gateway.protocol.messages import Ack
from http_facade.refusals import Overloaded


class Waiter:
    """A command that requests wait for; finished once. A bare lock wakes at a third of the price of a condition."""

    __slots__ = ("_ack", "_lock", "device", "name", "over", "published_at", "requests", "site")

    def __init__(self, site: str, device: str, name: str) -> None:
        self.site = site
        self.device = device
        self.name = name
        #: When it was handed to the broker, if this process did that.
        self.published_at: datetime | None = None
        #: Whether there is nothing more to wait for here.
        self.over = False
        #: How many wait; kept by :class:`Waiters`.
        self.requests = 0
        self._ack: Ack | None = None
        self._lock = threading.Lock()
        self._lock.acquire()

    def wait(self, timeout_s: float) -> Ack | None:
        """The final ack, once it is committed; None if there was none in time, or if nobody can tell any more."""
        if self._lock.acquire(timeout=timeout_s):
            self._lock.release()  # the next one who waits for the same command
        return self._ack

    def finish(self, ack: Ack | None) -> None:
        """Wake the requests; only for who got this waiter from :meth:`Waiters.claim`."""
        self._ack = ack
        self.over = True
        self._lock.release()


class Waiters:
    """The open requests by command id; ``limit`` leaves threads for reads while commands wait."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._open: dict[str, Waiter] = {}
        self._requests = 0
        self._closed = False
        self._changing = threading.Lock()

    def __len__(self) -> int:
        return self._requests

    @contextmanager
    def expect(self, command_id: str, waiter: Waiter) -> Iterator[Waiter]:
        """Take acks of ``command_id`` while the block runs; gives the waiter of who waits for it already, if any does.

        Raises:
            Overloaded: too many requests wait, or this process stops.
        """
        with self._changing:
            if self._closed:
                raise Overloaded("this facade stops; ask again")
            if self._requests >= self._limit:
                raise Overloaded(f"{self._limit} requests wait for their answer already; ask again in a second")
            self._requests += 1
            waiter = self._open.setdefault(command_id, waiter)
            waiter.requests += 1
        try:
            yield waiter
        finally:
            with self._changing:
                self._requests -= 1
                waiter.requests -= 1
                if not waiter.requests and self._open.get(command_id) is waiter:
                    del self._open[command_id]

    def find(self, command_id: str) -> Waiter | None:
        """Who waits for ``command_id``."""
        return self._open.get(command_id)

    def claim(self, command_id: str) -> Waiter | None:
        """Take the waiter out; of several threads exactly one gets it, and must finish it."""
        with self._changing:
            return self._open.pop(command_id, None)

    def dismiss(self) -> None:
        """Wake everybody without an answer, and let nobody wait any more: this process stops.

        It runs in the thread that watches for signals, so it may wait for the lock.
        """
        with self._changing:
            self._closed = True
            waiting, self._open = self._open, {}
        for waiter in waiting.values():
            waiter.finish(None)
