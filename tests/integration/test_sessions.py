"""Browser sessions on a real database: who gets one, what it needs, what ends it."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from flask.testing import FlaskClient
from sqlalchemy import Engine, select

from gateway.account_command import account as command_line
from gateway.accounts import MOST_SESSIONS, SESSION_LIFETIME, Accounts, hash_password
from gateway.database import open_engine, upgrade
from gateway.database.account_tables import accounts as accounts_table
from gateway.database.account_tables import sessions as sessions_table
from gateway.protocol.errors import InvalidInput
from gateway.roles import Role
from http_facade import auth
from http_facade.attempts import MOST
from http_facade.signing_in import MOST_OF_ONE_FOR_ONE
from tests.conditions import eventually
from tests.databases import each_database, only_sqlite
from tests.running_broker import RunningBroker
from tests.running_facade import RunningFacade, running_facade

pytestmark = each_database
#: Of this module alone, since all share one Redis.
MINE, OTHER = (f"{name}-{secrets.token_hex(4)}" for name in ("mine", "other"))
NAME, PASSWORD = "dana", "correct horse battery"
SETTINGS = f"/v1/sites/{MINE}/devices/feeder-1/settings"


@pytest.fixture
def facade(broker: RunningBroker, redis_url: str, database_url: str, tmp_path: Path) -> Iterator[RunningFacade]:
    """A facade that knows two sites, and Dana, who operates one of them."""
    with running_facade(tmp_path / "facade", broker.login("@facade"), redis_url, database_url) as made:
        made.introduce(MINE)
        made.introduce(OTHER)
        made.services.accounts.add(NAME, PASSWORD, Role.OPERATOR, frozenset({MINE}))
        yield made


def _browser(facade: RunningFacade, address: str = "192.0.2.1") -> FlaskClient:
    client = facade.client.application.test_client()
    client.environ_base["REMOTE_ADDR"] = address
    return client


def _sign_in(client: FlaskClient, password: str = PASSWORD, name: str = NAME) -> tuple[int, dict[str, Any]]:
    answer = client.post("/v1/session", json={"name": name, "password": password})
    return answer.status_code, answer.get_json()


def _signed_in(facade: RunningFacade) -> tuple[FlaskClient, dict[str, str]]:
    """A browser, and the header that its page sends."""
    client = _browser(facade)
    status, body = _sign_in(client)
    assert status == 200
    return client, {"X-CSRF-Token": body["csrf"]}


def test_right_password_signs_in(facade: RunningFacade) -> None:
    """The cookie alone lets the person read, as what and where she may."""
    client, _ = _signed_in(facade)
    body = client.get("/v1/session").get_json()
    assert (body["name"], body["role"], body["sites"]) == (NAME, "operator", [MINE])
    assert [each["site"] for each in client.get("/v1/sites").get_json()["items"]] == [MINE]


@pytest.mark.parametrize(("name", "password"), [(NAME, PASSWORD + "x"), ("nobody", PASSWORD), (NAME, PASSWORD.upper())])
def test_wrong_name_or_password_does_not(facade: RunningFacade, name: str, password: str) -> None:
    """One answer for both: it does not tell which names there are; and no cookie."""
    client = _browser(facade)
    status, body = _sign_in(client, password, name)
    assert (status, body["code"], body["detail"]) == (401, "not-signed-in", "name and password do not fit")
    assert client.get("/v1/sites").status_code == 401


def test_cookie_is_out_of_reach_of_scripts_and_other_sites(facade: RunningFacade) -> None:
    """In clear on this machine, and over TLS, where it is bound to this very host (S28)."""
    plain = _browser(facade).post("/v1/session", json={"name": NAME, "password": PASSWORD}).headers["Set-Cookie"]
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(plain.split("; "))
    secure = _browser(facade).post(
        "/v1/session", json={"name": NAME, "password": PASSWORD}, base_url="https://centre.example"
    )
    words = secure.headers["Set-Cookie"].split("; ")
    assert words[0].startswith("__Host-tidegate=ts_")
    assert {"Secure", "HttpOnly", "SameSite=Strict", "Path=/"} <= set(words)
    assert not any(word.startswith("Domain") for word in words)


@pytest.mark.parametrize("header", [None, "", "0" * 64, "\xe4"], ids=["none", "empty", "wrong", "no-ascii"])
def test_change_without_the_header_is_refused(facade: RunningFacade, header: str | None) -> None:
    """The cookie alone could be another page's doing (S28); nothing was sent."""
    client, _ = _signed_in(facade)
    headers = {} if header is None else {"X-CSRF-Token": header}
    answer = client.patch(SETTINGS, json={"portion_g": 100}, headers=headers)
    assert (answer.status_code, answer.get_json()["code"]) == (403, "csrf-missing")


