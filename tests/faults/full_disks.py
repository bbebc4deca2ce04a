"""A disk on which there is no room: for real, or as the kernel's limit on what a process may add to any file."""

from __future__ import annotations

import contextlib
import os
import resource
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Protocol

import psutil
import pytest

_MEBIBYTE: Final = 1_048_576
_PIECE: Final = 4_096


class Disk(Protocol):
    """Where a process keeps its files."""

    def fill(self) -> None:
        """From now on nothing can be added."""

    def clear(self) -> None:
        """There is room again."""


class SmallDisk:
    """A file system of one mebibyte, mounted on ``folder``; only root may do that."""

    def __init__(self, folder: Path) -> None:
        self._ballast = folder / "ballast"

    @classmethod
    @contextlib.contextmanager
    def mounted(cls, folder: Path) -> Iterator[SmallDisk]:
        """Unmounted at the end."""
        folder.mkdir(parents=True)
        mount = ["mount", "-t", "tmpfs", "-o", f"size={_MEBIBYTE},mode=700", "tmpfs", str(folder)]
        if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:
            pytest.skip("only root may mount, and not in every container")
        try:
            yield cls(folder)
        finally:
            subprocess.run(["umount", "--lazy", folder], check=True)

    def fill(self) -> None:
        """Lay ballast until nothing fits any more."""
        with contextlib.suppress(OSError), self._ballast.open("ab", buffering=0) as ballast:
            while True:
                ballast.write(bytes(_PIECE))

    def clear(self) -> None:
        """Throw the ballast off."""
        self._ballast.unlink()


class Quota:
    """No process of ``pids``, nor any child of theirs, can write to a file; their logs are files too."""

    def __init__(self, *pids: int) -> None:
        self._pids = [child.pid for pid in pids for child in _family(pid)]

    def fill(self) -> None:
        """Let every write fail with "File too large"."""
        self._limit(0)

    def clear(self) -> None:
        """Let them write again."""
        self._limit(resource.RLIM_INFINITY)

    def _limit(self, size: int) -> None:
        for pid in self._pids:
            with contextlib.suppress(ProcessLookupError):
                resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def _family(pid: int) -> list[psutil.Process]:
    parent = psutil.Process(pid)
    return [parent, *parent.children(recursive=True)]
