"""What the facade refuses stands in the audit before its caller hears of it (I14)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.audit import Audit
from gateway.audit_chain import Entry, Kind
from tests.databases import each_database, locked
from tests.fake_parts import DEVICE
from tests.running_broker import RunningBroker
from tests.running_facade import RunningFacade, running_facade

pytestmark = [each_database, pytest.mark.invariant("I14")]
SETTINGS = f"/devices/{DEVICE}/settings"
FEED = f"/devices/{DEVICE}/actions/feed"


@pytest.fixture
def facade(
    broker: RunningBroker, redis_url: str, database_url: str, tmp_path: Path, site_id: str
) -> Iterator[RunningFacade]:
    """A facade that knows a site, which is silent."""
    with running_facade(tmp_path / "facade", broker.login("@facade"), redis_url, database_url) as made:
        made.wait_connected()
        made.introduce(site_id)
        yield made


def _rows(facade: RunningFacade) -> list[Entry]:
    return [link.entry for link in Audit(facade.services.engine).links()]


def test_write_to_a_silent_site_has_one_row(facade: RunningFacade, site_id: str) -> None:
    """Who, what, from where, and why not."""
    answer = facade.client.patch(f"/v1/sites/{site_id}{SETTINGS}", json={"portion_g": 125})
    assert answer.status_code == 503
    (row,) = _rows(facade)
    assert (row.kind, row.site, row.device, row.name, row.code) == (
        Kind.REFUSED,
        site_id,
        DEVICE,
        "write",
        "site-offline",
    )
    assert (row.principal, row.actor, row.source_address) == ("@facade", "http-token", "127.0.0.1")
    assert json.loads(row.input or "") == {"portion_g": 125}


@pytest.mark.parametrize(
    ("path", "call", "code"),
    [
        (SETTINGS, {"json": {"portion_g": -5}}, "invalid-input"),
        (SETTINGS, {"json": {"nonsense": 1}}, "invalid-input"),
        (SETTINGS, {"data": b"{", "content_type": "application/json"}, "malformed"),
        (SETTINGS, {"data": b"{}", "content_type": "text/plain"}, "unsupported-media-type"),
        (SETTINGS, {"data": b"[" * 70_000, "content_type": "application/json"}, "http-413"),
        ("/devices/nobody/settings", {"json": {"portion_g": 5}}, "not-found"),
        ("/devices/" + "x" * 200 + "/settings", {"json": {"portion_g": 5}}, "not-found"),
        (FEED, {"json": {"grams": 50}}, "idempotency-key-required"),
        (FEED.replace("feed", "dance"), {"json": {}, "headers": {"Idempotency-Key": "k"}}, "not-found"),
    ],
)
def test_write_that_is_refused_for_its_form_has_one_row(
    facade: RunningFacade, site_id: str, path: str, call: dict[str, Any], code: str
) -> None:
    """Whatever is wrong with it, and however long its words are."""
    method = facade.client.post if "/actions/" in path else facade.client.patch
    answer = method(f"/v1/sites/{site_id}{path}", **call)
    assert 400 <= answer.status_code < 500
    assert [(row.kind, row.code) for row in _rows(facade)] == [(Kind.REFUSED, code)]


def test_reads_and_strangers_leave_no_row(facade: RunningFacade, site_id: str) -> None:
    """Only writes are audited, and only of callers who are known."""
    facade.client.get(f"/v1/sites/{site_id}/devices")
    stranger = facade.client.application.test_client()
    assert stranger.patch(f"/v1/sites/{site_id}{SETTINGS}", json={"portion_g": 5}).status_code == 401
    assert _rows(facade) == []


def test_refusal_is_told_though_the_audit_cannot_be_written(facade: RunningFacade, site_id: str) -> None:
    """Nothing was done, so nothing must wait for the database."""
    with locked(facade.services.engine):
        answer = facade.client.patch(f"/v1/sites/{site_id}{SETTINGS}", json={"portion_g": 125})
        assert answer.get_json()["code"] == "site-offline"


def _pending(facade: RunningFacade, site: str) -> str:
    """A command that the site, alive and mute, has not answered."""
    facade.beat(site)
    asked = facade.client.patch(f"/v1/sites/{site}{SETTINGS}", json={"portion_g": 5}, headers={"Prefer": "wait=0"})
    assert asked.status_code == 202
    return str(asked.get_json()["id"])


def test_cancel_has_a_row_with_who_wanted_it(facade: RunningFacade, site_id: str) -> None:
    """Beside the command's own; asked for again it is still one."""
    id = _pending(facade, site_id)
    for _ in range(2):
        answered = facade.client.post(f"/v1/commands/{id}/cancel", headers={"Prefer": "wait=0"})
        assert answered.status_code == 202
    rows = _rows(facade)
    assert [(each.kind, each.command) for each in rows] == [(Kind.ASKED, id), (Kind.CANCEL, id)]
    assert (rows[1].actor, rows[1].source_address, rows[1].name) == (rows[0].actor, "127.0.0.1", "write")


def test_cancel_without_a_row_is_not_sent(facade: RunningFacade, site_id: str) -> None:
    """503, and asked for again later it passes."""
    id = _pending(facade, site_id)
    with locked(facade.services.engine):
        refused = facade.client.post(f"/v1/commands/{id}/cancel", headers={"Prefer": "wait=0"})
        assert refused.status_code == 503
    assert facade.client.post(f"/v1/commands/{id}/cancel", headers={"Prefer": "wait=0"}).status_code == 202
