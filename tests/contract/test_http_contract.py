"""The facade against its own OpenAPI document: whatever that allows or forbids, the answer is one it promises."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from gateway.protocol.lifecycle import State
from http_facade.app import create_app
from tests.fake_parts import FakeParts, acking, settings

OPERATIONS = [
    ("GET", "/v1/sites"),
    ("GET", "/v1/sites/{site}"),
    ("GET", "/v1/sites/{site}/devices"),
    ("GET", "/v1/sites/{site}/devices/{device}"),
    ("GET", "/v1/sites/{site}/devices/{device}/description"),
    ("PATCH", "/v1/sites/{site}/devices/{device}/settings"),
    ("GET", "/v1/commands"),
    ("GET", "/v1/commands/{id}"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
]


@pytest.fixture
def headers(tmp_path: Path) -> dict[str, str]:
    """The token."""
    return {"Authorization": f"Bearer {settings(tmp_path).http_token()}"}


@pytest.fixture
def app(tmp_path: Path) -> Flask:
    """The application over a site that applies everything."""
    parts = FakeParts()
    parts.mirror.beat()
    parts.link.site = acking(State.APPLIED, "applied")
    return create_app(settings(tmp_path), parts.services())


def test_operations_of_the_document_are_these(app: Flask, headers: dict[str, str]) -> None:
    """None is left out below."""
    document = app.test_client().get("/openapi.json", headers=headers).get_json()
    found = {(method.upper(), path) for path, item in document["paths"].items() for method in item}
    assert found == set(OPERATIONS)


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_operation_keeps_its_own_contract(app: Flask, headers: dict[str, str], method: str, path: str) -> None:
    """Status, media type, headers and body are documented, for good requests and bad ones."""
    document = schemathesis.openapi.from_wsgi("/openapi.json", app, headers=headers)
    operation = document[path][method]

    @hypothesis_settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy())
    def check(case: schemathesis.Case[Any]) -> None:
        # What the schema cannot say (is there such a setting? does the revision hold?) is refused too, rightly.
        case.call_and_validate(headers=headers, excluded_checks=[positive_data_acceptance])

    check()
