"""PATCH settings: one test per answer, and what was published meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from gateway.broker import BrokerRefused
from gateway.ledger import Asked
from gateway.ledger_writer import Overloaded
from gateway.protocol.errors import Unavailable
from gateway.protocol.lifecycle import State
from gateway.protocol.messages import PlcLink
from http_facade import dispatch
from tests.fake_ledger import ME, done
from tests.fake_parts import DEVICE, REVISION, SITE, FakeParts, acking

URL = f"/v1/sites/{SITE}/devices/{DEVICE}/settings"


def _patch(client: FlaskClient, body: Any = None, *, query: str = "", **headers: str) -> TestResponse:  # noqa: ANN401 # JSON
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    body = {"portion_g": 120} if body is None else body
    return client.patch(URL + query, json=body, headers=named)


def test_write_applied_answers_200_with_the_command(client: FlaskClient, parts: FakeParts) -> None:
    """The happy end: the PLC was read equal."""
    parts.link.site = acking(State.APPLIED, "applied")
    answer = _patch(client)
    assert answer.status_code == 200
    assert answer.json is not None
    assert (answer.json["state"], answer.json["final"], answer.json["result"]) == ("applied", True, {"portion_g": 120})
    assert answer.headers["Location"] == f"/v1/commands/{answer.json['id']}"


def test_write_publishes_what_the_agent_needs(client: FlaskClient, parts: FakeParts) -> None:
    """Topic, expiry and the causal reference of the beat that opened the gate."""
    parts.link.site = acking(State.APPLIED, "applied")
    _patch(client, query="?ttl_s=2.5")
    ((topic, command, expiry_s),) = parts.link.published
    assert (topic.site, topic.requester, topic.device, topic.name) == (SITE, ME, DEVICE, "write")
    assert (command.ttl_s, expiry_s, command.actor, command.expect) == (2.5, 3, "http-token", None)
    assert command.after is not None
    assert (command.after.epoch, command.after.seq, command.after.age_s) == (5, 7, 1.5)


@pytest.mark.invariant("I14")
def test_write_is_recorded_before_it_is_published(client: FlaskClient, parts: FakeParts) -> None:
    """No row, no command."""
    seen: list[int] = []

    def look(_: Asked) -> None:
        seen.append(len(parts.link.published))

    parts.ledger.on_record = look
    parts.link.site = acking(State.APPLIED, "applied")
    _patch(client)
    assert seen == [0]
    assert len(parts.link.published) == 1


def test_write_outcome_is_committed_before_the_answer(client: FlaskClient, parts: FakeParts) -> None:
    """What the caller was told, the ledger knows."""
    parts.link.site = acking(State.APPLIED, "applied")
    answer = _patch(client)
    assert answer.json is not None
    assert [each.ack.id for each in parts.ledger.answers] == [answer.json["id"]]


@pytest.mark.parametrize(
    ("state", "code", "status"),
    [
        (State.PARTIAL, "dose-short", 200),
        (State.FAILED, "plc-refused", 502),
        (State.FAILED, "not-written", 502),
        (State.EXPIRED, "deadline-passed", 504),
        (State.REJECTED, "expect-failed", 412),
        (State.REJECTED, "invalid-input", 422),
        (State.REJECTED, "limit-exceeded", 422),
        (State.REJECTED, "interlocked", 409),
        (State.REJECTED, "cancelled", 409),
        (State.REJECTED, "out-of-order", 409),
        (State.REJECTED, "fenced", 503),
        (State.REJECTED, "stale-epoch", 503),
        (State.REJECTED, "plc-lost", 503),
        (State.REJECTED, "overloaded", 503),
        (State.REJECTED, "journal-unavailable", 503),
        (State.REJECTED, "unknown-device", 409),
        (State.REJECTED, "id-conflict", 409),
        (State.REJECTED, "some-code-of-tomorrow", 409),
    ],
)
def test_write_that_ended_answers_by_the_table(
    client: FlaskClient, parts: FakeParts, state: State, code: str, status: int
) -> None:
    """Every end has one status; a bad one is a problem that carries the command."""
    parts.link.site = acking(state, code, detail="said the site")
    answer = _patch(client)
    assert answer.status_code == status
    assert answer.json is not None
    if status == 200:
        assert answer.json["state"] == state
    else:
        assert (answer.mimetype, answer.json["code"]) == ("application/problem+json", code)
        assert (answer.json["command"]["state"], answer.json["detail"]) == (state, "said the site")
        assert ("Retry-After" in answer.headers) == (status == 503)


@pytest.mark.parametrize("wait", ["wait=0", "wait=0, respond-async"])
def test_write_without_patience_answers_202_at_once(client: FlaskClient, wait: str) -> None:
    """The command is on its way; its place is in the headers."""
    answer = _patch(client, Prefer=wait)
    assert answer.status_code == 202
    assert answer.json is not None
    assert (answer.json["state"], answer.json["final"]) == ("pending", False)
    assert answer.headers["Location"] == f"/v1/commands/{answer.json['id']}"
    assert answer.headers["Preference-Applied"] == "wait=0"
    assert "Retry-After" in answer.headers


@pytest.mark.parametrize(("state", "code"), [(State.ACCEPTED, "accepted"), (State.UNKNOWN, "plc-silent")])
def test_write_without_final_ack_answers_202(client: FlaskClient, parts: FakeParts, state: State, code: str) -> None:
    """Unknown is never an error that invites a retry."""
    parts.link.site = acking(state, code)
    assert _patch(client, Prefer="wait=1").status_code == 202


def test_write_with_malformed_prefer_is_carried_out(client: FlaskClient, parts: FakeParts) -> None:
    """RFC 7240: ignored."""
    parts.link.site = acking(State.APPLIED, "applied")
    answer = _patch(client, Prefer="wait=soon")
    assert answer.status_code == 200
    assert "Preference-Applied" not in answer.headers


def test_write_with_if_match_expects_that_revision(client: FlaskClient, parts: FakeParts) -> None:
    """The agent compares; here it is only handed on."""
    parts.link.site = acking(State.APPLIED, "applied")
    _patch(client, If_Match=f'"{REVISION}"')
    ((_, command, _),) = parts.link.published
    assert command.expect is not None
    assert command.expect.revision == REVISION


def _problem(answer: TestResponse) -> tuple[int, str]:
    assert answer.mimetype == "application/problem+json"
    assert answer.json is not None
    assert answer.json["status"] == answer.status_code
    return answer.status_code, str(answer.json["code"])


def _break_redis(parts: FakeParts) -> None:
    parts.mirror.down = True


def _silence(parts: FakeParts) -> None:
    parts.mirror.beats.clear()


def _lose_plc(parts: FakeParts) -> None:
    parts.mirror.beat(plc=PlcLink.LOST)


def _cut_link(parts: FakeParts) -> None:
    parts.link.connected = False


def _break_ledger(parts: FakeParts) -> None:
    parts.ledger.record_error = Unavailable("database", "disk full")


def _fill_ledger(parts: FakeParts) -> None:
    parts.ledger.refuse_record = Overloaded("2000 entries wait")


def _break_database(parts: FakeParts) -> None:
    parts.reports.down = True


def _lose_link_at_publish(parts: FakeParts) -> None:
    parts.link.publish_error = Unavailable("broker", "not connected")


@pytest.mark.invariant("I5")
@pytest.mark.parametrize(
    ("trouble", "code"),
    [
        (_break_redis, "gate-unavailable"),
        (_silence, "site-offline"),
        (_lose_plc, "plc-lost"),
        (_cut_link, "broker-unavailable"),
        (_break_ledger, "ledger-unavailable"),
        (_fill_ledger, "overloaded"),
        (_break_database, "ledger-unavailable"),
        (_lose_link_at_publish, "broker-unavailable"),
    ],
)
def test_write_refused_before_the_publish_answers_503(
    client: FlaskClient, parts: FakeParts, trouble: Callable[[FakeParts], None], code: str
) -> None:
    """One code per cause, when to ask again, and nothing published."""
    trouble(parts)
    answer = _patch(client)
    assert _problem(answer) == (503, code)
    assert int(answer.headers["Retry-After"]) >= 1
    assert parts.link.published == []


def test_write_to_a_silent_site_tells_for_how_long(client: FlaskClient, parts: FakeParts) -> None:
    """The caller sees at once whether it is a hiccup or an outage."""
    _silence(parts)
    answer = _patch(client)
    assert answer.json is not None
    assert 40 <= answer.json["silent_s"] < 60


def test_write_that_could_not_be_sent_is_noted_as_rejected(client: FlaskClient, parts: FakeParts) -> None:
    """Its row does not stay pending: we know that nobody got it."""
    _lose_link_at_publish(parts)
    _patch(client)
    ((state, code),) = [(each.ack.state, each.ack.code) for each in parts.ledger.answers]
    assert (state, code) == (State.REJECTED, "broker-unavailable")


@pytest.mark.invariant("I15")
def test_write_with_a_stuck_ledger_is_refused_in_time(
    client: FlaskClient, parts: FakeParts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that hangs does not hang the request, and nothing is sent."""
    monkeypatch.setattr(dispatch, "RECORD_TIMEOUT_S", 0.01)
    parts.ledger.stuck = True
    assert _problem(_patch(client)) == (503, "ledger-unavailable")
    assert parts.link.published == []


