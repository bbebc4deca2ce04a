"""GET: what sites, devices and commands look like, also while parts are down."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from pydantic import BaseModel

from gateway.protocol.lifecycle import State
from http_facade import schemas
from http_facade.desired import Wish
from tests.fake_parts import DEVICE, REVISION, SITE, FakeParts

#: An id of a command that nobody has asked for.
UNKNOWN = "00000000-0000-4000-8000-000000000000"

DEVICE_URL = f"/v1/sites/{SITE}/devices/{DEVICE}"


def _get(client: FlaskClient, url: str) -> dict[str, Any]:
    answer = client.get(url)
    assert answer.status_code == 200, answer.text
    body = answer.get_json()
    assert isinstance(body, dict)
    return body


@pytest.fixture
def commands(client: FlaskClient, parts: FakeParts) -> list[str]:
    """Three commands in the ledger, oldest first."""
    for grams in (5, 10, 15):
        answer = client.patch(f"{DEVICE_URL}/settings", json={"portion_g": grams}, headers={"Prefer": "wait=0"})
        assert answer.status_code == 202
    return sorted(parts.ledger.records)


def test_site_with_a_beat_is_online(client: FlaskClient) -> None:
    """Online is the gate's word."""
    site = _get(client, f"/v1/sites/{SITE}")
    assert (site["online"], site["cause"], site["heartbeat_age_s"], site["silent_s"]) == (True, None, 1.5, None)
    assert (site["plcs"], site["version"]) == ({"plc-1": "ok"}, "1.0")


@pytest.mark.invariant("I4")
def test_site_without_a_beat_is_not_online_whatever_its_status_says(client: FlaskClient, parts: FakeParts) -> None:
    """A retained "online" informs, it does not decide."""
    parts.mirror.beats.clear()
    site = _get(client, f"/v1/sites/{SITE}")
    assert (site["online"], site["state"]) == (False, "online")
    assert site["silent_s"] >= 40


@pytest.mark.parametrize("url", ["/v1/sites", f"/v1/sites/{SITE}"])
def test_site_without_redis_is_still_answered(client: FlaskClient, parts: FakeParts, url: str) -> None:
    """Nobody can tell whether it is online; everything else is there, and why."""
    parts.mirror.down = True
    body = _get(client, url)
    site = body["items"][0] if "items" in body else body
    assert site["online"] is None
    assert "redis" in site["cause"]


@pytest.mark.parametrize("url", [DEVICE_URL, f"/v1/sites/{SITE}/devices", f"{DEVICE_URL}/description", "/v1/commands"])
def test_reads_need_neither_broker_nor_redis(client: FlaskClient, parts: FakeParts, url: str) -> None:
    """They answer from the database."""
    parts.mirror.down, parts.link.connected = True, False
    assert client.get(url).status_code == 200


@pytest.mark.parametrize("url", ["/v1/sites", DEVICE_URL, f"{DEVICE_URL}/description"])
def test_reads_without_the_database_are_503(client: FlaskClient, parts: FakeParts, url: str) -> None:
    """And say so."""
    parts.reports.down = True
    answer = client.get(url)
    assert answer.status_code == 503
    assert answer.json is not None
    assert answer.json["code"] == "ledger-unavailable"


def test_device_shows_settings_readings_and_etag(client: FlaskClient) -> None:
    """Settings can be written, readings cannot; the ETag is the settings' revision."""
    answer = client.get(DEVICE_URL)
    assert answer.headers["ETag"] == f'"{REVISION}"'
    assert answer.json is not None
    assert answer.json["settings"] == {"portion_g": 100, "enabled": True}
    assert answer.json["readings"] == {"water_c": 24.5}


def test_device_drifts_where_it_is_not_as_last_asked(client: FlaskClient, parts: FakeParts) -> None:
    """The wish stands beside the report."""
    parts.desires.wishes = {
        "portion_g": Wish(value=120, state=State.APPLIED, command="c-1"),
        "enabled": Wish(value=True, state=State.APPLIED, command="c-2"),
        "gone": Wish(value=1, state=State.APPLIED, command="c-3"),
    }
    device = _get(client, DEVICE_URL)
    assert device["drift"] == ["portion_g"]
    assert device["desired"]["portion_g"] == {"value": 120, "state": "applied", "command": "c-1"}
    assert "gone" not in device["desired"]


def test_description_is_a_thing_description(client: FlaskClient) -> None:
    """In the media type that the W3C registered."""
    answer = client.get(f"{DEVICE_URL}/description")
    assert answer.mimetype == "application/td+json"
    assert answer.get_json(force=True)["@context"] == "https://www.w3.org/2022/wot/td/v1.1"


def test_command_shows_its_time_line(client: FlaskClient, commands: list[str]) -> None:
    """Every step, with its source."""
    command = _get(client, f"/v1/commands/{commands[0]}")
    assert [(step["what"], step["source"]) for step in command["steps"]] == [
        ("pending", "@facade"),
        ("published", "@facade"),
    ]


