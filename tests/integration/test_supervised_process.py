"""Children of the supervisor: they stop when asked, end when they do not, and never outlive it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from gateway.demo.process import Child
from tests.conditions import eventually

DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); signal.pause()"
PARENT = "import subprocess, time; subprocess.Popen(['sleep', '600']); print('up', flush=True); time.sleep(600)"
SUPERVISOR = """
import sys, time
from pathlib import Path
from gateway.demo.process import Child
child = Child("sleeper", ["sleep", "600"], log=Path(sys.argv[1]))
child.start()
print(child.pid, flush=True)
time.sleep(600)
"""

ChildMaker = Callable[..., Child]


@pytest.fixture
def child(tmp_path: Path) -> Iterator[ChildMaker]:
    made: list[Child] = []

    def make(*argv: str, environment: dict[str, str] | None = None) -> Child:
        made.append(Child("test", argv, log=tmp_path / f"{len(made)}.log", environment=environment))
        made[-1].start()
        return made[-1]

    yield make
    for each in made:
        each.kill()


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def is_alive(pid: int) -> bool:
    # An orphan that has ended stays a zombie where the machine's first process does not look after orphans.
    try:
        return str(psutil.Process(pid).status()) != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_pid_is_the_programs_own(child: ChildMaker) -> None:
    """Whoever kills the pid kills the program, not a wrapper around it."""
    made = child("sleep", "600")
    assert made.pid is not None
    eventually(lambda: psutil.Process(made.pid).cmdline() == ["sleep", "600"], what="the program itself")


def test_stop_deaf_child_killed(child: ChildMaker) -> None:
    """A child that ignores SIGTERM is gone after the time it was given."""
    made = child(*python(DEAF))
    eventually(lambda: "up" in made.last_words(), what="the child")
    made.stop(timeout_s=0.2)
    assert made.exit_code == -signal.SIGKILL


def test_stop_frozen_child_stops_by_itself(child: ChildMaker) -> None:
    """A frozen child is woken first, so that it can still say goodbye."""
    made = child("sleep", "600")
    made.freeze()
    made.stop()
    assert made.exit_code == -signal.SIGTERM


def test_kill_takes_grandchildren_along(child: ChildMaker) -> None:
    """A program that works in a worker process leaves none behind."""
    made = child(*python(PARENT))
    eventually(lambda: "up" in made.last_words(), what="the child")
    assert made.pid is not None
    grandchildren = [each.pid for each in psutil.Process(made.pid).children(recursive=True)]
    made.kill()
    eventually(lambda: not any(map(is_alive, grandchildren)), what="the end of all")
    assert grandchildren


def test_environment_own_settings_not_inherited(child: ChildMaker, monkeypatch: pytest.MonkeyPatch) -> None:
    """Our own TIDEGATE variables do not leak into a child; its own do arrive."""
    monkeypatch.setenv("TIDEGATE_HTTP_PORT", "1")
    code = "import os; print([os.environ.get(n) for n in ('TIDEGATE_HTTP_PORT', 'TIDEGATE_HOME')], 'end')"
    made = child(*python(code), environment={"TIDEGATE_HOME": "here"})
    eventually(lambda: "end" in made.last_words(), what="its answer")
    assert made.last_words() == "[None, 'here'] end"


def test_supervisor_killed_child_ends(tmp_path: Path) -> None:
    """A supervisor that is killed leaves no orphans (Linux)."""
    if sys.platform != "linux":
        pytest.skip("only Linux tells a child that its parent is gone")
    argv = [sys.executable, "-c", SUPERVISOR, str(tmp_path / "log")]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as supervisor:
        assert supervisor.stdout is not None
        pid = int(supervisor.stdout.readline())
        eventually(lambda: psutil.Process(pid).cmdline() == ["sleep", "600"], what="the child")
        os.kill(supervisor.pid, signal.SIGKILL)
    eventually(lambda: not is_alive(pid), what="the child's end")
