"""The application over scripted parts."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from http_facade.app import create_app
from tests.fake_parts import FakeParts, settings


@pytest.fixture
def parts() -> FakeParts:
    """A site that is alive, behind a broker that works."""
    made = FakeParts()
    made.mirror.beat()
    return made


@pytest.fixture
def app(parts: FakeParts, tmp_path: Path) -> Flask:
    """The application, not started."""
    return create_app(settings(tmp_path), parts.services())


@pytest.fixture
def token(tmp_path: Path) -> str:
    """The bearer token of ``app``."""
    return settings(tmp_path).http_token()


@pytest.fixture
def anonymous(app: Flask) -> FlaskClient:
    """A client without a token."""
    return app.test_client()


@pytest.fixture
def client(app: Flask, token: str) -> FlaskClient:
    """A client that sends the token."""
    made = app.test_client()
    made.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    return made
