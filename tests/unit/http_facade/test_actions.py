"""POST an action: what is published, what its key stands for, and what a replay answers."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from gateway.ledger import Answer
from gateway.protocol.codes import Evidence
from gateway.protocol.errors import Unavailable
from gateway.protocol.lifecycle import State
from tests.conditions import eventually
from tests.entries import new_id
from tests.fake_ledger import ME
from tests.fake_parts import DEVICE, REVISION, SITE, FakeParts, acking

DEVICE_URL = f"/v1/sites/{SITE}/devices/{DEVICE}"
FEED = f"{DEVICE_URL}/actions/feed"
COUNTED = {"grams_asked": 50, "grams_counted": 50, "counter_before_g": 1000, "counter_after_g": 1050}


def _feed(client: FlaskClient, body: Any = None, *, key: str = "k-1", query: str = "", **headers: str) -> TestResponse:  # noqa: ANN401 # JSON
    body = {"grams": 50} if body is None else body
    return client.post(FEED + query, json=body, headers={"Idempotency-Key": key, **headers})


def _body(answer: TestResponse) -> dict[str, Any]:
    assert isinstance(answer.json, dict)
    return answer.json


def _fed(parts: FakeParts) -> None:
    parts.link.site = acking(State.APPLIED, "applied", result=COUNTED, evidence=Evidence.MAILBOX)


def test_action_applied_answers_200_with_counts_and_evidence(client: FlaskClient, parts: FakeParts) -> None:
    """The happy end: the mailbox said so, and how much."""
    _fed(parts)
    answer = _feed(client)
    body = _body(answer)
    assert (answer.status_code, body["name"], body["state"], body["result"]) == (200, "feed", "applied", COUNTED)
    assert body["evidence"]["code"] == "mailbox"
    assert "mailbox" in body["evidence"]["detail"]
    assert "Idempotency-Replayed" not in answer.headers


def test_action_publishes_its_name_and_arguments(client: FlaskClient, parts: FakeParts) -> None:
    """To its own topic, with the id that the key stands for."""
    _fed(parts)
    body = _body(_feed(client))
    ((topic, command, _),) = parts.link.published
    assert (topic.site, topic.requester, topic.device, topic.name) == (SITE, ME, DEVICE, "feed")
    assert (command.id, command.input, command.actor) == (body["id"], {"grams": 50}, "http-token")
    assert command.after is not None
    assert command.order is not None


def test_action_counted_short_answers_200_partial(client: FlaskClient, parts: FakeParts) -> None:
    """It did something, and says how much."""
    parts.link.site = acking(State.PARTIAL, "dose-short", result=COUNTED | {"grams_counted": 20})
    answer = _feed(client)
    assert (answer.status_code, _body(answer)["state"]) == (200, "partial")


def test_action_beyond_a_limit_tells_limit_and_live_value(client: FlaskClient, parts: FakeParts) -> None:
    """Members of the problem, as well as the command's result."""
    facts = {"limit": "most_per_day", "allowed": 2000, "live": 1980, "asked": 50}
    parts.link.site = acking(State.REJECTED, "limit-exceeded", result=facts)
    answer = _feed(client)
    assert (answer.status_code, _body(answer)["code"]) == (422, "limit-exceeded")
    assert {name: _body(answer)[name] for name in facts} == facts


def test_action_under_an_interlock_tells_which_and_its_live_value(client: FlaskClient, parts: FakeParts) -> None:
    """So that somebody closes the lid."""
    facts = {"interlock": "lid-open", "live": True}
    parts.link.site = acking(State.REJECTED, "interlocked", result=facts)
    answer = _feed(client)
    assert (answer.status_code, _body(answer)["code"]) == (409, "interlocked")
    assert {name: _body(answer)[name] for name in facts} == facts


def test_action_without_arguments_needs_no_body(client: FlaskClient, parts: FakeParts) -> None:
    """No body is an empty object; here the description asks for more."""
    answer = client.post(FEED, headers={"Idempotency-Key": "k-1"})
    assert [each["code"] for each in _body(answer)["errors"]] == ["missing"]
    assert parts.link.published == []


