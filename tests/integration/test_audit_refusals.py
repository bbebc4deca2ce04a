"""What the facade refuses stands in the audit before its caller hears of it (I14)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest

from gateway.audit import Audit
from gateway.audit_chain import Entry, Kind
from gateway.protocol.errors import Unavailable
from gateway.roles import Role
from tests.databases import each_database, locked
from tests.entries import asked, new_id
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


def _refused(facade: RunningFacade, role: Role, call: str, path: str, **said: Any) -> Entry:  # noqa: ANN401 # JSON
    """The one row of a request by Eve, who has that role at a site of her own."""
    token, _ = facade.services.tokens.add(name="eve", role=role, sites=frozenset({"eves-own"}), expires_at=None)
    client = facade.client.application.test_client()
    answer = client.open(path, method=call, headers={"Authorization": f"Bearer {token}"}, **said)
    assert answer.status_code in {403, 404}
    (row,) = _rows(facade)
    assert (row.kind, row.actor, row.source_address) == (Kind.REFUSED, "eve", "127.0.0.1")
    return row


def test_write_without_the_role_for_it_has_one_row(facade: RunningFacade) -> None:
    """What was wanted, though nobody looked at it before it was refused."""
    path = f"/v1/sites/eves-own{SETTINGS}"
    row = _refused(facade, Role.VIEWER, "PATCH", path, json={"portion_g": 125})
    assert (row.site, row.device, row.name, row.code) == ("eves-own", DEVICE, "write", "forbidden")
    assert json.loads(row.input or "") == {"portion_g": 125}


@pytest.mark.invariant("I13")
def test_write_to_a_foreign_site_has_one_row(facade: RunningFacade, site_id: str) -> None:
    """It looks to the caller as if there were no such site; the audit knows better."""
    row = _refused(facade, Role.OPERATOR, "POST", f"/v1/sites/{site_id}{FEED}", json={"grams": 50})
    assert (row.site, row.device, row.name, row.code) == (site_id, DEVICE, "feed", "not-found")


def test_run_of_a_group_without_the_role_has_one_row_without_its_token(facade: RunningFacade) -> None:
    """The preview's token is a secret as long as nobody has used it."""
    id = new_id()
    row = _refused(facade, Role.OPERATOR, "POST", f"/v1/groups/{id}/run", json={"token": "canary"})
    assert (row.name, row.code, json.loads(row.input or "")) == ("group", "forbidden", {"id": id})


def test_browser_without_the_second_proof_has_one_row(facade: RunningFacade, site_id: str) -> None:
    """Another page made it ask: whose browser it was is known."""
    facade.services.accounts.add("dana", "correct horse battery", Role.ADMIN, None)
    browser = facade.client.application.test_client()
    assert browser.post("/v1/session", json={"name": "dana", "password": "correct horse battery"}).status_code == 200
    assert browser.patch(f"/v1/sites/{site_id}{SETTINGS}", json={"portion_g": 5}).status_code == 403
    assert [(row.actor, row.code) for row in _rows(facade)] == [("dana", "csrf-missing")]


def test_write_whose_publish_fails_has_its_own_two_rows_alone(
    facade: RunningFacade, site_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was recorded, and came to its end; the answer names it, since its key is used up."""
    facade.beat(site_id)

    def lost(*_: object, **__: object) -> NoReturn:
        raise Unavailable("broker", "not connected")

    monkeypatch.setattr(facade.services.link, "publish", lost)
    answer = facade.client.patch(f"/v1/sites/{site_id}{SETTINGS}", json={"portion_g": 125})
    assert (answer.status_code, answer.get_json()["code"]) == (503, "broker-unavailable")
    id = answer.get_json()["command"]["id"]
    assert [(row.kind, row.command) for row in _rows(facade)] == [(Kind.ASKED, id), (Kind.ENDED, id)]


def test_write_that_is_recorded_too_late_is_not_refused_a_second_time(facade: RunningFacade) -> None:
    """Its row came after the caller was told that there is none: that row, and its end, tell all."""
    late, never = asked(), asked()
    ledger = facade.services.ledger
    ledger.record([late])
    for each in (late, never):
        facade.services.audit_notes.refusal(
            site=each.site,
            device=each.device,
            name=each.name,
            actor=each.actor,
            source_address=None,
            input=each.input,
            code="ledger-unavailable",
            detail="",
            command=each.id,
        )
    assert [(row.kind, row.command) for row in _rows(facade)] == [(Kind.ASKED, late.id), (Kind.REFUSED, never.id)]


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
