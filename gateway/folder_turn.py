"""One at a time: commands that read a folder's files, change them and write them back must not do so at once."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from gateway.protocol.errors import Fault, SettingsError

#: A change takes a second or two, a site that is put out some more.
PATIENCE_S: Final = 30.0
_TICK_S: Final = 0.05


class FolderTurn:
    """Of one folder. Whoever has the turn may ask for it again; the system takes it from a process that dies."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._depth = 0

    @contextmanager
    def held(self) -> Iterator[None]:
        """Nobody else has the turn inside the block.

        Raises:
            SettingsError: somebody had it for longer than :data:`PATIENCE_S`.
        """
        if self._depth:
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1
            return
        handle = _open(self._folder)
        try:
            _wait(handle, self._folder)
            self._depth = 1
            try:
                yield
            finally:
                self._depth = 0
        finally:
            os.close(handle)


def _wait(handle: int, folder: Path) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while not _taken(handle):
        if time.monotonic() > deadline_s:
            detail = "another command has been changing it for too long; end that one, and try again"
            raise SettingsError(str(folder), [Fault("", "in-use", detail)])
        time.sleep(_TICK_S)


def _open(folder: Path) -> int:
    if sys.platform == "win32":
        return os.open(folder / "turn", os.O_RDWR | os.O_CREAT)
    return os.open(folder, os.O_RDONLY)  # the folder itself: no file that root would make and others could not open


def _taken(handle: int) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt  # noqa: PLC0415 # only there

            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl  # noqa: PLC0415 # not on Windows

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
