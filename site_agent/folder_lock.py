"""One agent per folder: two on one journal would not know of each other's commands (I12)."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Final

from gateway.protocol.errors import Fault, SettingsError

_LOCKED_BYTE: Final = 4_096


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold the folder's lock while the block runs; the operating system lets go of it when the process dies.

    Raises:
        SettingsError: another agent holds it, or it cannot be made.
    """
    path = folder / "lock"
    try:
        file = path.open("a+", encoding="ascii")
    except OSError as error:
        raise SettingsError("the site's file", [Fault("/agent/folder", "unusable", str(error))]) from None
    with file:
        try:
            _lock(file)
        except OSError:
            owner = _owner(file)
            detail = f"another agent (process {owner}) works in {folder}; stop it, or give this one a folder of its own"
            raise SettingsError("the site's file", [Fault("/agent/folder", "in-use", detail)]) from None
        with suppress(OSError):  # a full disk: who holds it is only for people
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
        yield


def _owner(file: IO[str]) -> str:
    try:
        file.seek(0)
        return file.read(32).strip() or "unknown"
    except OSError:
        return "unknown"


def _lock(file: IO[str]) -> None:
    if sys.platform == "win32":
        import msvcrt  # noqa: PLC0415 # only there

        file.seek(_LOCKED_BYTE)  # beyond the text: a locked byte could not be read by others
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        import fcntl  # noqa: PLC0415 # not on Windows

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
