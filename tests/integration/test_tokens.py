"""API tokens in a real database: every role at every route, at its own site and at another."""

from __future__ import annotations

import json
import re
import secrets
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from flask.testing import FlaskClient
from sqlalchemy import Engine

from gateway.events import Events
from gateway.ledger import Ledger
from gateway.roles import Role
from gateway.token_command import token as command_line
from gateway.tokens import Tokens
from http_facade import auth
from http_facade.attempts import MOST
from http_facade.permissions import NEEDED, OPEN
from tests.databases import each_database, only_sqlite
from tests.entries import NOON, asked, event_seen
from tests.fake_parts import DEVICE
from tests.running_broker import RunningBroker
from tests.running_facade import RunningFacade, running_facade

pytestmark = each_database
#: Of this module alone, since all share one Redis.
MINE, OTHER = (f"{name}-{secrets.token_hex(4)}" for name in ("mine", "other"))


@pytest.fixture
def facade(broker: RunningBroker, redis_url: str, database_url: str, tmp_path: Path) -> Iterator[RunningFacade]:
    """A facade that knows two sites."""
    with running_facade(tmp_path / "facade", broker.login("@facade"), redis_url, database_url) as made:
        made.introduce(MINE)
        made.introduce(OTHER)
        yield made


@pytest.fixture
def tokens(facade: RunningFacade) -> Tokens:
    """Its tokens."""
    return facade.services.tokens


def _add(tokens: Tokens, role: Role = Role.VIEWER, sites: frozenset[str] | None = frozenset({MINE})) -> str:
    return tokens.add(name="dana", role=role, sites=sites, expires_at=None)[0]


def _as(facade: RunningFacade, token: str) -> FlaskClient:
    client = facade.client.application.test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    return client


def _command(engine: Engine, site: str) -> str:
    command = asked(site=site)
    Ledger(engine, now=lambda: NOON).record([command])
    Events(engine).save([event_seen(site=site)])
    return command.id


def test_every_route_needs_a_role_or_is_open(facade: RunningFacade) -> None:
    """A route that nobody has thought of is denied to all; one that is gone is not listed."""
    rules = facade.client.application.url_map.iter_rules()
    routes = {f"{method} {rule.rule}" for rule in rules for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}}
    assert routes == NEEDED.keys() | OPEN


@pytest.mark.parametrize("route", sorted(NEEDED))
def test_route_lets_in_who_has_the_role_and_nobody_else(facade: RunningFacade, tokens: Tokens, route: str) -> None:
    """Each role at each route: 403 below what it needs, anything else from there on; without a token 401."""
    method, rule = route.split(" ")
    if rule == "/v1/stream":
        rule += "?site=nowhere"  # who is let in hears at once that there is none, instead of listening for ever
    path = (
        rule.replace("<site>", MINE).replace("<device>", DEVICE).replace("<action>", "feed").replace("<alarm>", "jam")
    )
    path = path.replace("<id>", _command(facade.services.engine, MINE))
    for role in Role:
        with _as(facade, _add(tokens, role)).open(path, method=method) as answered:
            status = answered.status_code
        assert (status == 403) == (not role.covers(NEEDED[route])), (role, status)
        assert status not in {401, 500}
    assert facade.client.application.test_client().open(path, method=method).status_code == 401


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("route", sorted(route for route in NEEDED if "<site>" in route or "/commands/<id>" in route))
def test_what_belongs_to_another_site_is_not_there(
    facade: RunningFacade, tokens: Tokens, route: str, role: Role
) -> None:
    """Not even an administrator of one site learns whether another's command exists."""
    method, rule = route.split(" ")
    path = (
        rule.replace("<site>", OTHER).replace("<device>", DEVICE).replace("<action>", "feed").replace("<alarm>", "jam")
    )
    path = path.replace("<id>", _command(facade.services.engine, OTHER))
    status = _as(facade, _add(tokens, role)).open(path, method=method).status_code
    assert status == (404 if role.covers(NEEDED[route]) else 403)


@pytest.mark.parametrize("what", ["sites", "commands", "events", "alarms", "audit"])
def test_lists_hold_only_the_caller_s_sites(facade: RunningFacade, tokens: Tokens, what: str) -> None:
    """Whoever asks for another's by name finds nothing."""
    for site in (MINE, OTHER):
        _command(facade.services.engine, site)
    client = _as(facade, _add(tokens, Role.ENGINEER))
    assert {each["site"] for each in client.get(f"/v1/{what}").get_json()["items"]} == {MINE}
    if what != "sites":
        assert client.get(f"/v1/{what}?site={OTHER}").get_json()["items"] == []
    everywhere = _as(facade, _add(tokens, Role.ENGINEER, sites=None))
    assert {each["site"] for each in everywhere.get(f"/v1/{what}").get_json()["items"]} - {""} == {MINE, OTHER}


