"""Tokens and accounts over HTTP, in a real database: who may give, see and revoke what."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient

from gateway.audit import Audit
from gateway.audit_chain import Kind
from gateway.roles import Role
from gateway.token_command import token as command_line
from gateway.tokens import ADDED, REVOKED, Tokens
from tests.databases import each_database
from tests.running_broker import RunningBroker
from tests.running_facade import RunningFacade, running_facade

pytestmark = each_database
MINE, OTHER = "arava-1", "arava-2"


@pytest.fixture
def facade(broker: RunningBroker, redis_url: str, database_url: str, tmp_path: Path) -> Iterator[RunningFacade]:
    """A facade whose own token may do everything."""
    with running_facade(tmp_path / "facade", broker.login("@facade"), redis_url, database_url) as made:
        yield made


@pytest.fixture
def local(facade: RunningFacade) -> FlaskClient:
    """An administrator of one site."""
    made, _ = facade.services.tokens.add(name="noa", role=Role.ADMIN, sites=frozenset({MINE}), expires_at=None)
    return _as(facade, made)


def _as(facade: RunningFacade, token: str) -> FlaskClient:
    client = facade.client.application.test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    return client


def _make(client: FlaskClient, status: int = 201, **changes: object) -> Any:  # noqa: ANN401 # an answer
    asked = {"name": "barn tablet", "role": "viewer", "sites": [MINE], "days": 30, **changes}
    answer = client.post("/v1/tokens", json=asked)
    assert answer.status_code == status, answer.text
    return answer.get_json()


def test_token_that_was_made_opens_what_was_said_and_is_shown_once(facade: RunningFacade) -> None:
    """For its days, and the list has no secret; nobody may keep the answer."""
    made = _make(facade.client)
    until = datetime.fromisoformat(made["expires_at"])
    assert timedelta(days=29.9) < until - datetime.now(UTC) < timedelta(days=30.1)
    found = _as(facade, made["token"]).get("/v1/session").get_json()
    assert (found["name"], found["role"], found["sites"]) == ("barn tablet", "viewer", [MINE])
    listed = facade.client.get("/v1/tokens")
    assert listed.headers["Cache-Control"] == "no-store"
    (item,) = listed.get_json()["items"]
    assert item == {name: value for name, value in made.items() if name != "token"}
    assert made["token"].split("_", 2)[2] not in listed.text


def test_token_without_days_is_good_for_a_year(facade: RunningFacade) -> None:
    """As at the command line; there is none without an end."""
    until = datetime.fromisoformat(_make(facade.client, days=None)["expires_at"])
    assert timedelta(days=364.9) < until - datetime.now(UTC) < timedelta(days=365.1)


def test_token_that_was_revoked_is_not_there_to_revoke_again(facade: RunningFacade) -> None:
    """204, then 404, as for one that has expired or never was; the list shows its state."""
    made = _make(facade.client)
    _, old = facade.services.tokens.add(
        name="old", role=Role.VIEWER, sites=None, expires_at=datetime.now(UTC) - timedelta(days=1)
    )
    ids = (made["id"], made["id"], old.id, "aaaaaaaaaaaa")
    answers = [facade.client.delete(f"/v1/tokens/{id}") for id in ids]
    assert [each.status_code for each in answers] == [204, 404, 404, 404]
    assert answers[1].get_json()["code"] == "unknown-token"
    states = {each["id"]: each["state"] for each in facade.client.get("/v1/tokens").get_json()["items"]}
    assert states == {made["id"]: "revoked", old.id: "expired"}


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"name": ""}, "/name"),
        ({"name": "two\nlines"}, "/name"),
        ({"name": "x" * 65}, "/name"),
        ({"role": "king"}, "/role"),
        ({"sites": []}, "/sites"),
        ({"sites": ["Arava 1"]}, "/sites/0"),
        ({"days": 0}, "/days"),
        ({"days": 3_651}, "/days"),
        ({"days": True}, "/days"),
        ({"secret": "mine"}, "/secret"),
    ],
)
def test_token_of_what_is_unclear_is_not_made(facade: RunningFacade, changes: dict[str, object], pointer: str) -> None:
    """422 with the place, and no token."""
    body = _make(facade.client, 422, **changes)
    assert [each["pointer"] for each in body["errors"]] == [pointer]
    assert facade.client.get("/v1/tokens").get_json()["items"] == []


def test_token_needs_a_word_about_its_sites(facade: RunningFacade) -> None:
    """Nobody gives all of them by leaving something out."""
    answer = facade.client.post("/v1/tokens", json={"name": "x", "role": "viewer"})
    assert (answer.status_code, answer.get_json()["errors"][0]["pointer"]) == (422, "/sites")


def test_administrator_of_one_site_gives_only_that(local: FlaskClient) -> None:
    """As any role; neither every site nor another's, which looks as if there were none."""
    assert _make(local, role="admin")["sites"] == [MINE]
    assert _make(local, 422, sites=None)["errors"][0]["code"] == "beyond-yours"
    foreign = _make(local, 422, sites=[MINE, OTHER])["errors"]
    assert [(each["pointer"], each["code"]) for each in foreign] == [("/sites/1", "unknown-site")]


def test_administrator_of_one_site_sees_and_revokes_only_what_reaches_no_further(
    facade: RunningFacade, local: FlaskClient
) -> None:
    """Others' tokens and accounts are not there."""
    wide = [_make(facade.client, sites=sites)["id"] for sites in (None, [OTHER], [MINE, OTHER])]
    own = _make(facade.client)["id"]
    names = {each["id"] for each in local.get("/v1/tokens").get_json()["items"]}
    assert own in names
    assert not names & set(wide)
    assert [local.delete(f"/v1/tokens/{id}").status_code for id in (*wide, own)] == [404, 404, 404, 204]
    assert all(record.revoked_at is None for record in facade.services.tokens.all() if record.id in wide)


def test_accounts_are_listed_without_their_passwords(facade: RunningFacade, local: FlaskClient) -> None:
    """Those within the caller's own rights."""
    for name, sites in (("dana", frozenset({MINE})), ("omer", None)):
        facade.services.accounts.add(name, "correct horse battery", Role.OPERATOR, sites)
    items = facade.client.get("/v1/accounts").get_json()["items"]
    assert [(each["name"], each["role"], each["sites"]) for each in items] == [
        ("dana", "operator", [MINE]),
        ("omer", "operator", None),
    ]
    assert items[0].keys() == {"name", "role", "sites", "created_at", "changed_at"}
    assert [each["name"] for each in local.get("/v1/accounts").get_json()["items"]] == ["dana"]


def test_who_made_and_revoked_a_token_is_in_the_audit(facade: RunningFacade) -> None:
    """With what it opens and from where, and never with the token; what was not done leaves no row."""
    made = _make(facade.client)
    _make(facade.client, 422, days=0)
    for _ in range(2):
        facade.client.delete(f"/v1/tokens/{made['id']}")
    added, revoked = [each.entry for each in Audit(facade.services.engine).links()]
    assert (added.kind, added.name, added.principal, added.actor, added.source_address) == (
        Kind.DONE,
        ADDED,
        "@facade",
        "http-token",
        "127.0.0.1",
    )
    said = json.loads(added.input or "")
    assert {name: said[name] for name in ("id", "name", "role", "sites")} == {
        name: made[name] for name in ("id", "name", "role", "sites")
    }
    assert made["token"] not in str(added)
    assert (revoked.name, json.loads(revoked.input or "")) == (REVOKED, {"id": made["id"]})


def test_command_line_leaves_its_rows_too(facade: RunningFacade, database_url: str) -> None:
    """Under a name that no program at the broker can have."""
    words = ("add", "dana", "--role", "viewer", "--all-sites")
    assert CliRunner(env={"TIDEGATE_DATABASE_URL": database_url}).invoke(command_line, words).exit_code == 0
    (row,) = [each.entry for each in Audit(facade.services.engine).links()]
    assert (row.name, row.principal, row.source_address) == (ADDED, "command-line", None)


def test_token_whose_row_cannot_be_written_is_not_made(facade: RunningFacade) -> None:
    """Both in one transaction: whoever opens something is in the audit."""
    tokens = Tokens(facade.services.engine)
    with facade.services.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE audit_head RENAME TO audit_head_away")
    assert facade.client.post("/v1/tokens", json={"name": "x", "role": "viewer", "sites": None}).status_code in {
        500,
        503,
    }
    assert tokens.all() == []
