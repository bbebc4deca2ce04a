"""POST cancel: who decides, who may ask, and what the answer may claim."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from gateway.broker import BrokerRefused
from gateway.protocol.errors import Unavailable
from gateway.protocol.lifecycle import State
from gateway.protocol.messages import Ack, After, Command
from gateway.protocol.topics import CommandTopic
from tests.fake_ledger import ME, done
from tests.fake_parts import DEVICE, SITE, FakeParts, acking

FEED = f"/v1/sites/{SITE}/devices/{DEVICE}/actions/feed"


@pytest.fixture
def command(client: FlaskClient, parts: FakeParts) -> str:
    """The id of a dose that was sent, and of which nothing was heard."""
    answer = client.post(FEED, json={"grams": 50}, headers={"Idempotency-Key": "k-1", "Prefer": "wait=0"})
    assert answer.status_code == 202
    parts.link.published.clear()
    return str(_body(answer)["id"])


def _body(answer: TestResponse) -> dict[str, Any]:
    assert isinstance(answer.json, dict)
    return answer.json


def _cancel(client: FlaskClient, command: str, wait: str = "wait=1") -> TestResponse:
    return client.post(f"/v1/commands/{command}/cancel", headers={"Prefer": wait})


def _meaning(state: State, code: str) -> Callable[[CommandTopic, Command], Ack]:
    """What the agent says to a cancel: an ack of the command that is meant."""
    return acking(state, code, name="feed", input={"grams": 50}, result={})


def _is(parts: FakeParts, command: str, **changes: object) -> None:
    parts.ledger.records[command] = replace(parts.ledger.records[command], **changes)  # type: ignore[arg-type] # any field


def test_cancel_of_a_waiting_command_answers_200_cancelled(client: FlaskClient, parts: FakeParts, command: str) -> None:
    """The agent had not begun: it is rejected, for that reason."""
    parts.link.site = _meaning(State.REJECTED, "cancelled")
    answer = _cancel(client, command)
    body = _body(answer)
    assert (answer.status_code, body["id"], body["state"], body["code"]) == (200, command, "rejected", "cancelled")


def test_cancel_publishes_the_id_and_nothing_that_acts(client: FlaskClient, parts: FakeParts, command: str) -> None:
    """To the topic of cancels, under our own name, outside the order of commands."""
    _cancel(client, command, "wait=0")
    ((topic, sent, expiry_s),) = parts.link.published
    assert (topic.site, topic.requester, topic.device, topic.name) == (SITE, ME, DEVICE, "cancel")
    assert (sent.id, sent.input, sent.asked_by, sent.order, sent.after) == (
        command,
        {},
        None,
        None,
        After(epoch=5, seq=0, age_s=0),
    )
    assert (sent.actor, expiry_s) == ("http-token", 10)


def test_cancel_of_another_facades_command_says_whose_it_is(
    client: FlaskClient, parts: FakeParts, command: str
) -> None:
    """The agent believes a facade about another one."""
    _is(parts, command, requester="@facade-2")
    _cancel(client, command, "wait=0")
    ((_, sent, _),) = parts.link.published
    assert sent.asked_by == "@facade-2"


def test_cancel_twice_is_harmless(client: FlaskClient, parts: FakeParts, command: str) -> None:
    """The second one finds it cancelled, and asks nobody."""
    parts.link.site = _meaning(State.REJECTED, "cancelled")
    first, second = _cancel(client, command), _cancel(client, command)
    assert (first.status_code, second.status_code) == (200, 200)
    assert len(parts.link.published) == 1


def test_cancel_of_which_nothing_is_heard_answers_202(client: FlaskClient, command: str) -> None:
    """The site is silent, or slow: nobody knows yet."""
    answer = _cancel(client, command, "wait=0")
    assert (answer.status_code, _body(answer)["state"]) == (202, "pending")
    assert answer.headers["Preference-Applied"] == "wait=0"
    assert "Retry-After" in answer.headers


@pytest.mark.parametrize(("state", "code"), [(State.APPLIED, "applied"), (State.EXPIRED, "deadline-passed")])
def test_cancel_that_came_too_late_answers_409_with_the_command(
    client: FlaskClient, parts: FakeParts, command: str, state: State, code: str
) -> None:
    """The agent answers with what became of it."""
    parts.link.site = _meaning(state, code)
    answer = _cancel(client, command)
    body = _body(answer)
    assert (answer.status_code, body["code"], body["command"]["state"]) == (409, "not-cancellable", state)


@pytest.mark.parametrize("state", [State.APPLIED, State.PARTIAL, State.FAILED, State.EXPIRED, State.UNKNOWN])
def test_cancel_of_what_has_ended_otherwise_asks_nobody(
    client: FlaskClient, parts: FakeParts, command: str, state: State
) -> None:
    """Nothing can be taken back."""
    _is(parts, command, state=state)
    answer = _cancel(client, command)
    assert (answer.status_code, _body(answer)["command"]["state"]) == (409, state)
    assert parts.link.published == []


def test_cancel_of_what_is_under_way_answers_409(client: FlaskClient, parts: FakeParts, command: str) -> None:
    """The agent was asked, but had begun; the end will stand in the ledger."""
    _is(parts, command, state=State.ACCEPTED)
    answer = _cancel(client, command, "wait=0")
    assert (answer.status_code, _body(answer)["code"]) == (409, "not-cancellable")
    assert "under way" in _body(answer)["detail"]
    assert len(parts.link.published) == 1


@pytest.mark.parametrize("requester", ["@ana", "@gateway", "@facades"])
def test_cancel_of_somebody_elses_command_is_refused_with_the_reason(
    client: FlaskClient, parts: FakeParts, command: str, requester: str
) -> None:
    """Only its requester can cancel a technician's command."""
    _is(parts, command, requester=requester)
    answer = _cancel(client, command)
    assert (answer.status_code, _body(answer)["code"]) == (409, "not-cancellable")
    assert requester in _body(answer)["detail"]
    assert parts.link.published == []


