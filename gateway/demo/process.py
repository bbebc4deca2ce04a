"""One supervised child process: it writes its own log file, and dies with us even if we are killed."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

STOP_TIMEOUT_S: Final = 8.0
_POSIX: Final = os.name == "posix"
_OURS: Final = "TIDEGATE_"


def _leash() -> list[str]:
    """Words before the command that make Linux end the child when we are gone, however we went.

    It is the thread that starts the child whose end counts: start children from a thread that lives on.
    """
    setpriv = shutil.which("setpriv") if sys.platform == "linux" else None
    return [setpriv, "--pdeathsig", "TERM", "--"] if setpriv else []


class Child:
    """A program with its arguments, its additions to our environment, and its log file.

    None of our own settings are handed down by accident: variables that start with ``TIDEGATE_`` are its own only.
    ``start`` may be called again after its end.
    """

    def __init__(
        self, role: str, argv: Sequence[str], *, log: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        self.role = role
        self.argv = list(argv)
        self.log = log
        self.environment = dict(environment or {})
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, in a session of its own so that a terminal's Ctrl-C reaches only us.

        Raises:
            OSError: the program cannot be run.
        """
        self.log.parent.mkdir(parents=True, exist_ok=True)
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
        group = 0 if _POSIX else getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*_leash(), *self.argv],
                env={**inherited, **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=_POSIX,
                creationflags=group,
            )

    @property
    def pid(self) -> int | None:
        """The process id of the program itself; None before the first start."""
        return None if self._process is None else self._process.pid

    @property
    def running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None and self._process.poll() is None

    @property
    def exit_code(self) -> int | None:
        """How it ended (negative: by that signal); None while it runs."""
        return None if self._process is None else self._process.poll()

    def ask_to_stop(self) -> None:
        """Send what a person would: SIGTERM, on Windows Ctrl-Break; wakes it first if it is frozen."""
        process = self._process
        if process is None or process.poll() is not None:
            return
        with contextlib.suppress(OSError):
            if sys.platform == "win32":
                process.send_signal(signal.CTRL_BREAK_EVENT)
            else:
                self._signal_all(signal.SIGCONT)
                process.terminate()

    def stop(self, timeout_s: float = STOP_TIMEOUT_S) -> None:
        """Ask it to stop, wait, and kill it if it does not."""
        self.ask_to_stop()
        if self._process is None:
            return
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End it and the processes it has started at once (SIGKILL), and wait until it is gone."""
        process = self._process
        if process is None or process.poll() is not None:
            return
        if sys.platform == "win32":
            process.kill()
        else:
            self._signal_all(signal.SIGKILL)
        process.wait()

    def signal(self, number: int) -> None:
        """Send a signal to the program alone; nothing happens if it has ended."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)

    def _signal_all(self, number: int) -> None:
        if sys.platform != "win32" and self.running and self.pid is not None:
            os.killpg(self.pid, number)

    def freeze(self) -> None:
        """Stop its clockwork, and its children's, without closing anything, as a hung machine would (POSIX)."""
        self._signal_all(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen child go on."""
        self._signal_all(signal.SIGCONT)

    @property
    def command_line(self) -> str:
        """What a person would type to start it by hand."""
        words = ["env", *(f"{name}={value}" for name, value in self.environment.items()), *self.argv]
        return shlex.join(words if self.environment else self.argv)

    def last_words(self, lines: int = 20) -> str:
        """The end of its log."""
        with contextlib.suppress(OSError):
            return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])
        return ""