@pytest.mark.parametrize("what", ["commands", "events", "audit"])
def test_files_hold_only_the_caller_s_sites(facade: RunningFacade, tokens: Tokens, what: str) -> None:
    """As lists do."""
    for site in (MINE, OTHER):
        _command(facade.services.engine, site)
    text = _as(facade, _add(tokens, Role.ENGINEER)).get(f"/v1/{what}.csv").text
    assert (MINE in text, OTHER in text) == (True, False)


def test_group_of_another_site_is_not_there(facade: RunningFacade, tokens: Tokens) -> None:
    """Neither to preview, nor to see, nor in the list."""
    body = {"targets": [{"site": site, "device": DEVICE} for site in (MINE, OTHER)], "write": {"portion_g": 5}}
    engineer = _as(facade, _add(tokens, Role.ENGINEER))
    assert engineer.post("/v1/groups", json=body).status_code == 422
    made = _as(facade, _add(tokens, Role.ENGINEER, None)).post("/v1/groups", json=body)
    assert made.status_code == 201
    id = made.get_json()["id"]
    statuses = [
        engineer.get(f"/v1/groups/{id}").status_code,
        engineer.post(f"/v1/groups/{id}/run", json={"token": made.get_json()["token"]}).status_code,
        engineer.post(f"/v1/groups/{id}/stop").status_code,
    ]
    assert statuses == [404] * 3
    assert engineer.get("/v1/groups").get_json()["items"] == []


def test_stream_of_another_site_is_not_there(facade: RunningFacade, tokens: Tokens) -> None:
    """By name; without one, it is about the caller's own sites."""
    assert _as(facade, _add(tokens)).get(f"/v1/stream?site={OTHER}").status_code == 404


def test_who_asked_is_in_the_ledger(facade: RunningFacade, tokens: Tokens) -> None:
    """By the token's name."""
    facade.beat(MINE)
    client = _as(facade, _add(tokens, Role.OPERATOR))
    path = f"/v1/sites/{MINE}/devices/{DEVICE}/settings"
    made = client.patch(path, json={"portion_g": 5}, headers={"Prefer": "wait=0"})
    assert (made.status_code, made.get_json()["actor"]) == (202, "dana")


def test_token_is_stored_as_a_hash_alone(facade: RunningFacade, tokens: Tokens) -> None:
    """Nothing in the database opens anything."""
    made = _add(tokens)
    secret = made.split("_", 2)[2]
    with facade.services.engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT * FROM tokens").all()
    assert len(rows) == 1
    assert secret not in str(rows)
    assert re.fullmatch(r"tg_[a-z2-9]{12}_[\w-]{43}", made)


@pytest.mark.parametrize("change", ["secret", "id", "shorter", "empty"])
def test_token_that_was_altered_opens_nothing(facade: RunningFacade, tokens: Tokens, change: str) -> None:
    """Not one character may differ."""
    made = _add(tokens)
    last = "A" if made[-1] != "A" else "B"
    altered = {"secret": made[:-1] + last, "id": made.replace("tg_", "tg_a", 1), "shorter": made[:-1], "empty": ""}
    assert _as(facade, altered[change]).get("/v1/sites").status_code == 401


def test_token_that_is_too_old_opens_nothing(facade: RunningFacade, tokens: Tokens) -> None:
    """From the moment of its expiry on."""
    now = datetime.now(UTC)
    for expires_at, status in ((now + timedelta(hours=1), 200), (now - timedelta(seconds=1), 401)):
        made, _ = tokens.add(name="dana", role=Role.VIEWER, sites=None, expires_at=expires_at)
        assert _as(facade, made).get("/v1/sites").status_code == status


def test_token_that_is_revoked_opens_nothing_within_seconds(facade: RunningFacade, tokens: Tokens) -> None:
    """Also where it was used a moment ago, and a stream that it has opened ends."""
    made, record = tokens.add(name="dana", role=Role.VIEWER, sites=None, expires_at=None)
    client = _as(facade, made)
    assert client.get("/v1/sites").status_code == 200
    texts = iter(client.get("/v1/stream").response)
    next(texts)
    began_s = time.monotonic()
    assert tokens.revoke(record.id)
    assert not tokens.revoke(record.id)
    for _ in texts:
        pass
    assert time.monotonic() - began_s < auth.REMEMBERED_S + 4
    assert client.get("/v1/sites").status_code == 401


