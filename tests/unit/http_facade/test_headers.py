"""What every response tells a browser, and from where the facade believes that a request came."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask, request
from flask.testing import FlaskClient

from gateway.protocol.errors import SettingsError
from http_facade.app import create_app
from http_facade.settings import FacadeSettings
from tests.fake_parts import FakeParts, settings

URLS = ["/healthz", "/v1/sites", "/v1/nowhere", "/docs", "/openapi.json"]


@pytest.mark.parametrize("url", URLS)
@pytest.mark.parametrize("known", [True, False], ids=["with-token", "without"])
def test_response_has_the_headers(client: FlaskClient, anonymous: FlaskClient, url: str, known: bool) -> None:
    """Good answers and problems alike: nothing is framed, sniffed, run from elsewhere, or kept (S28)."""
    headers = (client if known else anonymous).get(url).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert "unsafe-eval" not in headers["Content-Security-Policy"]
    assert headers["Cache-Control"] == "no-store"


def test_data_may_load_nothing(client: FlaskClient) -> None:
    """What is no page has a policy under which nothing runs."""
    assert client.get("/v1/sites").headers["Content-Security-Policy"].startswith("default-src 'none'")


def test_response_over_tls_forbids_to_come_without(client: FlaskClient) -> None:
    """And one in clear does not: a browser would not believe it."""
    assert "Strict-Transport-Security" in client.get("/healthz", base_url="https://centre.example").headers
    assert "Strict-Transport-Security" not in client.get("/healthz").headers


def _address(parts: FakeParts, home: Path, proxies: int, forwarded: str) -> str | None:
    app: Flask = create_app(settings(home).model_copy(update={"http_proxies": proxies}), parts.services())
    seen: list[str | None] = []
    app.before_request_funcs.setdefault(None, []).insert(0, lambda: seen.append(request.remote_addr))
    app.test_client().get("/healthz", headers={"X-Forwarded-For": forwarded}, environ_base={"REMOTE_ADDR": "10.0.0.1"})
    return seen[0]


@pytest.mark.parametrize(
    ("proxies", "address"), [(0, "10.0.0.1"), (1, "198.51.100.7"), (2, "203.0.113.9")], ids=["none", "one", "two"]
)
def test_address_is_believed_from_as_many_proxies_as_there_are(
    parts: FakeParts, tmp_path: Path, proxies: int, address: str
) -> None:
    """What a client writes into the header itself is never taken for its address: guesses are counted by it (S6)."""
    assert _address(parts, tmp_path, proxies, "192.0.2.1, 203.0.113.9, 198.51.100.7") == address


def _settings(home: Path, monkeypatch: pytest.MonkeyPatch, **variables: str) -> FacadeSettings:
    settings(home)
    given = {"HOME": str(home), "BROKER_PASSWORD_FILE": str(home / "password"), **variables}
    for name, value in given.items():
        monkeypatch.setenv(f"TIDEGATE_{name}", value)
    return FacadeSettings.read()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "centre.example"])
def test_plain_facade_beyond_this_machine_refuses_to_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    """Tokens would cross the network in clear (S15); the message says what to set."""
    with pytest.raises(SettingsError, match="TIDEGATE_HTTP_CERTIFICATE"):
        _settings(tmp_path, monkeypatch, HTTP_HOST=host)


@pytest.mark.parametrize("name", ["HTTP_PROXIES", "HTTP_PLAIN"])
def test_plain_facade_behind_something_that_ends_tls_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Where its operator says so."""
    assert _settings(tmp_path, monkeypatch, HTTP_HOST="0.0.0.0", **{name: "1"}).http_host == "0.0.0.0"


def test_certificate_without_its_key_refuses_to_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of what is needed is not silently nothing."""
    with pytest.raises(SettingsError, match="go together"):
        _settings(tmp_path, monkeypatch, HTTP_CERTIFICATE=str(tmp_path / "password"))
