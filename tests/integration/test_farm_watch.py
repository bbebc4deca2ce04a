"""``tidegate simulate --watch`` on a terminal, and where there is none."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest

from tests.conditions import eventually
from tests.terminals import Terminal

ESCAPE = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")
JAM = ("--port", "0", "--watch", "--scenario", "jam-at-noon", "--speed", "60")
ROWS, COLUMNS = 30, 100


def simulate(*options: str) -> list[str]:
    """The farm as a program."""
    return [sys.executable, "-m", "gateway", "simulate", *options]


class PseudoTerminal:
    """A program on a terminal of its own; what it wrote is collected."""

    def __init__(self, argv: list[str], env: Mapping[str, str]) -> None:
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        self._written = bytearray()
        self.process = subprocess.Popen(argv, stdin=theirs, stdout=theirs, stderr=theirs, env=env)
        os.close(theirs)
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        while True:
            try:
                fresh = os.read(self._ours, 65_536)
            except OSError:  # Linux says so when the last one has closed the other side
                return
            if not fresh:
                return
            self._written += fresh

    @property
    def raw(self) -> str:
        """All of it, escape codes too."""
        return self._written.decode(errors="replace")

    @property
    def text(self) -> str:
        """Without escape codes."""
        return ESCAPE.sub("", self.raw)

    def close(self) -> None:
        """End the program, and read what is left."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._reader.join()
        os.close(self._ours)


@contextmanager
def terminal(*options: str, **environment: str) -> Iterator[PseudoTerminal]:
    """The farm on a terminal with colours."""
    env = {name: value for name, value in os.environ.items() if name not in {"NO_COLOR", "COLUMNS", "LINES"}}
    opened = PseudoTerminal(simulate(*options), {**env, "TERM": "xterm-256color", **environment})
    try:
        yield opened
    finally:
        opened.close()


def test_watch_on_a_terminal_redraws_a_picture_and_leaves_the_last() -> None:
    """On the terminal's other screen while it runs; Ctrl-C gives back what was there, with the last picture below."""
    with terminal(*JAM) as opened:
        eventually(lambda: "ALARM jam" in opened.text, within_s=20, what="the alarm")
        opened.process.send_signal(signal.SIGINT)
        assert opened.process.wait(10) == 0
        eventually(lambda: "\x1b[?1049l" in opened.raw, what="the end of the other screen")
        eventually(lambda: "ALARM jam" in opened.raw.split("\x1b[?1049l")[-1], what="the last picture")
    running, last = opened.raw.split("\x1b[?1049l")
    assert "\x1b[?1049h" in running
    assert running.count("jam-at-noon") > 2
    lines = ESCAPE.sub("", last).splitlines()
    assert max(map(len, lines)) <= COLUMNS
    assert all(any(f" feeder-{number} " in line for line in lines) for number in range(1, 5))
    assert any("jam · dose short" in line for line in lines)


def test_watch_on_a_terminal_without_colours_has_none() -> None:
    """NO_COLOR is obeyed."""
    with terminal(*JAM, NO_COLOR="1") as opened:
        eventually(lambda: "ALARM jam" in opened.text, within_s=20, what="the alarm")
    assert re.search(r"\x1b\[[0-9;]*3[0-7]m", opened.raw) is None


def test_watch_without_a_terminal_is_one_plain_line_for_each_change() -> None:
    """For logs and pipes: no escape code, and the farm's own time."""
    with Terminal(simulate(*JAM), os.environ) as opened:
        happened = opened.shows("feeder-1 a lump jams the auger", within_s=20)
        opened.shows("feeder-1 fed 40 g")
        opened.shows("feeder-1 ALARM jam")
        opened.shows("feeder-1 ALARM dose short")
    assert opened.exit_code == 0
    assert happened.startswith("12:00:20 ")
    assert "\x1b" not in "".join(opened.lines)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        pytest.param(("--scenario", "nonsense"), "'jam-at-noon'", id="no scenario"),
        pytest.param(("--start", "25:00"), "11:58", id="no time of day"),
    ],
)
def test_simulate_told_nonsense_says_what_would_do(options: tuple[str, ...], told: str) -> None:
    """And starts nothing."""
    done = subprocess.run(simulate(*options), capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr
