"""After a full run, the secrets of the whole system are in their own files and nowhere else (S26)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.mqtt_client import MqttClient
from tests.system import System

#: What may hold a secret: the files of the secrets, and Redis' own configuration.
OWN = ("secrets", "redis.conf", "wheel.toml")


@pytest.fixture
def canaries(system: System) -> dict[str, str]:
    """Name -> secret, of everybody in the system; and a wrong token that somebody typed."""
    found = {path.name: path.read_text().strip() for path in system.stack.plan.secrets.iterdir()}
    assert {"@facade", "@gateway", "@ana", "http-token", "redis", "redis-admin"} <= found.keys()
    return {**found, "typed": "tg_abcdefghijkm_" + "W" * 43}


@pytest.fixture
def busy(system: System, canaries: dict[str, str]) -> System:
    """Good writes and bad ones, good tokens and bad ones, a broker that dies and comes back."""
    system.passes({"portion_g": system.fresh()}, within_s=15)
    url = f"{system.stack.http_url}/v1/sites"
    for header in (f"Bearer {canaries['typed']}", f"Basic {canaries['typed']}", canaries["http-token"]):
        requests.get(url, headers={"Authorization": header}, timeout=5)
    requests.get(f"{url}/nowhere?token={canaries['typed'][:8]}", timeout=5)
    system.http.write({"portion_g": "no number"})
    system.facade_wire.cut()
    system.passes({"portion_g": system.fresh()}, within_s=20)
    return system


def _files(home: Path) -> Iterator[Path]:
    for path in home.rglob("*"):
        if path.is_file() and not {*OWN} & {path.name, path.parent.name}:
            yield path


def test_no_file_but_its_own_holds_a_secret(busy: System, canaries: dict[str, str]) -> None:
    """Logs, databases, journals, the broker's rights and passwords: none of them."""
    held = [
        (name, path)
        for path in _files(busy.stack.plan.home)
        for name, secret in canaries.items()
        if secret.encode() in path.read_bytes()
    ]
    assert held == []


def test_no_process_shows_a_secret(busy: System, canaries: dict[str, str]) -> None:
    """Neither in its arguments nor in its environment, where other programs of the same user could read it."""
    shown = []
    for child in busy.stack.children.values():
        if child.pid is None:
            continue
        for part in ("cmdline", "environ"):
            content = Path(f"/proc/{child.pid}/{part}").read_bytes()
            shown += [(child.role, part, name) for name, secret in canaries.items() if secret.encode() in content]
    assert shown == []


def test_no_topic_holds_a_secret(busy: System, canaries: dict[str, str]) -> None:
    """Nothing that is said while somebody listens to everything, and nothing that the broker keeps."""
    with MqttClient(busy.stack.login(busy.stack.plan.person)) as ana:
        ana.subscribe("#")
        busy.passes({"portion_g": busy.fresh()}, within_s=15)
        said = ana.received()
    assert any(each.retained for each in said)
    told = [(name, each.topic) for each in said for name, secret in canaries.items() if secret.encode() in each.payload]
    assert told == []


def test_no_answer_repeats_a_secret(busy: System, canaries: dict[str, str]) -> None:
    """A refused request is not quoted back, nor does any error name what was sent as a token."""
    url = f"{busy.stack.http_url}/v1/sites"
    for secret in (canaries["typed"], canaries["http-token"] + "x"):
        answer = requests.get(url, headers={"Authorization": f"Bearer {secret}"}, timeout=5)
        assert answer.status_code in {401, 429}
        assert secret not in answer.text + str(answer.headers)