def test_commands_are_paged_newest_first(client: FlaskClient, commands: list[str]) -> None:
    """The cursor leads through all of them, once each."""
    first = _get(client, "/v1/commands?limit=2")
    second = _get(client, f"/v1/commands?limit=2&cursor={first['next']}")
    assert [each["id"] for each in first["items"] + second["items"]] == commands[::-1]
    assert second["next"] is None


@pytest.mark.parametrize("cursor", ["", "7", f"{'9' * 18}.{UNKNOWN}", f"1.{UNKNOWN}x", f"-1.{UNKNOWN}", UNKNOWN])
def test_cursor_that_was_never_given_is_422(client: FlaskClient, cursor: str) -> None:
    """It says to take the one of the page before."""
    answer = client.get("/v1/commands", query_string={"cursor": cursor})
    assert answer.status_code == 422
    assert answer.json is not None
    assert answer.json["errors"][0]["pointer"] == "/cursor"
    assert "`next`" in answer.json["errors"][0]["detail"]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        (f"site={SITE}", 3),
        ("site=none", 0),
        (f"device={DEVICE}&name=write", 3),
        ("device=none", 0),
        ("name=feed", 0),
        ("state=applied", 0),
    ],
)
@pytest.mark.usefixtures("commands")
def test_commands_are_filtered(client: FlaskClient, query: str, count: int) -> None:
    """By site, device, name and state."""
    assert len(_get(client, f"/v1/commands?{query}")["items"]) == count


@pytest.mark.parametrize(
    ("part", "expected"),
    [(None, {"broker", "redis", "database"}), ("broker", {"redis", "database"}), ("redis", {"broker", "database"})],
)
def test_readiness_tells_by_part(client: FlaskClient, parts: FakeParts, part: str | None, expected: set[str]) -> None:
    """503 if any part is down, and which."""
    parts.link.connected, parts.mirror.down = part != "broker", part == "redis"
    answer = client.get("/readyz")
    assert answer.status_code == (200 if part is None else 503)
    assert answer.json is not None
    assert {name for name, each in answer.json["parts"].items() if each["ok"]} == expected


@pytest.mark.usefixtures("commands")
@pytest.mark.parametrize(
    ("url", "model"),
    [
        ("/v1/sites", schemas.Sites),
        (f"/v1/sites/{SITE}", schemas.Site),
        (f"/v1/sites/{SITE}/devices", schemas.Devices),
        (DEVICE_URL, schemas.Device),
        ("/v1/commands", schemas.Commands),
        ("/healthz", schemas.Health),
        ("/readyz", schemas.Readiness),
        ("/nowhere", schemas.Problem),
    ],
)
def test_answer_is_what_its_schema_says(
    client: FlaskClient, parts: FakeParts, url: str, model: type[BaseModel]
) -> None:
    """The documentation does not lie: no member more, none less."""
    parts.desires.wishes = {"portion_g": Wish(value=120, state=State.APPLIED, command="c-1")}
    model.model_validate_json(client.get(url).data)


def test_command_answer_is_what_its_schema_says(client: FlaskClient, commands: list[str]) -> None:
    """With the time line."""
    schemas.CommandHistory.model_validate_json(client.get(f"/v1/commands/{commands[0]}").data)


def test_openapi_document_names_every_route_and_only_problems(client: FlaskClient, app: Flask) -> None:
    """Every route is documented, and every error is a problem."""
    document = _get(client, "/openapi.json")
    assert document["openapi"].startswith("3.1.")
    routes = {rule.rule for rule in app.url_map.iter_rules() if rule.rule.startswith(("/v1", "/healthz", "/readyz"))}
    assert {route.replace("<", "{").replace(">", "}") for route in routes} == set(document["paths"])
    for path in document["paths"].values():
        for operation in path.values():
            for status, answer in operation["responses"].items():
                assert (int(status) < 400) == ("application/problem+json" not in answer["content"]), status


def test_openapi_document_asks_for_the_token_where_it_is_needed(client: FlaskClient) -> None:
    """All routes but those of health, and those where agents prove themselves in their own way."""
    document = _get(client, "/openapi.json")
    assert document["components"]["securitySchemes"] == {"token": {"type": "http", "scheme": "bearer"}}
    for url, path in document["paths"].items():
        for operation in path.values():
            secured = url.startswith("/v1") and not url.startswith("/v1/enrolment")
            assert bool(operation.get("security")) == secured, url


def test_docs_page_asks_nobody_else(client: FlaskClient) -> None:
    """It works without the internet: one page, one script, both from here."""
    answer = client.get("/docs")
    assert "http" not in answer.text.replace("http-equiv", "")
    assert "connect-src 'self'" in answer.headers["Content-Security-Policy"]
    with client.get("/docs/scalar.standalone.js") as script:
        assert (script.status_code, script.mimetype) == (200, "text/javascript")