def test_change_with_the_header_is_let_through(facade: RunningFacade) -> None:
    """As far as the gate, which is shut: the site is silent."""
    client, headers = _signed_in(facade)
    answer = client.patch(SETTINGS, json={"portion_g": 100}, headers=headers)
    assert answer.get_json()["code"] == "site-offline"


def test_header_of_another_session_is_refused(facade: RunningFacade) -> None:
    """Each session has its own."""
    client, _ = _signed_in(facade)
    _, other = _signed_in(facade)
    assert client.patch(SETTINGS, json={"portion_g": 1}, headers=other).get_json()["code"] == "csrf-missing"


def test_session_may_no_more_than_its_account(facade: RunningFacade) -> None:
    """Another site is not there, and groups are for engineers."""
    client, headers = _signed_in(facade)
    assert client.get(f"/v1/sites/{OTHER}").status_code == 404
    assert client.post("/v1/groups", json={}, headers=headers).get_json()["code"] == "forbidden"


def test_session_is_no_token(facade: RunningFacade) -> None:
    """Its secret in the Authorization header opens nothing, so no header gets around the other one."""
    client = _browser(facade)
    cookie = client.post("/v1/session", json={"name": NAME, "password": PASSWORD}).headers["Set-Cookie"]
    secret = cookie.split(";")[0].split("=", 1)[1]
    answer = _browser(facade).get("/v1/sites", headers={"Authorization": f"Bearer {secret}"})
    assert answer.status_code == 401


def test_token_in_a_cookie_is_no_session(facade: RunningFacade) -> None:
    """Where a token is no header, it opens nothing."""
    token, _ = facade.services.tokens.add(name="noa", role=Role.ADMIN, sites=None, expires_at=None)
    client = _browser(facade)
    client.set_cookie("tidegate", token)
    assert client.get("/v1/sites").status_code == 401


def test_made_up_cookies_are_counted_like_made_up_tokens(facade: RunningFacade) -> None:
    """So that guesses in a cookie are slowed down as well (S6)."""
    client = _browser(facade, "203.0.113.77")
    client.set_cookie("tidegate", "ts_made-up")
    statuses = [client.get("/v1/sites").status_code for _ in range(MOST + 1)]
    assert statuses == [401] * MOST + [429]


def _wait_gone(client: FlaskClient) -> None:
    within_s = auth.REMEMBERED_S + 3
    eventually(lambda: client.get("/v1/sites").status_code == 401, within_s=within_s, what="the session's end")


def test_sign_out_ends_the_session(facade: RunningFacade) -> None:
    """For a copy of the cookie as well."""
    client, headers = _signed_in(facade)
    copy = _browser(facade)
    copy.set_cookie("tidegate", client.get_cookie("tidegate").value)  # type: ignore[union-attr]  # it is there
    assert client.delete("/v1/session", headers=headers).status_code == 204
    assert client.get_cookie("tidegate") is None
    _wait_gone(copy)


@pytest.mark.parametrize("change", ["password", "rights", "removal"])
def test_account_that_changes_ends_its_sessions_and_streams(facade: RunningFacade, change: str) -> None:
    """Whoever was signed in has to sign in again, at open pages as well (S8)."""
    client, _ = _signed_in(facade)
    texts = iter(client.get("/v1/stream").response)
    next(texts)
    accounts = facade.services.accounts
    done: dict[str, Callable[[], bool]] = {
        "password": lambda: accounts.change(NAME, password="another horse battery"),
        "rights": lambda: accounts.change(NAME, rights=(Role.VIEWER, None)),
        "removal": lambda: accounts.remove(NAME),
    }
    began_s = time.monotonic()
    assert done[change]()
    for _ in texts:
        pass
    assert time.monotonic() - began_s < auth.REMEMBERED_S + 4
    _wait_gone(client)


def test_guesses_are_not_looked_at_beyond_a_number(facade: RunningFacade) -> None:
    """Even the right one is not, from there; from elsewhere it is, and who is signed in notices nothing (S6)."""
    inside, _ = _signed_in(facade)
    guesser = _browser(facade, "203.0.113.9")
    statuses = [_sign_in(guesser, f"wrong-guess-{number}")[0] for number in range(MOST_OF_ONE_FOR_ONE + 1)]
    assert statuses == [401] * MOST_OF_ONE_FOR_ONE + [429]
    assert _sign_in(guesser)[0] == 429
    assert _sign_in(_browser(facade, "192.0.2.7"))[0] == 200
    assert inside.get("/v1/sites").status_code == 200


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    made = open_engine(database_url)
    upgrade(made)
    yield made
    made.dispose()