@pytest.mark.invariant("I15")
def test_write_beyond_the_waiting_limit_is_refused(client: FlaskClient, parts: FakeParts) -> None:
    """Threads stay free for reads."""
    parts.waiters._limit = 0
    assert _problem(_patch(client)) == (503, "overloaded")
    assert parts.ledger.records == {}
    assert parts.link.published == []


def test_write_refused_by_the_broker_answers_503_and_is_rejected(client: FlaskClient, parts: FakeParts) -> None:
    """PUBACK with a failure: nobody received it, and the ledger says so."""
    parts.link.confirmed = lambda: done(BrokerRefused("Not authorized"))
    answer = _patch(client)
    assert _problem(answer) == (503, "broker-unavailable")
    assert answer.json is not None
    assert answer.json["command"]["state"] == State.REJECTED
    assert [each.ack.code for each in parts.ledger.answers] == ["broker-refused"]


def test_write_refused_by_the_broker_after_the_answer_is_rejected(client: FlaskClient, parts: FakeParts) -> None:
    """Without patience the answer is 202, and the truth follows in the ledger."""
    confirmed: Future[None] = Future()
    parts.link.confirmed = lambda: confirmed
    assert _patch(client, Prefer="wait=0").status_code == 202
    confirmed.set_exception(BrokerRefused("Not authorized"))
    assert [each.ack.state for each in parts.ledger.answers] == [State.REJECTED]


