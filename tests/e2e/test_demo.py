"""``tidegate demo`` as somebody meets it who has just cloned the repository."""

from __future__ import annotations

import json
import os
import re
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import psutil
import pytest
import requests

from gateway.protocol.topics import StateTopic
from tests.conditions import eventually
from tests.modbus_poll import holding_register
from tests.requirements import program

PORTS: Final = ("TIDEGATE_HTTP_PORT", "TIDEGATE_MQTT_PORT", "TIDEGATE_REDIS_PORT", "TIDEGATE_MODBUS_PORT")
ROLES: Final = {"broker", "redis", "gateway", "facade", "agent", "farm"}
_READY_S: Final = 60


class RunningDemo:
    """A demo in a process of its own."""

    def __init__(self, home: Path, *arguments: str, **environment: str) -> None:
        self.home = home
        self.file = home / "demo.json"
        self._screen = home.parent / f"{home.name}.screen"
        settings = {**dict.fromkeys(PORTS, "0"), "TIDEGATE_HOME": str(home), "COLUMNS": "100", **environment}
        with self._screen.open("w") as screen:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "gateway", "demo", *arguments],
                env={**os.environ, **settings},
                stdout=screen,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait(self) -> None:
        """Return when it is ready."""
        eventually(self._ready, within_s=_READY_S, what="demo.json")

    def _ready(self) -> bool:
        assert self.process.poll() is None, self.screen
        return self.file.exists()

    @property
    def screen(self) -> str:
        """What it has printed."""
        return self._screen.read_text(encoding="utf-8")

    @property
    def summary(self) -> dict[str, Any]:
        """demo.json."""
        return dict(json.loads(self.file.read_text(encoding="utf-8")))

    def patch(self, grams: int) -> requests.Response:
        """Change the probe's value through HTTP."""
        told = self.summary
        url = f"{told['http']['url']}/v1/sites/{told['site']}/devices/{told['probe']['device']}/settings"
        headers = {"Authorization": f"Bearer {told['http']['token']}"}
        return requests.patch(url, json={told["probe"]["property"]: grams}, headers=headers, timeout=15)

    def register(self) -> int:
        """The probe's value as the PLC has it."""
        probe = self.summary["probe"]
        return holding_register(probe["host"], probe["port"], probe["unit"], probe["register"])

    def tree(self) -> set[int]:
        """The demo's process and all that it has started."""
        return {self.process.pid, *(each.pid for each in psutil.Process(self.process.pid).children(recursive=True))}

    def end(self) -> None:
        """Stop it, and kill it if it does not."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


@contextmanager
def running(home: Path, *arguments: str, **environment: str) -> Iterator[RunningDemo]:
    """A demo that is ready; ended on leaving."""
    demo = RunningDemo(home, *arguments, **environment)
    try:
        demo.wait()
        yield demo
    finally:
        demo.end()


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDemo]:
    """One demo for the tests that leave it as it is."""
    program("mosquitto")
    with running(tmp_path_factory.mktemp("demo") / "home") as started:
        yield started


def alive(pids: set[int]) -> set[int]:
    """Those that have not ended; zombies have."""
    return {pid for pid in pids if psutil.pid_exists(pid) and _status(pid) != psutil.STATUS_ZOMBIE}


def _status(pid: int) -> str:
    try:
        return str(psutil.Process(pid).status())
    except psutil.NoSuchProcess:
        return str(psutil.STATUS_ZOMBIE)


def test_demo_file_has_the_shape_that_scripts_rely_on(demo: RunningDemo) -> None:
    """demo.json names everything that a script needs, under these names."""
    told = demo.summary
    shape = {name: set(value) if isinstance(value, dict) else None for name, value in told.items()}
    users = {told["site"], "@gateway", "@facade", "@ana"}
    assert shape == {
        "console": {"url", "name", "password"},
        "http": {"url", "token"},
        "mqtt": {"host", "port", "users"},
        "redis": {"url"},
        "site": None,
        "pids": ROLES,
        "probe": {"device", "property", "host", "port", "unit", "register"},
    }
    assert set(told["mqtt"]["users"]) == users


def test_demo_file_readable_by_its_owner_only(demo: RunningDemo) -> None:
    """It holds secrets."""
    assert stat.S_IMODE(demo.file.stat().st_mode) == 0o600


@pytest.mark.invariant("I3")
def test_demo_write_applied_in_the_plc(demo: RunningDemo) -> None:
    """A change over HTTP is answered when the PLC has it, as an independent Modbus client sees too."""
    answer = demo.patch(155)
    assert (answer.status_code, answer.json()["state"]) == (200, "applied")
    assert demo.register() == 155


def test_demo_printed_curl_line_works_as_it_stands(demo: RunningDemo) -> None:
    """The line on the screen, pasted into a shell, changes the portion."""
    program("curl")
    line = next(line for line in demo.screen.splitlines() if line.strip().startswith("curl "))
    done = subprocess.run(["sh", "-c", f"{line} -sS"], check=True, capture_output=True, text=True, timeout=20)
    assert json.loads(done.stdout)["state"] == "applied"
    assert demo.register() == 150


def test_demo_printed_mosquitto_line_works_as_it_stands(demo: RunningDemo) -> None:
    """The line on the screen, pasted into a shell, shows the site's devices to a technician."""
    program("mosquitto_sub")
    line = next(line for line in demo.screen.splitlines() if line.strip().startswith("mosquitto_sub "))
    done = subprocess.run(["sh", "-c", f"{line} -C 12 -W 10"], check=False, capture_output=True, text=True, timeout=20)
    assert str(StateTopic(site=demo.summary["site"], device="feeder-1")) in done.stdout


