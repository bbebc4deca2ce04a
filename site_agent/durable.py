"""A file that holds either what it held or what it is to hold, whenever the power fails."""

from __future__ import annotations

import os
from pathlib import Path


def written(path: Path, content: bytes) -> Path:
    """Put ``content`` beside ``path``, on the disk itself; where it is. Raises OSError."""
    fresh = path.with_name(f"{path.name}.new")
    with fresh.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return fresh


def put_in_place(fresh: Path, path: Path) -> None:
    """Let the file that was written be ``path``, in one step. Raises OSError."""
    fresh.replace(path)
    if os.name == "posix":  # Windows cannot fsync a folder; NTFS journals the rename itself
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