@pytest.mark.invariant("I5")
def test_write_whose_link_was_lost_after_hand_over_is_open(client: FlaskClient, parts: FakeParts) -> None:
    """It may have arrived: 202 at once, never "refused"."""
    parts.link.confirmed = lambda: done(Unavailable("broker", "the link was lost"))
    answer = _patch(client, Prefer="wait=30")
    assert answer.status_code == 202
    assert parts.ledger.answers == []


def test_write_whose_outcome_is_not_committed_is_open(client: FlaskClient, parts: FakeParts) -> None:
    """The agent repeats its ack until the ledger has it; until then nobody says applied."""
    parts.link.site = acking(State.APPLIED, "applied")
    parts.ledger.settle_error = Unavailable("database", "disk full")
    answer = _patch(client, Prefer="wait=30")
    assert answer.status_code == 202
    assert answer.json is not None
    assert answer.json["state"] == "pending"


def test_write_answers_202_even_if_the_ledger_cannot_be_read(client: FlaskClient, parts: FakeParts) -> None:
    """It was published; no later fault may turn that into a refusal."""
    parts.ledger.read_error = Unavailable("database", "gone")
    assert _patch(client, Prefer="wait=0").status_code == 202


@pytest.mark.invariant("I10")
def test_writes_are_numbered_in_the_order_in_which_they_leave(client: FlaskClient, parts: FakeParts) -> None:
    """One boot, rising numbers: what comes late can be told from what is new."""
    for _ in range(3):
        _patch(client, Prefer="wait=0")
    orders = [command.order for _, command, _ in parts.link.published]
    assert [None if each is None else each.number for each in orders] == [1, 2, 3]
    assert len({None if each is None else each.boot for each in orders}) == 1


@pytest.mark.parametrize("wait", ["wait=0", "wait=5"])
def test_write_tells_the_time_line_when_it_was_published(client: FlaskClient, parts: FakeParts, wait: str) -> None:
    """With the outcome, or when the patience ends."""
    if wait != "wait=0":
        parts.link.site = acking(State.APPLIED, "applied")
    _patch(client, Prefer=wait)
    (record,) = parts.ledger.records.values()
    assert "published" in [step.what for step in record.steps]
    assert record.asked_epoch == 5


def test_write_that_never_left_was_not_published(client: FlaskClient, parts: FakeParts) -> None:
    """The time line does not claim what did not happen."""
    parts.link.confirmed = lambda: done(BrokerRefused("Not authorized"))
    _patch(client)
    (record,) = parts.ledger.records.values()
    assert [step.what for step in record.steps] == ["pending"]