def _cut_link(parts: FakeParts) -> None:
    parts.link.connected = False


def _lose_link_at_publish(parts: FakeParts) -> None:
    parts.link.publish_error = Unavailable("broker", "not connected")


def _refuse_publish(parts: FakeParts) -> None:
    parts.link.confirmed = lambda: done(BrokerRefused("Not authorized"))


def _break_ledger(parts: FakeParts) -> None:
    parts.ledger.read_error = Unavailable("database", "gone")


def _fill_waiters(parts: FakeParts) -> None:
    parts.waiters._limit = 0


@pytest.mark.parametrize(
    ("trouble", "code"),
    [
        (_cut_link, "broker-unavailable"),
        (_lose_link_at_publish, "broker-unavailable"),
        (_refuse_publish, "broker-unavailable"),
        (_break_ledger, "ledger-unavailable"),
        pytest.param(_fill_waiters, "overloaded", marks=pytest.mark.invariant("I15")),
    ],
)
def test_cancel_that_cannot_be_sent_answers_503(
    client: FlaskClient, parts: FakeParts, command: str, trouble: Callable[[FakeParts], None], code: str
) -> None:
    """One code per cause, and when to ask again."""
    trouble(parts)
    answer = _cancel(client, command, "wait=0")
    assert (answer.status_code, _body(answer)["code"]) == (503, code)
    assert int(answer.headers["Retry-After"]) >= 1


def test_cancel_at_a_silent_site_is_sent_all_the_same(client: FlaskClient, parts: FakeParts, command: str) -> None:
    """It can have no effect, so it needs no open gate; the site may hear it yet."""
    parts.mirror.beats.clear()
    assert _cancel(client, command, "wait=0").status_code == 202
    assert len(parts.link.published) == 1