def test_demo_printed_address_of_the_documentation_works(demo: RunningDemo) -> None:
    """The API's documentation opens in a browser, with the password that the screen says."""
    printed = re.search(r"(http://\S+/docs)\ntoken\n +(\S+)", demo.screen)
    assert printed
    assert requests.get(printed[1], auth=("anybody", printed[2]), timeout=10).status_code == 200


def test_demo_prints_the_console_first_and_how_to_sign_in(demo: RunningDemo) -> None:
    """The first thing on the screen is an address, a name and a password that open the web console."""
    after = demo.screen.split("Ctrl-C stops everything")[1]
    printed = re.search(r"\A\s+[^\n]*\n +(http://\S+/console/)\n +user name (\S+), password (\S+)\n", after)
    assert printed
    url, name, password = printed.groups()
    assert requests.get(url, timeout=10).headers["Content-Type"].startswith("text/html")
    session = url.replace("/console/", "/v1/session")
    signed_in = requests.post(session, json={"name": name, "password": password}, timeout=10)
    assert (signed_in.status_code, signed_in.json()["role"]) == (200, "admin")


def test_demo_processes_show_no_secret(demo: RunningDemo) -> None:
    """Neither the command lines nor the environments of the processes hold a secret, nor do the logs."""
    told = demo.summary
    secrets = {told["http"]["token"], told["console"]["password"]}
    secrets |= {*told["mqtt"]["users"].values(), told["redis"]["url"].split("@")[0][9:]}
    seen = "".join(path.read_text(errors="replace") for path in (demo.home / "logs").iterdir())
    for pid in demo.tree():
        process = psutil.Process(pid)
        seen += " ".join([*process.cmdline(), *process.environ().values()])
    assert [secret for secret in secrets if secret in seen] == []


def test_demo_second_run_in_the_same_folder_refused(demo: RunningDemo) -> None:
    """Two demos do not share a folder; the second says so and leaves the first alone."""
    second = RunningDemo(demo.home)
    assert second.process.wait(30) == 2
    assert demo.process.poll() is None
    assert demo.file.exists()


def test_demo_killed_agent_reported_with_the_line_that_starts_it(tmp_path: Path) -> None:
    """A part that dies is shouted about, the rest goes on, and the printed line brings the part back."""
    with running(tmp_path / "home") as demo:
        assert demo.patch(160).status_code == 200
        os.kill(demo.summary["pids"]["agent"], signal.SIGKILL)
        eventually(lambda: "agent ended" in demo.screen, what="the report")
        eventually(lambda: demo.patch(165).status_code == 503, within_s=40, what="the gate shut")
        lines = demo.screen.splitlines()
        line = lines[next(number for number, each in enumerate(lines) if "agent ended" in each) + 1]
        with subprocess.Popen(
            ["sh", "-c", f"exec {line}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as agent:
            try:
                eventually(lambda: demo.patch(170).status_code == 200, within_s=20, what="a write")
                assert demo.register() == 170
            finally:
                agent.terminate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_demo_one_signal_stops_everything(tmp_path: Path, number: signal.Signals) -> None:
    """One Ctrl-C is enough: nothing is left, and the exit is clean."""
    with running(tmp_path / "home") as demo:
        tree = demo.tree()
        demo.process.send_signal(number)
        assert demo.process.wait(20) == 0
        assert alive(tree) == set()
        assert not demo.file.exists()


def test_demo_killed_leaves_no_orphans(tmp_path: Path) -> None:
    """Even if the demo itself is killed, its children end (Linux)."""
    if sys.platform != "linux":
        pytest.skip("only Linux tells a child that its parent is gone")
    with running(tmp_path / "home") as demo:
        tree = demo.tree()
        demo.process.kill()
        demo.process.wait()
        eventually(lambda: not alive(tree), within_s=20, what="the end of all")


def test_demo_interrupted_while_it_starts_leaves_nothing(tmp_path: Path) -> None:
    """Ctrl-C before it is ready stops what has been started."""
    demo = RunningDemo(tmp_path / "home")
    try:
        eventually(lambda: len(demo.tree()) > 3, within_s=_READY_S, what="some processes")
        tree = demo.tree()
        demo.process.send_signal(signal.SIGINT)
        assert demo.process.wait(20) == 0
        assert alive(tree) == set()
    finally:
        demo.end()


def test_demo_port_taken_refused_with_its_variable(tmp_path: Path, demo: RunningDemo) -> None:
    """A port that was asked for and is taken ends the demo with the variable's name and what to do."""
    taken = str(demo.summary["mqtt"]["port"])
    second = RunningDemo(tmp_path / "home", TIDEGATE_MQTT_PORT=taken)
    assert second.process.wait(30) == 2
    assert "TIDEGATE_MQTT_PORT" in second.screen
    assert taken in second.screen


def test_demo_on_wheels_works_and_says_that_rights_are_off(tmp_path: Path) -> None:
    """Without Mosquitto and Redis the wheels do, with a loud word about what is missing."""
    with running(tmp_path / "home", "--programs", "wheels") as demo:
        assert "THE TOPIC RIGHTS (ACL) ARE OFF" in demo.screen
        assert demo.patch(145).json()["state"] == "applied"
        assert demo.register() == 145
