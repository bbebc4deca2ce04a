"""Commands that come while their devices are being replaced: they wait, in order, and keep their deadlines."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Collection
from typing import Final

#: Commands that may wait for a site's file to be taken over (I15).
WAITING_LIMIT: Final = 1_000


class Holding:
    """Which devices are held, what waits for them, and what is still under way at which device."""

    def __init__(self) -> None:
        self._devices: frozenset[str] = frozenset()
        self._waiting: deque[Callable[[], None]] = deque()
        self._busy: Counter[str] = Counter()
        self._calmed = asyncio.Event()

    def holds(self, device: str) -> bool:
        """Whether commands for this device have to wait."""
        return device in self._devices

    @property
    def full(self) -> bool:
        """Whether no more may wait."""
        return len(self._waiting) >= WAITING_LIMIT

    def park(self, work: Callable[[], None]) -> None:
        """Do it when the device is free again."""
        self._waiting.append(work)

    def enter(self, device: str) -> None:
        """A command for the device is under way."""
        self._busy[device] += 1

    def leave(self, device: str) -> None:
        """It has ended, for now."""
        self._busy[device] -= 1
        if not self._busy[device]:
            del self._busy[device]
            self._calmed.set()

    async def hold(self, devices: Collection[str]) -> None:
        """Let nothing new begin at these devices, and wait until what is under way there has ended."""
        self._devices = frozenset(devices)
        while not self._devices.isdisjoint(self._busy):
            self._calmed.clear()
            await self._calmed.wait()

    def release(self) -> None:
        """Begin what waited, in the order in which it came."""
        self._devices = frozenset()
        while self._waiting:
            self._waiting.popleft()()
