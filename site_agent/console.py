"""Where tables go: as wide as the terminal, or wide enough for a file or a pipe that nothing is broken."""

from __future__ import annotations

import sys
from typing import Final

from rich.console import Console

_NO_TERMINAL: Final = 200


def console() -> Console:
    """Standard output, in colours on a terminal only."""
    return Console(width=None if sys.stdout.isatty() else _NO_TERMINAL)
