"""The main job through ``compose.yaml``, as somebody meets it who has an engine and a fresh clone.

Runs with ``--backend=containers`` only: it builds an image.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
import requests

from tests.conditions import eventually
from tests.modbus_poll import holding_register
from tests.requirements import engine, program

ROOT: Final = Path(__file__).parents[2]
#: Set to nothing, each publishes a free port.
PORTS: Final = ("TIDEGATE_HTTP_PORT", "TIDEGATE_MQTT_PORT", "TIDEGATE_MQTT_MACHINES_PORT", "TIDEGATE_MODBUS_PORT")
SERVICES: Final = {"mosquitto", "redis", "gateway", "facade", "farm", "agent"}
SITE: Final = "arava-1"
_UP_S: Final = 900

pytestmark = pytest.mark.timeout(1_200)


class Compose:
    """One project of its own name."""

    def __init__(self) -> None:
        self._project = f"tidegate-test-{secrets.token_hex(4)}"
        self._environment = {**os.environ, **dict.fromkeys(PORTS, "")}

    def run(self, *words: str, check: bool = True) -> str:
        """The output of ``docker compose`` with these words."""
        argv = [str(program("docker")), "compose", "--project-name", self._project, "--profile", "demo", *words]
        done = subprocess.run(
            argv, check=False, capture_output=True, text=True, timeout=_UP_S, env=self._environment, cwd=ROOT
        )
        assert not check or done.returncode == 0, f"{words}: {done.stdout[-2000:]}{done.stderr[-4000:]}"
        return done.stdout

    def address(self, service: str, port: int) -> tuple[str, int]:
        """Where a service's port is published."""
        host, _, published = self.run("port", service, str(port)).strip().rpartition(":")
        return host, int(published)

    def health(self) -> dict[str, str]:
        """What each running service says of itself."""
        lines = self.run("ps", "--format", "json").splitlines()
        return {each["Service"]: each["Health"] for each in map(json.loads, lines)}


@pytest.fixture(scope="module")
def compose(backend: str) -> Iterator[Compose]:
    """Everything up, the image built from this checkout; gone with its volumes afterwards."""
    if backend != "containers":
        pytest.skip("runs with --backend=containers")
    engine()
    project = Compose()
    try:
        project.run("up", "--build", "--detach", "--wait")
        yield project
    finally:
        print(project.run("logs", "--no-color", "--tail", "30", check=False))  # noqa: T201 # shown if a test fails
        project.run("down", "--volumes", "--timeout", "5", check=False)


@pytest.fixture(scope="module")
def settings_url(compose: Compose) -> str:
    host, port = compose.address("facade", 8080)
    return f"http://{host}:{port}/v1/sites/{SITE}/devices/feeder-1/settings"


@pytest.fixture(scope="module")
def token(compose: Compose) -> str:
    return compose.run("exec", "--no-TTY", "facade", "cat", "/tidegate/servers/http-token").strip()


def patch(url: str, token: str, grams: int) -> requests.Response:
    return requests.patch(url, json={"portion_g": grams}, headers={"Authorization": f"Bearer {token}"}, timeout=15)


@pytest.mark.invariant("I3")
def test_compose_write_applied_in_the_plc(compose: Compose, settings_url: str, token: str) -> None:
    """A change over HTTP is answered when the simulated PLC has it, as an independent Modbus client sees too."""
    answer = patch(settings_url, token, 135)
    assert (answer.status_code, answer.json()["state"]) == (200, "applied")
    assert holding_register(*compose.address("farm", 5020), 1, 0) == 135


def test_compose_every_service_healthy(compose: Compose) -> None:
    """Each service has a health check, and passes it."""
    assert compose.health() == dict.fromkeys(SERVICES, "healthy")


def test_compose_write_without_token_refused(compose: Compose, settings_url: str) -> None:
    """The token is needed here too, and nothing reaches the PLC without it."""
    before = holding_register(*compose.address("farm", 5020), 1, 0)
    assert patch(settings_url, "guessed", 140).status_code == 401
    assert holding_register(*compose.address("farm", 5020), 1, 0) == before


def test_compose_services_see_no_secrets_of_others(compose: Compose) -> None:
    """The site's container has its own password only; the servers' have no technician's."""
    agent = compose.run("exec", "--no-TTY", "agent", "find", "/tidegate", "-type", "f").split()
    gateway = compose.run("exec", "--no-TTY", "gateway", "find", "/tidegate", "-type", "f").split()
    assert sorted(agent) == ["/tidegate/site/password", "/tidegate/site/site.toml"]
    assert sorted(gateway) == [f"/tidegate/servers/{name}" for name in ("@facade", "@gateway", "http-token", "redis")]


@pytest.mark.invariant("I4")
def test_compose_agent_killed_then_back_gate_follows(compose: Compose, settings_url: str, token: str) -> None:
    """Without its agent the site is refused; with it the first writes pass again."""
    compose.run("kill", "--signal", "KILL", "agent")
    eventually(
        lambda: patch(settings_url, token, 150).json().get("code") == "site-offline", within_s=40, what="a refusal"
    )
    compose.run("up", "--detach", "--wait")
    assert patch(settings_url, token, 160).json()["state"] == "applied"


def test_compose_up_again_keeps_every_secret(compose: Compose, token: str) -> None:
    """A second start makes no new secrets: whoever has one keeps it."""
    compose.run("up", "--detach", "--wait", "--force-recreate")
    assert compose.run("exec", "--no-TTY", "facade", "cat", "/tidegate/servers/http-token").strip() == token


def test_compose_passwords_can_be_read_as_the_page_says(compose: Compose) -> None:
    """Every `cat` of docs/operations.md gives a secret: who runs the containers can hand them out."""
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    recipes = [line.split()[2:] for line in page.splitlines() if line.startswith("docker compose") and " cat" in line]
    assert len(recipes) == 3
    for words in recipes:
        assert len(compose.run(*words).strip()) >= 32