@pytest.mark.invariant("I1")
def test_replay_answers_with_the_first_command_and_publishes_nothing(client: FlaskClient, parts: FakeParts) -> None:
    """Same key, bare or quoted, same request: the same command, however often."""
    _fed(parts)
    first = _feed(client)
    for key in ("k-1", '"k-1"'):
        again = _feed(client, key=key, Prefer="wait=0")
        assert (again.status_code, _body(again)["id"]) == (200, _body(first)["id"])
        assert again.headers["Idempotency-Replayed"] == "true"
    assert len(parts.link.published) == 1


@pytest.mark.invariant("I1")
def test_replay_works_while_the_site_is_silent(client: FlaskClient, parts: FakeParts) -> None:
    """What became of it can be told without the site, the broker or its description."""
    _fed(parts)
    first = _feed(client)
    parts.mirror.beats.clear()
    parts.link.connected = False
    parts.reports.down = True
    again = _feed(client)
    assert (again.status_code, _body(again)["id"]) == (200, _body(first)["id"])


@pytest.mark.invariant("I5")
@pytest.mark.parametrize(
    ("url", "body"),
    [
        (FEED, {"grams": 55}),
        (f"{FEED}?ttl_s=20", {"grams": 50}),
        (f"{DEVICE_URL}/actions/dance", {"grams": 50}),
        (f"/v1/sites/{SITE}/devices/other/actions/feed", {"grams": 50}),
        (f"/v1/sites/other/devices/{DEVICE}/actions/feed", {"grams": 50}),
    ],
)
def test_key_of_another_request_is_refused_with_its_command(
    client: FlaskClient, parts: FakeParts, url: str, body: dict[str, int]
) -> None:
    """One key, one wish: a second one is a fault of the caller, who learns which command it was."""
    _fed(parts)
    first = _feed(client)
    answer = client.post(url, json=body, headers={"Idempotency-Key": "k-1"})
    assert (answer.status_code, _body(answer)["code"]) == (422, "idempotency-conflict")
    assert _body(answer)["first"] == _body(first)["id"]
    assert len(parts.link.published) == 1


def test_key_is_taken_on_settings_too(client: FlaskClient, parts: FakeParts) -> None:
    """Optional there; with If-Match as a part of what it stands for."""
    parts.link.site = acking(State.APPLIED, "applied")
    headers = {"Idempotency-Key": "s-1", "If-Match": f'"{REVISION}"'}
    url = f"{DEVICE_URL}/settings"
    first, again = (client.patch(url, json={"portion_g": 5}, headers=headers) for _ in range(2))
    assert (first.status_code, again.status_code) == (200, 200)
    assert _body(first)["id"] == _body(again)["id"]
    other = client.patch(url, json={"portion_g": 5}, headers={"Idempotency-Key": "s-1"})
    assert _body(other)["code"] == "idempotency-conflict"


def test_replay_of_a_refused_command_is_refused_alike_without_retry_after(
    client: FlaskClient, parts: FakeParts
) -> None:
    """The key names the command, so asking again with it can lead to nothing else."""
    parts.link.site = acking(State.REJECTED, "stale-epoch", detail="ask again")
    first, again = _feed(client), _feed(client)
    assert (first.status_code, again.status_code) == (503, 503)
    assert _body(first)["command"]["id"] == _body(again)["command"]["id"]
    assert "Retry-After" in first.headers
    assert "Retry-After" not in again.headers
    assert again.headers["Idempotency-Replayed"] == "true"


def test_request_that_was_refused_unrecorded_leaves_its_key_free(client: FlaskClient, parts: FakeParts) -> None:
    """Nothing was taken on, so the same key may ask again once the site is back."""
    alive = dict(parts.mirror.beats)
    parts.mirror.beats.clear()
    assert _feed(client).status_code == 503
    parts.mirror.beats.update(alive)
    _fed(parts)
    assert _feed(client).status_code == 200


