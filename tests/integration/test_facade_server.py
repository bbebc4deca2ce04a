"""``tidegate facade`` as a process: how it starts, serves and ends."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from gateway.crash import VARIABLE
from gateway.demo.process import Child
from http_facade.bodies import MAX_BODY_BYTES
from tests.answering_site import AnsweringSite
from tests.conditions import STRETCH, eventually
from tests.facade_process import FacadeProcess, introduce
from tests.fake_parts import DEVICE
from tests.running_broker import RunningBroker

STOP_S = 3.0


@pytest.fixture
def facade(broker: RunningBroker, redis_url: str, database_url: str, tmp_path: Path) -> Iterator[FacadeProcess]:
    """A facade that is ready."""
    made = FacadeProcess(tmp_path / "home", broker, redis_url, database_url)
    made.start()
    yield made
    made.child.stop()


@pytest.fixture
def waiting(facade: FacadeProcess, site_id: str, redis_url: str, database_url: str) -> str:
    """The URL of a device whose site is alive by its beat but never answers."""
    introduce(site_id, redis_url, database_url)
    return f"{facade.url}/v1/sites/{site_id}/devices/{DEVICE}/settings"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such mode bits")
def test_first_start_makes_a_private_token(facade: FacadeProcess) -> None:
    """And without it nothing is answered."""
    assert stat.S_IMODE(facade.settings.http_token_file.stat().st_mode) == 0o600
    assert requests.get(f"{facade.url}/v1/sites", timeout=5).status_code == 401
    assert requests.get(f"{facade.url}/v1/sites", headers=facade.headers, timeout=5).status_code == 200


def test_start_warns_of_nothing(facade: FacadeProcess) -> None:
    """Whoever sees a warning at every start reads none in the end."""
    levels = {json.loads(line)["level"] for line in facade.child.last_words().splitlines() if line.startswith("{")}
    assert levels == {"info"}


@pytest.mark.skipif(os.name == "nt", reason="Windows has other signals")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_it_soon_and_answers_who_waits(facade: FacadeProcess, waiting: str, number: signal.Signals) -> None:
    """A request that waits for a PLC hears 202, since its command is on the way; then the process is gone."""
    with ThreadPoolExecutor(1) as pool:
        headers = facade.headers | {"Prefer": "wait=30"}
        answer = pool.submit(requests.patch, waiting, json={"portion_g": 5}, headers=headers, timeout=40)
        listing = f"{facade.url}/v1/commands"
        eventually(
            lambda: requests.get(listing, headers=facade.headers, timeout=5).json()["items"], what="the command's row"
        )
        began_s = time.monotonic()
        facade.child.signal(number)
        eventually(lambda: not facade.child.running, within_s=STOP_S, what="the facade's end")
        assert time.monotonic() - began_s < STOP_S * STRETCH
        assert answer.result().status_code == 202
    assert facade.child.exit_code == 0
    assert not facade.serves()


@pytest.mark.skipif(os.name == "nt", reason="Windows has other signals")
def test_signals_in_a_burst_end_it_as_one_does(facade: FacadeProcess) -> None:
    """Impatient people press Ctrl-C more than once; a handler that is interrupted must not wait for itself."""
    for _ in range(300):
        facade.child.signal(signal.SIGTERM)
    eventually(lambda: not facade.child.running, within_s=8, what="its end")


@pytest.mark.skipif(os.name == "nt", reason="Windows has other signals")
def test_killed_parent_takes_its_worker_along(facade: FacadeProcess) -> None:
    """Nobody is left who holds the port and answers; a new one can start there at once."""
    facade.child.kill()
    eventually(lambda: not facade.serves(), what="the worker's end")
    facade.start()


@pytest.mark.fault("F40")
@pytest.mark.invariant("I15")
def test_endless_body_is_refused_before_it_is_read(facade: FacadeProcess, waiting: str) -> None:
    """F40: the bound is ours, whatever the caller announces."""

    def endless() -> Iterator[bytes]:
        for _ in range(64 * 16):
            yield b" " * 4_096

    headers = facade.headers | {"Content-Type": "application/merge-patch+json"}
    try:
        answer = requests.patch(waiting, data=endless(), headers=headers, timeout=10)
    except requests.ConnectionError:
        pass  # the server closed it while we were still sending, which is fine too
    else:
        assert answer.status_code == 413
    sized = requests.patch(waiting, data=b" " * (MAX_BODY_BYTES + 1), headers=headers, timeout=10)
    assert sized.status_code == 413
    assert requests.get(f"{facade.url}/healthz", timeout=5).status_code == 200


@pytest.mark.invariant("I15")
def test_endless_headers_are_refused(facade: FacadeProcess, waiting: str) -> None:
    """The server stops reading at its bound, and lives."""
    headers = facade.headers | {"Idempotency-Key": "x" * 1_000_000}
    try:
        answer = requests.patch(waiting, json={"portion_g": 5}, headers=headers, timeout=10)
    except requests.ConnectionError:
        pass  # closed while we were still sending, which is fine too
    else:
        assert 400 <= answer.status_code < 500
    assert requests.get(f"{facade.url}/healthz", timeout=5).status_code == 200
    assert requests.get(f"{facade.url}/v1/commands", headers=facade.headers, timeout=5).json()["items"] == []


@pytest.mark.invariant("I15")
def test_readers_that_do_not_read_block_nobody(facade: FacadeProcess, waiting: str) -> None:
    """More of them than the facade has threads for requests: each asks for large answers, and leaves them lying."""
    document = f"GET /openapi.json HTTP/1.1\r\nHost: x\r\nAuthorization: {facade.headers['Authorization']}\r\n\r\n"
    lazy = []
    try:
        for _ in range(2 * facade.settings.http_threads):
            lazy.append(socket.create_connection(("127.0.0.1", facade.port)))
            lazy[-1].setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1_024)
            lazy[-1].sendall(20 * document.encode())
        headers = facade.headers | {"Prefer": "wait=0"}
        assert requests.patch(waiting, json={"portion_g": 5}, headers=headers, timeout=30).status_code == 202
    finally:
        for each in lazy:
            each.close()


@pytest.mark.fault("F26")
@pytest.mark.invariant("I1")
@pytest.mark.invariant("I14")
@pytest.mark.parametrize(
    ("step", "rows"),
    [("facade-before-record", 0), ("facade-recorded", 1), ("facade-published", 1), ("facade-before-answer", 1)],
)
def test_facade_that_dies_on_the_way_leads_its_key_to_one_command(
    broker: RunningBroker, redis_url: str, database_url: str, tmp_path: Path, site_id: str, step: str, rows: int
) -> None:
    """Killed exactly there: no row, no command; with a row the key leads to it, and nothing is sent again (F26)."""
    facade = FacadeProcess(tmp_path / "home", broker, redis_url, database_url)
    facade.child.environment[VARIABLE] = step
    facade.start()
    introduce(site_id, redis_url, database_url)
    url = f"{facade.url}/v1/sites/{site_id}/devices/{DEVICE}/actions/feed"
    headers = facade.headers | {"Idempotency-Key": "k-1", "Prefer": "wait=1"}
    with AnsweringSite(broker.add_site(site_id)) as site:
        try:
            with pytest.raises(requests.ConnectionError):
                requests.post(url, json={"grams": 50}, headers=headers, timeout=30)
            eventually(lambda: not facade.child.running, what="the facade's death")
            del facade.child.environment[VARIABLE]
            facade.start()
            listing = requests.get(f"{facade.url}/v1/commands", headers=facade.headers, timeout=5).json()["items"]
            assert len(listing) == rows
            again = requests.post(url, json={"grams": 50}, headers=headers, timeout=30)
            assert again.status_code in {200, 202}
            assert ("Idempotency-Replayed" in again.headers) == bool(rows)
            assert [each["id"] for each in listing] in ([], [again.json()["id"]])
        finally:
            facade.child.stop()
        assert len(site.heard) <= 1


def test_settings_that_are_wrong_are_told_at_once(tmp_path: Path) -> None:
    """One message, every fault, exit code 2."""
    environment = {"TIDEGATE_HOME": str(tmp_path), "TIDEGATE_HTTP_PORT": "x", "TIDEGATE_HTTP_THREADS": "1"}
    child = Child("facade", [sys.executable, "-m", "gateway", "facade"], log=tmp_path / "log", environment=environment)
    child.start()
    eventually(lambda: not child.running, within_s=20, what="the end")
    assert child.exit_code == 2
    for name in ("TIDEGATE_HTTP_PORT", "TIDEGATE_HTTP_THREADS", "TIDEGATE_BROKER_PASSWORD_FILE"):
        assert name in child.last_words()
