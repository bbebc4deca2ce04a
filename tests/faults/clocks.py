"""A process whose time of day a test sets, as an operator, NTP or a dead battery would.

The shim ``stepped_clock.c`` covers what libc is asked for: ``CLOCK_REALTIME``, ``gettimeofday`` and ``time``. That is
all of CPython's, SQLite's and Redis's time of day. It leaves alone the clocks that nobody can set, file times, and
everybody else's clocks.
"""

from __future__ import annotations

import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.requirements import program
from tests.system import System

HOUR_S: Final = 3_600
DAY_S: Final = 86_400
STEPS: Final = {"hour-on": HOUR_S, "hour-back": -HOUR_S, "day-on": DAY_S, "day-back": -DAY_S}
_SOURCE: Final = Path(__file__).with_name("stepped_clock.c")


class SteppedClock:
    """A process started with ``environment`` is ``step`` seconds off from then on, at once."""

    def __init__(self, folder: Path) -> None:
        library = folder / "stepped_clock.so"
        if not library.exists():
            compiler = str(program("cc", "gcc", "clang"))
            subprocess.run([compiler, "-shared", "-fPIC", "-O2", "-o", library, _SOURCE, "-ldl"], check=True)
        self._file = folder / "step"
        self.step(0)
        self.environment = {"LD_PRELOAD": str(library), "STEPPED_CLOCK": str(self._file)}

    def step(self, seconds: int) -> None:
        """Set the clock; 0 is the truth."""
        with self._file.open("r+b" if self._file.exists() else "w+b") as file:
            file.write(struct.pack("=q", seconds))


@contextmanager
def stepped(system: System, folder: Path, *roles: str) -> Iterator[SteppedClock]:
    """These roles, started anew, share a clock that can be set; what runs so is ended afterwards."""
    clock = SteppedClock(folder)
    children = [system.stack.children[role] for role in roles]
    for child in children:
        child.kill()
        child.environment.update(clock.environment)
    try:
        system.heal()
        yield clock
    finally:
        for child in children:
            child.kill()
            for name in clock.environment:
                child.environment.pop(name, None)