@pytest.mark.fault("F47")
def test_crowd_of_wrong_tokens_is_told_to_wait_and_the_right_one_passes(facade: RunningFacade, tokens: Tokens) -> None:
    """401 for some, then 429 with a time; from the same address, with the same id."""
    made = _add(tokens)
    wrong = _as(facade, made[:-4] + "AAAA")
    answers = [wrong.get("/v1/sites") for _ in range(MOST + 5)]
    assert [each.status_code for each in answers] == [401] * MOST + [429] * 5
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 60
    assert _as(facade, made).get("/v1/sites").status_code == 200


@only_sqlite
def test_malformed_tokens_of_one_address_keep_no_other_address_waiting(facade: RunningFacade) -> None:
    """What is no token has no id by which it could be counted together with others."""
    client = _as(facade, "nonsense")
    for _ in range(MOST + 1):
        client.get("/v1/sites", environ_base={"REMOTE_ADDR": "203.0.113.1"})
    assert client.get("/v1/sites", environ_base={"REMOTE_ADDR": "203.0.113.2"}).status_code == 401


@only_sqlite
@pytest.mark.fault("F47")
def test_ten_thousand_guesses_from_many_addresses_keep_no_valid_user_waiting(
    facade: RunningFacade, tokens: Tokens
) -> None:
    """Two hundred addresses guess, half of them for a token's id that is known; its owner is answered all the while."""
    made = _add(tokens)
    owner, guesser = _as(facade, made), facade.client.application.test_client()
    statuses: Counter[int] = Counter()
    for number in range(10_000):
        known = f"{made[:-6]}{number:06}" if number % 2 else f"tg_{number:012}_{'A' * 43}"
        answer = guesser.get(
            "/v1/sites",
            headers={"Authorization": f"Bearer {known}"},
            environ_base={"REMOTE_ADDR": f"192.0.2.{number % 200}"},
        )
        statuses[answer.status_code] += 1
        if number % 500 == 0:
            assert owner.get("/v1/sites").status_code == 200
    assert statuses.keys() == {401, 429}
    assert statuses[401] <= 200 * MOST
    assert owner.get("/v1/sites").status_code == 200


def _run(url: str, *words: str) -> Result:
    return CliRunner(env={"TIDEGATE_DATABASE_URL": url}).invoke(command_line, words)


def test_command_line_makes_lists_and_revokes(database_url: str) -> None:
    """As an administrator types it; the list shows no secret."""
    added = _run(database_url, "add", "dana", "--role", "operator", "--site", MINE, "--days", "90")
    made = added.stdout.strip()
    assert (added.exit_code, made.startswith("tg_")) == (0, True)
    listed = json.loads(_run(database_url, "list", "--json").stdout)
    assert (listed["name"], listed["role"], listed["sites"], listed["state"]) == ("dana", "operator", [MINE], "good")
    table = _run(database_url, "list").stdout
    assert made.split("_", 2)[2] not in table + json.dumps(listed)
    assert _run(database_url, "revoke", listed["id"]).exit_code == 0
    assert json.loads(_run(database_url, "list", "--json").stdout)["state"] == "revoked"
    assert _run(database_url, "revoke", listed["id"]).exit_code != 0


@only_sqlite
@pytest.mark.parametrize(
    "words",
    [
        ("add", "dana", "--role", "operator"),
        ("add", "dana", "--role", "operator", "--site", MINE, "--all-sites"),
        ("add", "dana", "--role", "king", "--all-sites"),
        ("add", "dana", "--role", "viewer", "--site", "Arava 1"),
        ("add", "", "--role", "viewer", "--all-sites"),
    ],
)
def test_command_line_makes_nothing_of_what_is_unclear(tmp_path: Path, words: tuple[str, ...]) -> None:
    """Exit code 2, and no token."""
    path = tmp_path / "tidegate.db"
    assert _run(f"sqlite:///{path}", *words).exit_code == 2
    if path.exists():
        with sqlite3.connect(path) as connection:
            rows: Any = connection.execute("SELECT count(*) FROM tokens").fetchone()
        assert rows == (0,)
