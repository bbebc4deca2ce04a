"""The epoch: a persisted counter, raised before every connection, so that old words never override new ones (I11)."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from site_agent.durable import put_in_place, written

#: A mailbox compares 32 bits of the epoch; a clock beyond this is not believed, so that they are never used up.
LATEST_S: Final = 2**32 - 2**24


class EpochFile:
    """One number in one file, replaced whole and fsynced."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> int | None:
        """The last epoch used, or None if this disk has never had one or its content is not a number."""
        try:
            return int(self._path.read_text(encoding="ascii"))
        except (FileNotFoundError, ValueError):
            return None

    def store(self, epoch: int) -> None:
        """Make ``epoch`` durable before anybody hears of it.

        Raises:
            OSError: the disk is full or read-only; then the agent must not connect.
        """
        put_in_place(written(self._path, str(epoch).encode()), self._path)


def next_epoch(*, stored: int | None, retained: int | None, unix_s: int) -> int:
    """The epoch of the next connection: above our own last one, above what the broker retains, and not below the clock.

    The clock keeps apart those who cannot know of each other: an agent on a new disk, one restored from an old image
    and one that was cloned all come above every epoch that was used before them. A wrong clock costs only that.
    """
    return max((stored or 0) + 1, (retained or 0) + 1, min(unix_s, LATEST_S))