def test_replay_waits_for_the_end_as_the_first_request_does(client: FlaskClient, parts: FakeParts) -> None:
    """The ack comes while only the replay waits: it goes to the replay."""
    open_one = _feed(client, Prefer="wait=0")
    assert open_one.status_code == 202
    with ThreadPoolExecutor(1) as pool:
        later = pool.submit(_feed, client, Prefer="wait=30")
        ((topic, command, _),) = parts.link.published
        eventually(lambda: parts.waiters.find(str(command.id)), what="the replay's place among the waiters")
        parts.link.answer(topic, acking(State.APPLIED, "applied")(topic, command))
        again = later.result(5)
    assert (again.status_code, _body(again)["state"]) == (200, "applied")
    assert len(parts.waiters) == 0


def test_replay_hears_from_the_ledger_what_another_facade_was_told(client: FlaskClient, parts: FakeParts) -> None:
    """The ack went to another facade; its outcome is in the ledger."""
    _feed(client, Prefer="wait=0")
    with ThreadPoolExecutor(1) as pool:
        later = pool.submit(_feed, client, Prefer="wait=30")
        ((topic, command, _),) = parts.link.published
        eventually(lambda: parts.waiters.find(str(command.id)), what="the replay's place among the waiters")
        ack = acking(State.APPLIED, "applied")(topic, command)
        parts.ledger.settle(Answer(site=SITE, requester=ME, ack=ack))
        assert later.result(5).status_code == 200


@pytest.mark.invariant("I15")
@pytest.mark.invariant("I5")
def test_replay_beyond_the_waiting_limit_is_answered_at_once(client: FlaskClient, parts: FakeParts) -> None:
    """It was sent, so nothing may look like a refusal: 202, without waiting."""
    _feed(client, Prefer="wait=0")
    parts.waiters._limit = 0
    again = _feed(client, Prefer="wait=30")
    assert (again.status_code, again.headers["Idempotency-Replayed"]) == (202, "true")


def test_replay_while_the_ledger_is_gone_is_open(client: FlaskClient, parts: FakeParts) -> None:
    """The ledger fails while the replay waits: what was known then, and no refusal."""
    _feed(client, Prefer="wait=0")
    parts.ledger.get_error = Unavailable("database", "gone")
    assert _feed(client, Prefer="wait=1").status_code == 202


@pytest.mark.invariant("I5")
def test_key_that_cannot_be_looked_up_refuses_the_request(client: FlaskClient, parts: FakeParts) -> None:
    """Whether it was sent before is not known, so it is not sent."""
    parts.ledger.read_error = Unavailable("database", "gone")
    answer = _feed(client)
    assert (answer.status_code, _body(answer)["code"]) == (503, "ledger-unavailable")
    assert parts.link.published == []


@pytest.mark.invariant("I1")
def test_key_that_was_taken_in_between_leads_to_its_command(client: FlaskClient, parts: FakeParts) -> None:
    """Another facade was quicker by a hair: the ledger decides, and nothing is published here."""
    _fed(parts)
    first = _feed(client)
    parts.ledger.keys_seen = False
    again = _feed(client)
    assert (again.status_code, _body(again)["id"]) == (200, _body(first)["id"])
    other = _feed(client, {"grams": 55})
    assert (other.status_code, _body(other)["first"]) == (422, _body(first)["id"])
    assert len(parts.link.published) == 1


@pytest.mark.invariant("I1")
def test_many_requests_with_one_key_are_one_command(app: Flask, token: str, parts: FakeParts) -> None:
    """Fifty at once: one id, one publish."""
    _fed(parts)
    parts.waiters._limit = 60
    key = new_id()

    def ask(_: int) -> str:
        client = app.test_client()
        client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
        answer = _feed(client, key=key)
        assert answer.status_code == 200
        return str(_body(answer)["id"])

    with ThreadPoolExecutor(50) as pool:
        ids = set(pool.map(ask, range(50)))
    assert len(ids) == len(parts.link.published) == 1