def test_tables_hold_neither_password_nor_secret(engine: Engine) -> None:
    """Hashes only, each password with a salt of its own."""
    accounts = Accounts(engine)
    accounts.add(NAME, PASSWORD, Role.VIEWER, None)
    accounts.add("noa", PASSWORD, Role.VIEWER, None)
    secret = accounts.sign_in(NAME, PASSWORD)
    assert secret is not None
    with engine.connect() as connection:
        passwords = connection.exec_driver_sql("SELECT password FROM accounts").scalars().all()
        rows = str([connection.execute(select(table)).all() for table in (accounts_table, sessions_table)])
    assert PASSWORD not in rows
    assert secret not in rows
    assert len(set(passwords)) == 2


def test_session_ends_by_itself(engine: Engine) -> None:
    """After its lifetime, not a moment later."""
    now = datetime.now(UTC)
    accounts = Accounts(engine, now=lambda: now)
    accounts.add(NAME, PASSWORD, Role.VIEWER, None)
    secret = accounts.sign_in(NAME, PASSWORD) or ""
    now += SESSION_LIFETIME - timedelta(seconds=1)
    assert accounts.caller_of(secret) is not None
    now += timedelta(seconds=1)
    assert accounts.caller_of(secret) is None


@pytest.mark.invariant("I15")
def test_sessions_of_one_person_are_bounded(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest goes; the newest are good."""
    monkeypatch.setattr("gateway.accounts._COST", 2)
    now = datetime.now(UTC)
    accounts = Accounts(engine, now=lambda: now)
    accounts.add(NAME, PASSWORD, Role.VIEWER, None)
    secrets = []
    for _ in range(MOST_SESSIONS + 2):
        now += timedelta(seconds=1)
        secrets.append(accounts.sign_in(NAME, PASSWORD) or "")
    good = [accounts.caller_of(each) is not None for each in secrets]
    assert good == [False] * 2 + [True] * MOST_SESSIONS


@only_sqlite
@pytest.mark.parametrize(
    "password", ["", "short", "x" * 300, "aaaaaaaaaaaaaaaa", "ababababababab", "i am dana, let me in"]
)
def test_weak_password_is_refused(engine: Engine, password: str) -> None:
    """Too short, too long, monotonous, or with the name in it."""
    with pytest.raises(InvalidInput):
        Accounts(engine).add(NAME, password, Role.VIEWER, None)


@only_sqlite
def test_hash_is_scrypt_with_a_salt(engine: Engine) -> None:  # noqa: ARG001 # the module's mark wants one
    """As RFC 7914 has it, whoever computes it: hashlib's own, with our cost."""
    assert hash_password("password", bytes(16)) == hash_password("password", bytes(16))
    assert hash_password("password") != hash_password("password")
    assert hash_password("password").startswith("scrypt$")


def _run(url: str, *words: str) -> Result:
    return CliRunner(env={"TIDEGATE_DATABASE_URL": url}).invoke(command_line, words)


def test_command_line_adds_changes_lists_and_removes(database_url: str, engine: Engine) -> None:
    """Without a terminal a random password is made, which lets the person in; the list shows none."""
    made = _run(database_url, "add", NAME, "--role", "operator", "--site", MINE)
    secret = made.stdout.strip().splitlines()[0]
    assert made.exit_code == 0
    assert Accounts(engine).sign_in(NAME, secret) is not None
    other = _run(database_url, "password", NAME).stdout.strip().splitlines()[0]
    assert Accounts(engine).sign_in(NAME, secret) is None
    assert Accounts(engine).sign_in(NAME, other) is not None
    assert _run(database_url, "role", NAME, "--role", "admin", "--all-sites").exit_code == 0
    listed = _run(database_url, "list", "--json").stdout
    assert json.loads(listed) == {"name": NAME, "role": "admin", "sites": None}
    assert other not in listed + _run(database_url, "list").stdout
    assert _run(database_url, "add", NAME, "--role", "viewer", "--all-sites").exit_code != 0
    assert _run(database_url, "remove", NAME).exit_code == 0
    assert _run(database_url, "remove", NAME).exit_code != 0
