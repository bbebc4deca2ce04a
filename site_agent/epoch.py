"""The epoch: a persisted counter, raised before every connection, so that old words never override new ones (I11)."""

from __future__ import annotations

import os
from pathlib import Path


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
        fresh = self._path.with_suffix(".new")
        with fresh.open("w", encoding="ascii") as file:
            file.write(str(epoch))
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._path)
        if os.name == "posix":  # Windows cannot fsync a folder; NTFS journals the rename itself
            folder = os.open(self._path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)


def next_epoch(*, stored: int | None, retained: int | None, unix_s: int) -> int:
    """The epoch of the next connection.

    With a counter, simply one more, and above anything of ours the broker still retains. Without one (new disk)
    it starts at the Unix time, which lies above every counter that rose by one per connection, so the centre's
    memory of a higher epoch cannot lock the site out even if the broker has forgotten it.
    """
    known = max(stored if stored is not None else unix_s, retained or 0)
    return known + 1
