"""Whose turn it is at a device: commands begin in the order in which they were accepted (I10), and may be withdrawn."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from gateway.protocol.errors import TidegateError

#: Commands that may wait for one device.
WAITING_LIMIT: Final = 500


class TooManyWait(TidegateError):
    """Too many commands wait for this device already (I15)."""

    code = "overloaded"


class Ticket:
    """One command's place in the queue of its device."""

    __slots__ = ("begun", "device", "withdrawn")

    def __init__(self, device: str) -> None:
        self.device = device
        #: Something may have been sent to the PLC: it cannot be withdrawn any more.
        self.begun = False
        self.withdrawn = False


class Turns:
    """The queues of all devices; asyncio's locks are fair, so each is served in order."""

    def __init__(self) -> None:
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._tickets: dict[str, Ticket] = {}
        self._waiting: Counter[str] = Counter()

    @asynccontextmanager
    async def place(self, id: str, device: str) -> AsyncIterator[Ticket]:
        """A ticket for the command ``id``, good while the block runs.

        Raises:
            TooManyWait: the queue is at its bound.
        """
        if self._waiting[device] >= WAITING_LIMIT:
            raise TooManyWait(f"{WAITING_LIMIT} commands wait for {device} already")
        ticket = self._tickets[id] = Ticket(device)
        self._waiting[device] += 1
        try:
            yield ticket
        finally:
            self._waiting[device] -= 1
            del self._tickets[id]

    def turn(self, ticket: Ticket) -> asyncio.Lock:
        """To be held from when it is the ticket's turn until its effect has its place."""
        return self._locks[ticket.device]

    def withdraw(self, id: str) -> bool:
        """Keep a command that waits from beginning; False if it has begun, or does not wait here."""
        ticket = self._tickets.get(id)
        if ticket is None or ticket.begun:
            return False
        ticket.withdrawn = True
        return True
