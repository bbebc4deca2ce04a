"""Overload and nonsense at a facade with real parts: refused in one clear way, unheard on the broker, survived."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from gateway.protocol.topics import ROOT
from tests.answering_site import AnsweringSite
from tests.conditions import eventually
from tests.entries import new_id
from tests.fake_parts import DEVICE
from tests.mqtt_client import MqttClient
from tests.running_broker import RunningBroker
from tests.running_facade import RunningFacade, running_facade

AUDITOR = "@facade-auditor"
#: Each with what it may lead to, and nothing else.
NONSENSE = (
    b"",
    b"{",
    b"[]",
    b"null",
    b"\xff\xfe",
    b'{"grams": 1e999}',
    b'{"grams": "50"}',
    b'{"grams": 50.5}',
    b'{"grams": -5}',
    b'{"grams": ' + b"9" * 4_000 + b"}",
    b'{"grams": 50, "grams": 55}',
    b'{"grams": {"grams": 50}}',
    b'{"\\u0000": 50}',
    b"[" * 60_000,
    b" " * 70_000,
)


@pytest.fixture
def facade(broker: RunningBroker, redis_url: str, database_url: str, tmp_path: Path) -> Iterator[RunningFacade]:
    """A facade on the shared broker and Redis."""
    with running_facade(tmp_path / "facade", broker.login("@facade"), redis_url, database_url) as made:
        yield made


@pytest.fixture
def site(broker: RunningBroker, facade: RunningFacade, site_id: str) -> Iterator[AnsweringSite]:
    """A site that is known, alive, and answers."""
    with AnsweringSite(broker.add_site(site_id)) as made:
        facade.introduce(site_id)
        facade.beat(site_id)
        yield made


def _client(facade: RunningFacade) -> FlaskClient:
    made = facade.client.application.test_client()
    made.environ_base.update(facade.client.environ_base)
    return made


def _wrong(facade: RunningFacade, site: str, number: int) -> tuple[int, str]:
    """One wrong request out of many; status and code of its answer."""
    dice = random.Random(number)  # noqa: S311 # the same requests each time
    place = f"/v1/sites/{dice.choice([site, '+', '%23', '$SYS', '..'])}/devices/{dice.choice([DEVICE, '+', '%00'])}"
    method, path = dice.choice(
        [
            ("PATCH", f"{place}/settings"),
            ("POST", f"{place}/actions/{dice.choice(['feed', 'write', 'cancel', '%2B'])}"),
            ("POST", f"/v1/commands/{dice.choice([new_id(), '+', '%2e%2e'])}/cancel"),
        ]
    )
    headers = dice.choice([{}, {"Idempotency-Key": new_id()}, {"Idempotency-Key": '"'}, {"Prefer": "wait=x"}])
    media_type = dice.choice(["application/json", "application/merge-patch+json", "text/plain", ""])
    answer = _client(facade).open(
        path, method=method, data=dice.choice(NONSENSE), headers={**headers, "Content-Type": media_type}
    )
    assert answer.mimetype == "application/problem+json", answer.text
    body = answer.get_json()
    assert body["status"] == answer.status_code
    return answer.status_code, str(body["code"])


@pytest.mark.fault("F40")
@pytest.mark.invariant("I5")
@pytest.mark.invariant("I15")
def test_wrong_requests_are_refused_unheard_and_survived(
    broker: RunningBroker, facade: RunningFacade, site: AnsweringSite
) -> None:
    """Hundreds at once: each a 4xx, none on the broker; then every thread lives and a write works."""
    before = {thread.name for thread in threading.enumerate()} & {"ledger-writer", "broker-link"}
    with MqttClient(broker.add_auditor(AUDITOR)) as auditor:
        auditor.subscribe(f"{ROOT}/+/commands/#", f"{ROOT}/{site.site}/acks/#")
        with ThreadPoolExecutor(8) as pool:
            verdicts = set(pool.map(lambda number: _wrong(facade, site.site, number), range(400)))
        assert all(400 <= status < 500 for status, _ in verdicts), verdicts
        assert {"malformed", "invalid-input", "unknown-site", "too-large"} <= {code for _, code in verdicts}
        assert facade.client.get("/healthz").status_code == 200
        url = f"/v1/sites/{site.site}/devices/{DEVICE}/settings"
        assert facade.client.patch(url, json={"portion_g": 5}).status_code == 200
        eventually(lambda: [each for each in auditor.received() if "/acks/" in each.topic], what="the write's ack")
        mine = [each for each in auditor.received() if f"/{site.site}/commands/@facade/" in each.topic]
    assert len(mine) == len(site.heard) == 1
    assert before == {"ledger-writer", "broker-link"}
    assert before <= {thread.name for thread in threading.enumerate()}


@pytest.mark.invariant("I15")
def test_full_waiters_refuse_writes_and_serve_reads(facade: RunningFacade, site: AnsweringSite) -> None:
    """While as many wait as may, a further write is 503 at once, unheard, and a read is as quick as ever."""
    site.answers = lambda *_: []
    facade.services.waiters._limit = 3
    url = f"/v1/sites/{site.site}/devices/{DEVICE}/settings"
    with ThreadPoolExecutor(3) as pool:
        waiting = [
            pool.submit(_client(facade).patch, url, json={"portion_g": 5}, headers={"Prefer": "wait=30"})
            for _ in range(3)
        ]
        eventually(lambda: len(site.heard) == 3, what="three commands at the site")
        refused = facade.client.patch(url, json={"portion_g": 10})
        assert (refused.status_code, refused.get_json()["code"]) == (503, "overloaded")
        assert int(refused.headers["Retry-After"]) >= 1
        assert facade.client.get("/v1/commands").status_code == 200
        facade.services.waiters.dismiss()
        assert {each.result(5).status_code for each in waiting} == {202}
    assert [command.input for _, command in site.heard] == [{"portion_g": 5}] * 3


@pytest.mark.invariant("I15")
def test_full_queue_of_the_ledger_refuses_writes(facade: RunningFacade, site: AnsweringSite) -> None:
    """No room for the row: 503, unheard; with room again it works."""
    writer, url = facade.services.writer, f"/v1/sites/{site.site}/devices/{DEVICE}/settings"
    limit, writer._limit = writer._limit, 0
    refused = facade.client.patch(url, json={"portion_g": 10})
    assert (refused.status_code, refused.get_json()["code"]) == (503, "overloaded")
    writer._limit = limit
    assert facade.client.patch(url, json={"portion_g": 5}).status_code == 200
    assert [command.input for _, command in site.heard] == [{"portion_g": 5}]
