"""Makes a running broker read its users, rights and revoked certificates again; what it would not take is never used.

A broker may stop over rights that it cannot read. So before it is told, a second one is started for a moment, on ports
of its own, with the very same files.
"""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from gateway.broker_files import PID_FILE, BrokerFiles
from gateway.protocol.errors import Fault, SettingsError

_TRIAL_S: Final = 5.0
_TICK_S: Final = 0.02
_LISTENER: Final = re.compile(r"^listener .*$", re.MULTILINE)
_NOT_FOR_TRIALS: Final = re.compile(r"^(pid_file|persistence|log_dest) .*$", re.MULTILINE)
_CHANGING: Final = ("passwords", "acl", "people.json", "revoked.pem")


class BrokerReload:
    """``command`` tells the broker to read its files; empty: SIGHUP to the process whose number is in its folder."""

    def __init__(self, files: BrokerFiles, command: str = "") -> None:
        self._files = files
        self._command = shlex.split(command)

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Change the files in this block, and nobody else does; then they are tried, and the broker reads them.

        Raises:
            SettingsError: a broker would not start with them, so they are again as they were; or there is no broker
                to be told, which then has to be done by hand.
        """
        with self._files.turn.held():
            before = {name: _content(self._files.folder / name) for name in _CHANGING}
            try:
                yield
                self._try()
            except BaseException:
                for name, content in before.items():
                    _restore(self._files.folder / name, content)
                raise
            self._tell()

    def _try(self) -> None:
        program = shutil.which("mosquitto", path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"]))
        configuration = _content(self._files.configuration)
        if program is None or configuration is None or str(self._files.folder) not in configuration.decode():
            return  # the broker runs elsewhere, in a container mostly
        with tempfile.TemporaryDirectory() as folder:
            Path(folder).chmod(0o755)  # the broker may become another user
            ports, text = _for_trial(configuration.decode())
            path, log = Path(folder) / "trial.conf", Path(folder) / "log"
            path.write_text(text, encoding="utf-8")
            path.chmod(0o644)
            argv = [program, "-c", str(path)]
            with log.open("wb") as output, subprocess.Popen(argv, stderr=output) as trial:  # noqa: S603 # our own
                try:
                    refused = _ended(trial, ports)
                finally:
                    trial.kill()
            if refused:
                words = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-3:]
                detail = "a broker does not start with these files, so nothing was changed: " + " / ".join(words)
                raise SettingsError(str(self._files.folder), [Fault("", "refused", detail)])

    def _tell(self) -> None:
        if self._command:
            done = subprocess.run(self._command, check=False, capture_output=True, text=True)  # noqa: S603 # the operator's
            if done.returncode:
                raise _untold(f"{shlex.join(self._command)}: {done.stderr.strip() or done.returncode}")
            return
        path = self._files.folder / PID_FILE
        content = _content(path)
        if content is None or not content.strip().isdigit():
            raise _untold(f"{path} does not tell which process the broker is")
        number = int(content)
        name = _content(Path(f"/proc/{number}/comm"))
        if name is not None and not name.startswith(b"mosquitto"):
            raise _untold(f"process {number}, which {path} names, is not a broker")
        try:
            os.kill(number, signal.SIGHUP)
        except OSError as error:
            raise _untold(f"process {number}: {error}") from None


def _for_trial(configuration: str) -> tuple[list[int], str]:
    """Free ports, and the configuration with its listeners there and nothing that would disturb the real broker."""
    count = len(_LISTENER.findall(configuration))
    with contextlib.ExitStack() as opened:
        probes = [opened.enter_context(socket.socket()) for _ in range(count)]
        for each in probes:
            each.bind(("127.0.0.1", 0))
        ports = [int(each.getsockname()[1]) for each in probes]
    left = iter(ports)
    text = _LISTENER.sub(lambda _: f"listener {next(left)} 127.0.0.1", _NOT_FOR_TRIALS.sub("", configuration))
    return ports, text + "\nlog_dest stderr\n"


def _ended(trial: subprocess.Popen[bytes], ports: list[int]) -> bool:
    """Whether it ended, or came to nothing, instead of listening on all its ports."""
    deadline_s = time.monotonic() + _TRIAL_S
    while trial.poll() is None and time.monotonic() < deadline_s:
        if all(_listens(port) for port in ports):
            return False
        time.sleep(_TICK_S)
    return True


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def _restore(path: Path, content: bytes | None) -> None:
    if content is None:
        path.unlink(missing_ok=True)
    elif _content(path) != content:
        path.write_bytes(content)


def _untold(why: str) -> SettingsError:
    detail = f"the files are changed, but the broker was not told: {why}; send it SIGHUP, or set TIDEGATE_BROKER_RELOAD"
    return SettingsError("the broker", [Fault("", "not-reloaded", detail)])
