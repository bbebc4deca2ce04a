"""The last state of each device that is not in the database yet, within bounds (I15)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from gateway.sites_rows import StateSeen

#: While the database is away. Beyond that the oldest goes: agents publish every state again with their next connect.
UNSAVED: Final = 100_000
UNSAVED_BYTES: Final = 64 * 1024 * 1024


class UnsavedStates:
    """One state per device; for one thread."""

    def __init__(self, *, most: int = UNSAVED, most_bytes: int = UNSAVED_BYTES) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self._states: dict[tuple[str, str], StateSeen] = {}
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._states)

    def add(self, seen: StateSeen) -> None:
        """Take it in place of the device's former one; what the broker had stored never replaces a live one."""
        key = seen.site, seen.device
        last = self._states.get(key)
        if last is not None and seen.retained and not last.retained:
            return
        if last is not None:
            self._drop(key)
        self._states[key] = seen
        self._bytes += len(seen.payload)
        while len(self._states) > self._most or self._bytes > self._most_bytes:
            self._drop(next(iter(self._states)))

    def forget(self, site: str, device: str, until: datetime) -> None:
        """The device is gone since then; what it said before is not worth saving."""
        last = self._states.get((site, device))
        if last is not None and last.state.at <= until:
            self._drop((site, device))

    def all(self) -> Sequence[StateSeen]:
        """What is to be saved."""
        return tuple(self._states.values())

    def clear(self) -> None:
        """All of it is saved."""
        self._states.clear()
        self._bytes = 0

    def _drop(self, key: tuple[str, str]) -> None:
        self._bytes -= len(self._states.pop(key).payload)
