"""Processes under measurement, and the CPU time they take."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil

from gateway.demo.programs import Programs
from gateway.demo.readiness import listens
from tests.conditions import eventually

_BROKER = """listener {port} 127.0.0.1
allow_anonymous true
set_tcp_nodelay true
max_inflight_messages 1000
max_queued_messages 100000
log_type error
"""


@contextlib.contextmanager
def process(*argv: str | Path, ready: Callable[[], bool], environment: dict[str, str] | None = None) -> Iterator[int]:
    """A program, ready on entry and ended on exit; gives its process id."""
    child = subprocess.Popen([str(each) for each in argv], stdout=subprocess.DEVNULL, env=environment)
    try:
        eventually(ready, within_s=20, what=f"{argv[0]} to be ready")
        yield child.pid
    finally:
        child.terminate()
        child.wait(10)


def module(name: str, *arguments: object, ready: Callable[[], bool]) -> contextlib.AbstractContextManager[int]:
    """One of our own modules as a process."""
    return process(sys.executable, "-m", name, *map(str, arguments), ready=ready)


@contextlib.contextmanager
def plain_broker(programs: Programs, port: int, folder: Path) -> Iterator[None]:
    """Mosquitto with neither logins nor rights."""
    assert programs.mosquitto is not None, "benchmarks need mosquitto itself"
    path = folder / "plain.conf"
    path.write_text(_BROKER.format(port=port))
    with process(programs.mosquitto, "-c", path, ready=lambda: listens("127.0.0.1", port)):
        yield


@contextlib.contextmanager
def plain_redis(programs: Programs, port: int) -> Iterator[None]:
    """Redis with neither password nor disk."""
    assert programs.redis is not None, "benchmarks need a Redis program"
    argv = (programs.redis, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--loglevel", "warning")
    with process(*argv, ready=lambda: listens("127.0.0.1", port)):
        yield


def cpu_s(pid: int) -> float:
    """CPU seconds of a process and its children so far."""
    root = psutil.Process(pid)
    return sum(sum(each.cpu_times()[:2]) for each in [root, *root.children(recursive=True)])
