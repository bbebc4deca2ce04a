"""The technicians' commands, run as processes the way a technician runs them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from gateway.broker import Login
from tests.conditions import STRETCH, eventually


def environment(login: Login, folder: Path) -> dict[str, str]:
    """The variables that a technician sets once; the password is in a private file."""
    secret = folder / "password"
    secret.write_text(login.secret)
    secret.chmod(0o600)
    return {
        **os.environ,
        "TIDEGATE_BROKER_HOST": login.host,
        "TIDEGATE_BROKER_PORT": str(login.port),
        "TIDEGATE_BROKER_USERNAME": login.username,
        "TIDEGATE_BROKER_PASSWORD_FILE": str(secret),
        "PYTHONUNBUFFERED": "1",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }


def tidegate(*words: str, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a subcommand to its end."""
    argv = [sys.executable, "-m", "gateway", *words]
    return subprocess.run(argv, env=env, capture_output=True, text=True, check=False, timeout=60 * STRETCH)


class Terminal:
    """``with Terminal(argv, env) as terminal`` runs until the block ends, then gets Ctrl-C."""

    def __init__(self, argv: Sequence[str], env: Mapping[str, str]) -> None:
        self._argv = argv
        self._env = env
        self.lines: list[str] = []
        self.exit_code: int | None = None

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._argv,
            env=self._env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.killpg(self._process.pid, signal.SIGINT)
        try:
            self.exit_code = self._process.wait(5 * STRETCH)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self.exit_code = self._process.wait()
        self._reader.join()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def shows(self, *words: str, within_s: float = 10.0) -> str:
        """The first line that holds all ``words``, once it is there."""
        return eventually(
            lambda: next((line for line in self.lines if all(word in line for word in words)), ""),
            within_s=within_s,
            what=f"a line with {words}",
        )

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.lines.append(line.rstrip("\n"))
