"""The facade against its own OpenAPI document: whatever that allows or forbids, the answer is one it promises."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from schemathesis.checks import CheckFunction
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from gateway.database import open_engine, upgrade
from gateway.events import Events
from gateway.protocol.lifecycle import State
from gateway.protocol.messages import Ack, Command
from gateway.protocol.topics import CANCEL, CommandTopic
from gateway.settings import EnrolmentSettings
from http_facade.app import create_app
from http_facade.attempts import Attempts
from tests.entries import event_seen
from tests.fake_parts import DEVICE, SITE, FakeParts, acking, settings
from tests.identities import new_authority

OPERATIONS = [
    ("GET", "/v1/overview"),
    ("GET", "/v1/sites"),
    ("GET", "/v1/sites/{site}"),
    ("GET", "/v1/sites/{site}/devices"),
    ("GET", "/v1/sites/{site}/devices/{device}"),
    ("GET", "/v1/sites/{site}/devices/{device}/description"),
    ("GET", "/v1/sites/{site}/devices/{device}/actions/{action}/allowance"),
    ("GET", "/v1/sites/{site}/devices/{device}/history"),
    ("GET", "/v1/sites/{site}/devices/{device}/samples"),
    ("GET", "/v1/sites/{site}/devices/{device}/settings/history"),
    ("GET", "/v1/sites/{site}/feed-totals"),
    ("GET", "/v1/sites/{site}/availability"),
    ("PATCH", "/v1/sites/{site}/devices/{device}/settings"),
    ("POST", "/v1/sites/{site}/devices/{device}/actions/{action}"),
    ("POST", "/v1/groups"),
    ("GET", "/v1/groups"),
    ("GET", "/v1/groups/{id}"),
    ("POST", "/v1/groups/{id}/run"),
    ("POST", "/v1/groups/{id}/stop"),
    ("GET", "/v1/commands"),
    ("GET", "/v1/commands.csv"),
    ("GET", "/v1/commands/{id}"),
    ("POST", "/v1/commands/{id}/cancel"),
    ("GET", "/v1/audit"),
    ("GET", "/v1/audit.csv"),
    ("GET", "/v1/alarms"),
    ("POST", "/v1/sites/{site}/devices/{device}/alarms/{alarm}/acknowledgement"),
    ("GET", "/v1/events"),
    ("GET", "/v1/events.csv"),
    ("POST", "/v1/registrations"),
    ("GET", "/v1/registrations"),
    ("GET", "/v1/enrolment/authority"),
    ("POST", "/v1/enrolment"),
    ("POST", "/v1/enrolment/renewal"),
    ("GET", "/v1/tokens"),
    ("POST", "/v1/tokens"),
    ("DELETE", "/v1/tokens/{id}"),
    ("GET", "/v1/accounts"),
    ("POST", "/v1/session"),
    ("GET", "/v1/session"),
    ("DELETE", "/v1/session"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
]

#: What is generated would listen for ever; test_stream.py has its own tests.
ENDLESS = ("GET", "/v1/stream")


@pytest.fixture
def headers(tmp_path: Path) -> dict[str, str]:
    """The token."""
    return {"Authorization": f"Bearer {settings(tmp_path).http_token()}"}


def _obey(topic: CommandTopic, command: Command) -> Ack:
    """A site that applies everything, and has always just not begun with what is to be cancelled."""
    if topic.name == CANCEL:
        return acking(State.REJECTED, "cancelled", name="feed")(topic, command)
    return acking(State.APPLIED, "applied")(topic, command)


@pytest.fixture
def parts(database_url: str, tmp_path: Path) -> Iterator[FakeParts]:
    """The site is alive, and obeys; groups have tables, an alarm is active, and sites may enrol."""
    engine = open_engine(database_url)
    upgrade(engine)
    new_authority(tmp_path / "ca")
    made = FakeParts(
        engine=engine,
        settings=EnrolmentSettings(
            home=tmp_path, public_url="https://centre.example:8443", public_broker="centre.example:8884"
        ),
    )
    made.mirror.beat()
    made.link.site = _obey
    Events(engine).save([event_seen(site=SITE, device=DEVICE)])
    yield made
    engine.dispose()


@pytest.fixture
def app(tmp_path: Path, parts: FakeParts, monkeypatch: pytest.MonkeyPatch) -> Flask:
    """The application over that site; it stays patient with wrong tokens, of which each operation is sent many."""
    for module in ("auth", "enrolling"):
        monkeypatch.setattr(f"http_facade.{module}.Attempts", partial(Attempts, most=1_000_000))
    return create_app(settings(tmp_path), parts.services())


@pytest.fixture
def names(app: Flask, parts: FakeParts, headers: dict[str, str]) -> dict[str, str]:
    """What paths may name, so that not every generated one leads to a 404: a command still waits to be cancelled."""
    parts.link.site = lambda *_: None
    url = f"/v1/sites/{SITE}/devices/{DEVICE}/actions/feed"
    asked = headers | {"Idempotency-Key": "for-the-contract", "Prefer": "wait=0"}
    answer = app.test_client().post(url, json={"grams": 5}, headers=asked)
    assert answer.status_code == 202
    parts.link.site = _obey
    token = {"name": "for the contract", "role": "viewer", "sites": None}
    made = app.test_client().post("/v1/tokens", json=token, headers=headers)
    assert made.status_code == 201
    return {
        "token": made.get_json()["id"],
        "site": SITE,
        "device": DEVICE,
        "action": "feed",
        "alarm": "jam",
        "id": answer.get_json()["id"],
    }


def test_operations_of_the_document_are_these(app: Flask, headers: dict[str, str]) -> None:
    """None is left out below."""
    document = app.test_client().get("/openapi.json", headers=headers).get_json()
    found = {(method.upper(), path) for path, item in document["paths"].items() for method in item}
    assert found == {*OPERATIONS, ENDLESS}


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_operation_keeps_its_own_contract(
    app: Flask, headers: dict[str, str], names: dict[str, str], method: str, path: str
) -> None:
    """Status, media type, headers and body are documented, for good requests and bad ones; then all still works."""
    document = schemathesis.openapi.from_wsgi("/openapi.json", app, headers=headers)
    operation = document[path][method]

    @hypothesis_settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(), known=st.booleans())
    def check(case: schemathesis.Case[Any], known: bool) -> None:  # hypothesis gives it by name
        if known:
            own = {"id": "token"} if path.startswith("/v1/tokens/") else {}
            case.path_parameters |= {name: names[own.get(name, name)] for name in case.path_parameters}
        # What the schema cannot say (is there such a setting? does the revision hold?) is refused too, rightly; and
        # a path that is replaced by a good one makes a bad case good.
        excluded: list[CheckFunction] = [positive_data_acceptance]
        if known:
            excluded.append(negative_data_rejection)
        case.call_and_validate(headers=headers, excluded_checks=excluded)

    check()
    client = app.test_client()
    assert client.get("/healthz").status_code == 200
    url = f"/v1/sites/{SITE}/devices/{DEVICE}/settings"
    assert client.patch(url, json={"portion_g": 5}, headers=headers).status_code == 200
