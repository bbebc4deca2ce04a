"""How the console's files are served: to all, with headers that let nothing smuggled run, and cached by their names."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from http_facade import console_pages, headers, problems

HASHED = "assets/index-AbCd_-12.js"


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    """A small build."""
    (tmp_path / "dist" / "assets").mkdir(parents=True)
    for name in ("index.html", "sw.js", "manifest.webmanifest", "icon.svg", HASHED, "assets/plain.js"):
        (tmp_path / "dist" / name).write_text(name)
    (tmp_path / "secret").write_text("not to be served")
    return tmp_path / "dist"


@pytest.fixture
def browser(dist: Path) -> FlaskClient:
    """Whoever comes, at an application with these pages alone."""
    app = Flask("pages", static_folder=None)
    console_pages.register(app, dist)
    headers.register(app)
    problems.register(app, heard=lambda _: None)
    return app.test_client()


def _text(response: TestResponse) -> str:
    with response:
        return response.get_data(as_text=True)


@pytest.mark.parametrize("path", ["/", "/console"])
def test_short_addresses_lead_to_the_console(browser: FlaskClient, path: str) -> None:
    """People type as little as they can."""
    found = browser.get(path)
    assert (found.status_code, found.location) == (302, "/console/")


@pytest.mark.parametrize("path", ["", "alarms", "sites/arava-1/devices/feeder-1/history", "no/such/page", "index.html"])
def test_page_of_the_console_is_its_index_and_never_kept(browser: FlaskClient, path: str) -> None:
    """A reload or a link to any page works, and always shows the newest build."""
    with browser.get(f"/console/{path}") as found:
        assert (found.status_code, found.get_data(as_text=True), found.mimetype) == (200, "index.html", "text/html")
        assert found.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("path", "kept", "mimetype"),
    [
        (HASHED, "public, max-age=31536000, immutable", "text/javascript"),
        ("assets/plain.js", "no-cache", "text/javascript"),
        ("sw.js", "no-cache", "text/javascript"),
        ("manifest.webmanifest", "no-cache", "application/manifest+json"),
        ("icon.svg", "no-cache", "image/svg+xml"),
    ],
)
def test_file_is_kept_for_a_year_only_if_its_name_has_a_hash(
    browser: FlaskClient, path: str, kept: str, mimetype: str
) -> None:
    """What has the same name after the next build is asked for anew; what it is does not depend on the machine."""
    with browser.get(f"/console/{path}") as found:
        assert (found.get_data(as_text=True), found.mimetype, found.headers["Cache-Control"]) == (path, mimetype, kept)


def test_asset_of_an_older_build_is_not_found(browser: FlaskClient) -> None:
    """A page in the place of a script would be run as one."""
    assert browser.get("/console/assets/gone-12345678.js").status_code == 404


@pytest.mark.parametrize("path", ["../secret", "%2e%2e/secret", "assets/../../secret", "/secret", "..%5csecret"])
def test_path_leads_nowhere_but_into_the_build(browser: FlaskClient, path: str) -> None:
    """Nothing beside it is served."""
    assert "not to be served" not in _text(browser.get(f"/console/{path}"))


@pytest.mark.parametrize("path", ["", HASHED, "sw.js", "assets/gone-12345678.js"])
def test_policy_allows_nothing_that_stands_in_a_page(browser: FlaskClient, path: str) -> None:
    """Scripts and styles come as files from here, or do not run."""
    with browser.get(f"/console/{path}") as found:
        policy = found.headers["Content-Security-Policy"]
    assert policy.startswith(("default-src 'self'; ", "default-src 'none'; "))
    assert "unsafe" not in policy
    assert "http" not in policy


def test_facade_without_a_build_says_what_to_do(tmp_path: Path) -> None:
    """A clone that was not built yet is no riddle."""
    app = Flask("pages", static_folder=None)
    console_pages.register(app, tmp_path / "nothing")
    found = app.test_client().get("/console/sites/arava-1")
    assert (found.status_code, found.mimetype) == (503, "text/html")
    assert "make console" in _text(found)


def test_console_needs_no_token_and_the_api_still_does(anonymous: FlaskClient) -> None:
    """The shell holds no secrets; whatever it shows it has to ask for."""
    with anonymous.get("/console/") as found:
        assert found.status_code in {200, 503}  # whether this checkout was built
        assert found.mimetype == "text/html"
    assert anonymous.get("/v1/sites").status_code == 401
