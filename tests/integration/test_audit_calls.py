"""The audit over HTTP, in a real database: all of it, page after page, and only to whom it is for."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.audit import Audit
from gateway.ledger import Ledger
from gateway.protocol.codec import encode
from gateway.protocol.messages import DeviceState, Quality
from gateway.sites import Sites, StateSeen
from tests.databases import each_database
from tests.entries import NOON, answer, asked
from tests.fake_parts import DEVICE
from tests.running_broker import RunningBroker
from tests.running_facade import RunningFacade, running_facade

pytestmark = each_database
SITE, OTHER = "arava-1", "arava-2"


@pytest.fixture
def facade(broker: RunningBroker, redis_url: str, database_url: str, tmp_path: Path) -> Iterator[RunningFacade]:
    """A facade that knows a site."""
    with running_facade(tmp_path / "facade", broker.login("@facade"), redis_url, database_url) as made:
        made.introduce(SITE)
        yield made


def _get(facade: RunningFacade, status: int = 200, **query: object) -> Any:  # noqa: ANN401 # an answer
    answered = facade.client.get("/v1/audit", query_string=query)
    assert answered.status_code == status, answered.text
    return answered.get_json()


def _ask(facade: RunningFacade, minute: int = 0, **fields: object) -> str:
    command = asked(**fields)
    Ledger(facade.services.engine, now=lambda: NOON + timedelta(minutes=minute)).record([command])
    return command.id


def test_audit_tells_a_write_from_its_asking_to_its_end(facade: RunningFacade) -> None:
    """Who, from where, what the setting was before, what was read afterwards, and how it ended; newest first."""
    state = DeviceState(at=NOON, quality=Quality.GOOD, properties={"portion_g": 100})
    seen = StateSeen(site=SITE, device=DEVICE, state=state, payload=encode(state), retained=False, epoch=1, at=NOON)
    Sites(facade.services.engine).save_states([seen])
    ledger, command = Ledger(facade.services.engine, now=lambda: NOON), asked(input={"portion_g": 120})
    ledger.record([command])
    ledger.settle([answer(command)])
    body = _get(facade)
    ended, begun = body["items"]
    assert body["next"] is None
    assert (begun["kind"], begun["command"], begun["actor"], begun["source_address"]) == (
        "asked",
        command.id,
        "dana",
        "192.0.2.7",
    )
    assert (begun["input"], begun["before"], begun["at"]) == (
        {"portion_g": 120},
        {"portion_g": 100},
        "2026-11-22T12:00:00Z",
    )
    assert (ended["kind"], ended["state"], ended["code"], ended["result"]) == (
        "ended",
        "applied",
        "applied",
        {"portion_g": 120},
    )
    assert [each["hash"] for each in (begun, ended)] == [each.hash for each in Audit(facade.services.engine).links()]


def test_audit_tells_what_was_refused_and_why(facade: RunningFacade) -> None:
    """Also a number that JSON has no word for."""
    facade.client.patch(
        f"/v1/sites/{SITE}/devices/{DEVICE}/settings", data='{"portion_g": 1e999}', content_type="application/json"
    )
    (row,) = _get(facade)["items"]
    assert (row["kind"], row["code"], row["actor"], row["input"]) == (
        "refused",
        "invalid-input",
        "http-token",
        {"portion_g": "Infinity"},
    )


def test_audit_is_paged_newest_first_whatever_the_clock_did(facade: RunningFacade) -> None:
    """Each row once, by when it was written down; rows of one moment by their number."""
    minutes = (5, 1, 3, 3, 2)
    ids = [_ask(facade, minute) for minute in minutes]
    found, cursor = list[str](), None
    while True:
        body = _get(facade, limit=2, **({} if cursor is None else {"cursor": cursor}))
        found += [each["command"] for each in body["items"]]
        cursor = body["next"]
        if cursor is None:
            break
    assert found == [ids[0], ids[3], ids[2], ids[4], ids[1]]
    assert _get(facade, cursor=999) == {"items": [], "next": None}


@pytest.mark.parametrize(
    ("query", "minutes"),
    [
        ({"site": SITE}, [3, 1]),
        ({"actor": "dana"}, [3, 2]),
        ({"principal": "@ana"}, [3]),
        ({"name": "feed"}, [2]),
        ({"kind": "asked", "name": "write"}, [3, 1]),
        ({"kind": "ended"}, []),
        ({"from": "2026-11-22T12:02:00Z"}, [3, 2]),
        ({"to": "2026-11-22T12:02:00Z"}, [1]),
        ({"actor": "dana", "site": SITE, "from": "2026-11-22T12:00:00Z"}, [3]),
        ({"actor": "nobody"}, []),
    ],
)
def test_audit_is_filtered(facade: RunningFacade, query: dict[str, Any], minutes: list[int]) -> None:
    """By each of its words, and by several."""
    ids = {
        1: _ask(facade, 1, actor="noa"),
        2: _ask(facade, 2, site=OTHER, name="feed", input={"grams": 5}),
        3: _ask(facade, 3, requester="@ana"),
    }
    assert [each["command"] for each in _get(facade, **query)["items"]] == [ids[minute] for minute in minutes]


@pytest.mark.parametrize(
    "query", [{"limit": 201}, {"cursor": 0}, {"cursor": "x"}, {"site": "A B"}, {"kind": "x"}, {"user": "dana"}]
)
def test_audit_of_what_is_unclear_is_refused(facade: RunningFacade, query: dict[str, object]) -> None:
    """Nothing is guessed."""
    assert _get(facade, 422, **query)["code"] == "invalid-input"


def test_audit_file_has_all_rows_and_runs_nothing_in_a_spreadsheet(facade: RunningFacade) -> None:
    """More than one read from the database; somebody's words are no formula."""
    Ledger(facade.services.engine).record([asked(actor="=1+1") for _ in range(1_050)])
    answered = facade.client.get("/v1/audit.csv", query_string={"site": SITE})
    assert "audit.csv" in answered.headers["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(answered.text)))
    assert [int(each["number"]) for each in rows] == list(range(1_050, 0, -1))
    assert {(each["actor"], json.loads(each["input"])["portion_g"]) for each in rows} == {("'=1+1", 120)}
    assert {each["principal"] for each in rows} == {"'@facade"}
