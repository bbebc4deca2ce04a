"""Whatever comes in on the routes that write: a clear problem or a command, and never a fault of ours."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from gateway.protocol.lifecycle import State
from tests.entries import new_id
from tests.fake_parts import DEVICE, SITE, FakeParts, acking

DEVICE_URL = f"/v1/sites/{SITE}/devices/{DEVICE}"
SETTINGS = ("PATCH", f"{DEVICE_URL}/settings", "application/merge-patch+json")
FEED = ("POST", f"{DEVICE_URL}/actions/feed", "application/json")
ROUTES = (SETTINGS, FEED)

_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
_names = st.sampled_from(["portion_g", "enabled", "level", "label", "water_c", "grams"]) | st.text(max_size=8)
_header = st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_characters="\x7f"), max_size=40)
_headers = st.dictionaries(
    st.sampled_from(["Idempotency-Key", "Prefer", "If-Match", "Content-Type", "Accept", "X-HTTP-Method-Override"]),
    _header | st.sampled_from(['"', '"k"', "wait=0", "wait=99999999999", 'W/"x"', "*", "application/json; charset=x"]),
    max_size=4,
)
_level = st.text(st.characters(exclude_characters="/?#", exclude_categories=["Cs"]), min_size=1, max_size=60)
_quiet = hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


def _ask(
    client: FlaskClient, parts: FakeParts, route: tuple[str, str, str], data: bytes, headers: Mapping[str, str]
) -> TestResponse:
    """Ask, and hold the answer against what was published: for a 4xx nothing, for a 200 once."""
    method, url, media_type = route
    parts.link.published.clear()
    parts.link.site = acking(State.APPLIED, "applied")
    answer = client.open(url, method=method, data=data, headers={"Content-Type": media_type, **headers})
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        assert answer.mimetype == "application/problem+json"
        assert answer.json is not None
        assert answer.json["status"] == answer.status_code
        assert answer.json["code"]
        assert answer.json["detail"]
    sent = 1 if answer.status_code == 200 and "Idempotency-Replayed" not in answer.headers else 0
    assert len(parts.link.published) == sent
    return answer


def _keyed() -> dict[str, str]:
    return {"Idempotency-Key": new_id()}


@pytest.mark.invariant("I5")
@pytest.mark.parametrize("route", ROUTES)
@_quiet
@given(body=st.dictionaries(_names, _json, max_size=4) | _json)
def test_any_json_is_carried_out_or_refused(
    client: FlaskClient, parts: FakeParts, route: tuple[str, str, str], body: object
) -> None:
    """No JSON whatsoever makes the facade fail, or send what the description forbids."""
    answer = _ask(client, parts, route, json.dumps(body).encode(), _keyed())
    assert answer.status_code in {200, 400, 422}


@pytest.mark.invariant("I5")
@pytest.mark.parametrize("route", ROUTES)
@_quiet
@given(body=st.binary(max_size=200))
def test_any_bytes_are_refused_or_understood(
    client: FlaskClient, parts: FakeParts, route: tuple[str, str, str], body: bytes
) -> None:
    """No bytes whatsoever make the facade fail."""
    assert _ask(client, parts, route, body, _keyed()).status_code in {400, 422}


@pytest.mark.invariant("I5")
@pytest.mark.parametrize(("route", "body"), [(SETTINGS, b'{"portion_g": 5}'), (FEED, b'{"grams": 5}')])
@_quiet
@given(headers=_headers)
def test_any_headers_are_understood_or_refused(
    client: FlaskClient, parts: FakeParts, route: tuple[str, str, str], body: bytes, headers: dict[str, str]
) -> None:
    """A header is read by its grammar, ignored if its standard says so, and never guessed."""
    answer = _ask(client, parts, route, body, headers)
    assert answer.status_code in {200, 202, 400, 412, 415}


@pytest.mark.invariant("I5")
@pytest.mark.invariant("I13")
@pytest.mark.parametrize("method", ["PATCH", "POST"])
@_quiet
@given(site=_level, device=_level, name=_level)
def test_any_path_leads_nowhere_or_to_its_device(
    client: FlaskClient, parts: FakeParts, method: str, site: str, device: str, name: str
) -> None:
    """Wildcards, dots, controls and any script: no other device is reached, and nothing is published."""
    path = f"/v1/sites/{site}/devices/{device}/" + ("settings" if method == "PATCH" else f"actions/{name}")
    answer = _ask(client, parts, (method, path, "application/json"), b'{"portion_g": 5}', _keyed())
    assert answer.status_code in {308, 404, 405}


@pytest.mark.invariant("I5")
@_quiet
@given(command=_level, body=st.binary(max_size=20), headers=_headers)
def test_any_cancel_of_nothing_is_refused(
    client: FlaskClient, parts: FakeParts, command: str, body: bytes, headers: dict[str, str]
) -> None:
    """An id that nobody gave away, any body, any header."""
    route = ("POST", f"/v1/commands/{command}/cancel", "application/json")
    assert _ask(client, parts, route, body, headers).status_code in {308, 404, 405, 422}
