"""Everything that is wrong comes as a problem, whatever path it took; and what is wrong in a body."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from http_facade.bodies import MAX_BODY_BYTES
from tests.fake_parts import DEVICE, SITE, FakeParts

DEVICE_URL = f"/v1/sites/{SITE}/devices/{DEVICE}"
URL = f"{DEVICE_URL}/settings"
FEED = f"{DEVICE_URL}/actions/feed"
KEYED = {"Idempotency-Key": "k-1"}
NOBODY = "01890a5d-ac96-774b-bcce-b302099a8057"
MERGE = "application/merge-patch+json"


def _problem(answer: TestResponse) -> dict[str, Any]:
    assert answer.mimetype == "application/problem+json", answer.text
    body = answer.get_json()
    assert isinstance(body, dict)
    assert {"type", "title", "status", "detail", "code", "instance"} <= set(body)
    assert body["status"] == answer.status_code
    assert body["type"] == f"urn:tidegate:problem:{body['code']}"
    return body


@pytest.mark.parametrize(
    ("method", "url", "arguments", "status", "code"),
    [
        ("GET", "/nowhere", {}, 404, "not-found"),
        ("GET", "/v1/sites/Not-A-Site", {}, 404, "unknown-site"),
        ("GET", "/v1/sites/none", {}, 404, "unknown-site"),
        ("GET", "/v1/sites/none/devices", {}, 404, "unknown-site"),
        ("GET", "/v1/sites/none/devices/x", {}, 404, "unknown-site"),
        ("GET", f"/v1/sites/{SITE}/devices/none", {}, 404, "unknown-device"),
        ("GET", f"/v1/sites/{SITE}/devices/none/description", {}, 404, "unknown-device"),
        ("GET", "/v1/commands/none", {}, 404, "unknown-command"),
        ("GET", "/v1/commands/01890a5d-ac96-774b-bcce-b302099a8057", {}, 404, "unknown-command"),
        ("GET", "/v1/commands?limit=0", {}, 422, "invalid-input"),
        ("GET", "/v1/commands?limit=many", {}, 422, "invalid-input"),
        ("GET", "/v1/commands?state=done", {}, 422, "invalid-input"),
        ("GET", "/v1/commands?sate=applied", {}, 422, "invalid-input"),
        ("GET", "/v1/commands?limit=1&limit=2", {}, 422, "invalid-input"),
        ("POST", "/v1/sites", {}, 405, "method-not-allowed"),
        ("GET", URL, {}, 405, "method-not-allowed"),
        ("PATCH", URL, {"data": b"portion_g=1", "content_type": "text/plain"}, 415, "unsupported-media-type"),
        ("PATCH", URL, {"data": b""}, 415, "unsupported-media-type"),
        ("PATCH", URL, {"data": b"{", "content_type": MERGE}, 400, "malformed"),
        ("PATCH", URL, {"data": b"", "content_type": MERGE}, 400, "malformed"),
        ("PATCH", URL, {"data": b"\xff", "content_type": MERGE}, 400, "malformed"),
        ("PATCH", URL, {"data": b'{"portion_g": NaN}', "content_type": MERGE}, 400, "malformed"),
        ("PATCH", URL, {"data": b'{"portion_g": 1, "portion_g": 2}', "content_type": MERGE}, 400, "malformed"),
        ("PATCH", URL, {"data": b"[" * 60_000, "content_type": MERGE}, 400, "malformed"),
        ("PATCH", URL, {"data": b'{"portion_g": ' + b"9" * 5_000 + b"}", "content_type": MERGE}, 400, "malformed"),
        ("PATCH", URL, {"data": b"[]", "content_type": MERGE}, 422, "invalid-input"),
        ("PATCH", URL, {"data": b"{}", "content_type": MERGE}, 422, "invalid-input"),
        ("PATCH", URL, {"data": b" " * (MAX_BODY_BYTES + 1), "content_type": MERGE}, 413, "too-large"),
        ("PATCH", URL + "?ttl_s=0.5", {"json": {"portion_g": 5}}, 422, "invalid-input"),
        ("PATCH", URL + "?ttl_s=61", {"json": {"portion_g": 5}}, 422, "invalid-input"),
        ("PATCH", URL + "?ttl_s=nan", {"json": {"portion_g": 5}}, 422, "invalid-input"),
        ("PATCH", URL + "?ttl=5", {"json": {"portion_g": 5}}, 422, "invalid-input"),
        ("PATCH", URL, {"json": {"portion_g": 5}, "headers": {"If-Match": "x"}}, 400, "malformed"),
        ("PATCH", URL, {"json": {"portion_g": 5}, "headers": {"If-Match": '"x"'}}, 412, "expect-failed"),
        ("PATCH", URL, {"json": {"portion_g": 5}, "headers": {"Idempotency-Key": "a b"}}, 400, "malformed"),
        ("POST", FEED, {"json": {"grams": 5}}, 400, "idempotency-key-required"),
        ("POST", FEED, {"json": {"grams": 5}, "headers": {"Idempotency-Key": ""}}, 400, "malformed"),
        ("POST", FEED, {"json": {"grams": 5}, "headers": {"Idempotency-Key": "x" * 129}}, 400, "malformed"),
        ("POST", FEED, {"json": {"grams": 5}, "headers": {"Idempotency-Key": '"x'}}, 400, "malformed"),
        ("POST", FEED, {"json": {"grams": 5}, "headers": KEYED | {"If-Match": '"0123abcd"'}}, 400, "malformed"),
        ("POST", FEED, {"headers": KEYED}, 422, "invalid-input"),
        ("POST", FEED, {"json": {}, "headers": KEYED}, 422, "invalid-input"),
        ("POST", FEED, {"json": [], "headers": KEYED}, 422, "invalid-input"),
        ("POST", FEED, {"json": {"grams": 5, "more": 1}, "headers": KEYED}, 422, "invalid-input"),
        ("POST", FEED, {"json": {"grams": None}, "headers": KEYED}, 422, "invalid-input"),
        ("POST", FEED, {"json": {"grams": 505}, "headers": KEYED}, 422, "invalid-input"),
        ("POST", FEED, {"json": {"grams": 7}, "headers": KEYED}, 422, "invalid-input"),
        ("POST", FEED, {"data": b"{", "content_type": "application/json", "headers": KEYED}, 400, "malformed"),
        ("POST", FEED, {"data": b"{}", "content_type": MERGE, "headers": KEYED}, 415, "unsupported-media-type"),
        ("POST", FEED, {"data": b" " * (MAX_BODY_BYTES + 1), "headers": KEYED}, 413, "too-large"),
        ("POST", FEED + "?ttl_s=0", {"json": {"grams": 5}, "headers": KEYED}, 422, "invalid-input"),
        ("POST", f"{DEVICE_URL}/actions/dance", {"json": {}, "headers": KEYED}, 404, "unknown-action"),
        ("POST", f"{DEVICE_URL}/actions/write", {"json": {"portion_g": 5}, "headers": KEYED}, 404, "unknown-action"),
        ("POST", f"{DEVICE_URL}/actions/cancel", {"json": {}, "headers": KEYED}, 404, "unknown-action"),
        ("POST", f"{DEVICE_URL}/actions/%00", {"json": {}, "headers": KEYED}, 404, "unknown-action"),
        ("POST", f"/v1/sites/none/devices/{DEVICE}/actions/feed", {"headers": KEYED}, 404, "unknown-site"),
        ("POST", f"/v1/sites/{SITE}/devices/none/actions/feed", {"headers": KEYED}, 404, "unknown-device"),
        ("GET", FEED, {}, 405, "method-not-allowed"),
        ("POST", "/v1/commands/none/cancel", {}, 404, "unknown-command"),
        ("POST", f"/v1/commands/{NOBODY}/cancel", {}, 404, "unknown-command"),
        ("POST", f"/v1/commands/{NOBODY}/cancel", {"json": {"a": 1}}, 422, "invalid-input"),
        ("POST", f"/v1/commands/{NOBODY}/cancel", {"data": b" " * (MAX_BODY_BYTES + 1)}, 413, "too-large"),
        ("GET", f"/v1/commands/{NOBODY}/cancel", {}, 405, "method-not-allowed"),
        ("PATCH", "/v1/sites/none/devices/x/settings", {"json": {"portion_g": 5}}, 404, "unknown-site"),
        ("PATCH", f"/v1/sites/{SITE}/devices/x/settings", {"json": {"portion_g": 5}}, 404, "unknown-device"),
        ("PATCH", f"/v1/sites/{SITE}/devices/X/settings", {"json": {"portion_g": 5}}, 404, "unknown-device"),
    ],
)
@pytest.mark.invariant("I5")
def test_request_that_is_wrong_gets_a_problem_and_publishes_nothing(
    client: FlaskClient, parts: FakeParts, method: str, url: str, arguments: dict[str, Any], status: int, code: str
) -> None:
    """One shape on every path."""
    body = _problem(client.open(url, method=method, **arguments))
    assert (body["status"], body["code"]) == (status, code)
    assert parts.link.published == []
    assert parts.ledger.records == {}


def test_method_not_allowed_names_the_allowed_ones(client: FlaskClient) -> None:
    """RFC 9110 section 15.5.6 demands it."""
    assert {"GET", "HEAD"} <= set(client.post("/v1/sites").headers["Allow"].split(", "))


def test_unsupported_media_type_names_the_supported_ones(client: FlaskClient) -> None:
    """RFC 5789 section 2.2."""
    assert MERGE in client.patch(URL, data=b"x").headers["Accept-Patch"]


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer wrong", "Basic eDp5", "Token abc", "Bearer \xff\xfe"])
@pytest.mark.parametrize("url", ["/v1/sites", "/nowhere", "/docs", "/openapi.json", URL])
def test_request_without_the_token_is_refused(anonymous: FlaskClient, url: str, header: str | None) -> None:
    """Unknown paths too: a stranger learns nothing, and is told how to ask."""
    answer = anonymous.get(url, headers={} if header is None else {"Authorization": header})
    assert _problem(answer)["code"] == "unauthorized"
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize(("url", "status"), [("/docs", 200), ("/openapi.json", 200), ("/v1/sites", 401)])
def test_token_as_basic_password_opens_the_pages_for_people_only(
    anonymous: FlaskClient, token: str, url: str, status: int
) -> None:
    """A browser can ask for a password, not for a header."""
    basic = base64.b64encode(f"me:{token}".encode()).decode()
    assert anonymous.get(url, headers={"Authorization": f"Basic {basic}"}).status_code == status


@pytest.mark.parametrize("url", ["/healthz", "/readyz"])
def test_health_needs_no_token(anonymous: FlaskClient, url: str) -> None:
    """A load balancer has none."""
    assert anonymous.get(url).status_code == 200


def test_fault_of_ours_is_a_500_without_its_cause(
    app: Flask, client: FlaskClient, parts: FakeParts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log gets the cause, the caller does not."""

    def burst() -> None:
        raise ZeroDivisionError("a secret")

    monkeypatch.setattr(parts.reports, "all", burst)
    app.testing = False
    answer = client.get("/v1/sites")
    assert _problem(answer)["code"] == "internal-error"
    assert "secret" not in answer.text


def test_input_faults_are_listed_all_at_once_with_pointers(client: FlaskClient) -> None:
    """One round trip tells everything that is wrong."""
    values = {"portion_g": 2_501, "enabled": 1, "water_c": 3.5, "gone/~": 1, "label": None}
    body = _problem(client.patch(URL, json=values))
    assert {(each["pointer"], each["code"]) for each in body["errors"]} == {
        ("/portion_g", "above-maximum"),
        ("/portion_g", "off-step"),
        ("/enabled", "wrong-type"),
        ("/water_c", "read-only"),
        ("/gone~1~0", "unknown-property"),
        ("/label", "cannot-remove"),
    }


@pytest.mark.parametrize("value", ["\ud800", "x" * 9, [], {}, 1e400, None])
def test_value_that_cannot_be_written_is_the_callers_fault(
    client: FlaskClient, parts: FakeParts, value: object
) -> None:
    """Lone surrogates, infinity and nested values end here, not in the broker."""
    answer = client.patch(URL, data=json.dumps({"label": value}), content_type=MERGE)
    assert answer.status_code in {400, 422}
    assert parts.link.published == []
