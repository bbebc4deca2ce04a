"""Taking note of alarms over HTTP, in a real database: once for each time that one is raised."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from gateway.acknowledgements import ACKNOWLEDGED
from gateway.audit import Audit
from gateway.audit_chain import Kind
from gateway.events import Events, Source
from gateway.roles import Role
from tests.databases import each_database
from tests.entries import NOON, event_seen
from tests.fake_parts import DEVICE
from tests.running_broker import RunningBroker
from tests.running_facade import RunningFacade, running_facade

pytestmark = each_database
SITE = "arava-1"
URL = f"/v1/sites/{SITE}/devices/{DEVICE}/alarms/jam/acknowledgement"
SINCE = "2026-11-22T12:00:00Z"


@pytest.fixture
def facade(broker: RunningBroker, redis_url: str, database_url: str, tmp_path: Path) -> Iterator[RunningFacade]:
    """A facade at whose site an auger is jammed since noon."""
    with running_facade(tmp_path / "facade", broker.login("@facade"), redis_url, database_url) as made:
        made.introduce(SITE)
        _tell(made)
        yield made


@pytest.fixture
def operator(facade: RunningFacade) -> FlaskClient:
    """Dana."""
    made, _ = facade.services.tokens.add(name="dana", role=Role.OPERATOR, sites=frozenset({SITE}), expires_at=None)
    client = facade.client.application.test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {made}"
    return client


def _tell(facade: RunningFacade, *, minutes: int = 0, active: bool = True, source: Source = Source.AGENT) -> None:
    at = NOON + timedelta(minutes=minutes)
    Events(facade.services.engine).save([event_seen(at=at, active=active, source=source)])


def _note(client: FlaskClient, status: int = 200, **changes: object) -> Any:  # noqa: ANN401 # an answer
    answer = client.post(URL, json={"since": SINCE, "note": "Dana drives there", **changes})
    assert answer.status_code == status, answer.text
    return answer.get_json()


def _acknowledged(facade: RunningFacade) -> list[Any]:
    return [each["acknowledged"] for each in facade.client.get("/v1/alarms").get_json()["items"]]


def test_alarm_that_is_acknowledged_says_by_whom_when_and_why(facade: RunningFacade, operator: FlaskClient) -> None:
    """In the answer and in the list; before, nobody had."""
    assert _acknowledged(facade) == [None]
    told = _note(operator)["acknowledged"]
    assert (told["by"], told["note"]) == ("dana", "Dana drives there")
    assert _acknowledged(facade) == [told]


def test_alarm_that_is_acknowledged_again_keeps_the_first_word(facade: RunningFacade, operator: FlaskClient) -> None:
    """Whoever comes second is told who was first, also if ten come at once; there is one row in the audit."""
    with ThreadPoolExecutor(10) as pool:
        clients = [operator.application.test_client() for _ in range(10)]
        for each in clients:
            each.environ_base.update(operator.environ_base)
        told = list(pool.map(lambda number: _note(clients[number], note=f"word {number}"), range(10)))
    assert len({json.dumps(each["acknowledged"]) for each in told}) == 1
    assert _note(facade.client, note="later")["acknowledged"] == told[0]["acknowledged"]
    assert len([each for each in Audit(facade.services.engine).links() if each.entry.name == ACKNOWLEDGED]) == 1


def test_alarm_that_is_raised_anew_is_unacknowledged_again(facade: RunningFacade, operator: FlaskClient) -> None:
    """Even if the clock says the same moment; the former activation cannot be acknowledged any more."""
    _note(operator)
    _tell(facade, active=False)
    _tell(facade)
    assert _acknowledged(facade) == [None]
    _tell(facade, minutes=1, active=False)
    _tell(facade, minutes=2)
    assert _note(operator, 409)["code"] == "alarm-over"
    assert _acknowledged(facade) == [None]


def test_alarm_that_is_told_again_while_it_is_active_stays_acknowledged(
    facade: RunningFacade, operator: FlaskClient
) -> None:
    """Another reason for it is no other activation."""
    told = _note(operator)["acknowledged"]
    _tell(facade, minutes=5)
    assert _acknowledged(facade) == [told]


def test_alarm_that_is_over_is_not_acknowledged(facade: RunningFacade, operator: FlaskClient) -> None:
    """409; and 404 for one that never was, or of another source."""
    _tell(facade, minutes=1, active=False)
    assert _note(operator, 409)["code"] == "alarm-over"
    assert _note(operator, 404, source="centre")["code"] == "unknown-alarm"
    assert operator.post(URL.replace("jam", "lid"), json={"since": SINCE, "note": "x"}).status_code == 404


def test_alarm_of_each_source_is_acknowledged_by_itself(facade: RunningFacade, operator: FlaskClient) -> None:
    """The centre's tells something else than the agent's."""
    _tell(facade, source=Source.CENTRE)
    assert _note(operator, source="centre")["source"] == "centre"
    assert sorted(each is None for each in _acknowledged(facade)) == [False, True]


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"note": ""}, "/note"),
        ({"note": "   "}, "/note"),
        ({"note": "x" * 501}, "/note"),
        ({"note": "two\nlines"}, "/note"),
        ({"note": "\x1b[2J"}, "/note"),
        ({"note": "\x00"}, "/note"),
        ({"note": "\u202egnp"}, "/note"),
        ({"since": "noon"}, "/since"),
        ({"since": "2026-11-22T12:00:00"}, "/since"),
        ({"source": "me"}, "/source"),
        ({"by": "somebody else"}, "/by"),
    ],
)
def test_note_that_is_none_is_refused(
    facade: RunningFacade, operator: FlaskClient, changes: dict[str, object], pointer: str
) -> None:
    """With the place; nothing is noted."""
    assert [each["pointer"] for each in _note(operator, 422, **changes)["errors"]] == [pointer]
    assert _acknowledged(facade) == [None]


def test_acknowledgement_is_in_the_audit(facade: RunningFacade, operator: FlaskClient) -> None:
    """Who, from where, which activation, and the words."""
    _note(operator)
    entry = [each.entry for each in Audit(facade.services.engine).links()][-1]
    assert (entry.kind, entry.name, entry.site, entry.device) == (Kind.DONE, ACKNOWLEDGED, SITE, DEVICE)
    assert (entry.principal, entry.actor, entry.source_address) == ("@facade", "dana", "127.0.0.1")
    said = json.loads(entry.input or "")
    assert (said["alarm"], said["source"], said["note"]) == ("jam", "agent", "Dana drives there")


def test_stream_tells_that_an_alarm_was_acknowledged(facade: RunningFacade, operator: FlaskClient) -> None:
    """To all who listen."""
    with facade.client.get(f"/v1/stream?site={SITE}") as answer:
        texts = (bytes(each).decode() for each in answer.iter_encoded())
        assert "hello" in next(texts) + next(texts)
        _note(operator)
        told = next(text for text in texts if "event: alarm" in text)
    body = json.loads(told.split("event: alarm", 1)[1].split("data: ", 1)[1].split("\n", 1)[0])
    assert (body["active"], body["acknowledged"]["by"]) == (True, "dana")
