"""A browser at the console of a running system; what a page complains about fails its test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from gateway.demo.stack import Stack
from tests.browser import DESKTOP, LOOKS, Errors, built_console, running_browser
from tests.system import System

#: What takes the time of a heartbeat or two.
PATIENCE_MS = 15_000


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One for each module: nothing asynchronous may run beside it."""
    built_console()
    expect.set_options(timeout=PATIENCE_MS)
    with running_browser() as running:
        yield running


@pytest.fixture
def errors() -> Errors:
    """What the test's pages complain about."""
    return Errors()


@pytest.fixture
def served(system: System) -> Stack:
    """The system whose console the pages open; a module may mean another."""
    return system.stack


@pytest.fixture
def new_page(browser: Browser, served: Stack, errors: Errors) -> Iterator[Callable[..., Page]]:
    """Makes pages, each in a browser that has never been here; options are those of a Playwright context."""
    contexts = []

    def make(**options: Any) -> Page:  # noqa: ANN401 # as Playwright
        asked = {"viewport": DESKTOP, "locale": "en-GB", "reduced_motion": "reduce", **options}
        context = browser.new_context(base_url=served.http_url, **asked)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        errors.watch(page)
        return page

    yield make
    for context in contexts:
        context.close()
    assert errors.unexpected == []


@pytest.fixture
def anonymous(new_page: Callable[..., Page]) -> Page:
    """The console, nobody signed in."""
    page = new_page()
    page.goto("/console/", wait_until="domcontentloaded")
    return page


@pytest.fixture
def sign_in(served: Stack) -> Callable[[Page], Page]:
    """Signs an administrator in at a page, wherever it is."""

    def enter(page: Page) -> Page:
        name, password = served.browser_account()
        fields = page.locator("form input")
        fields.nth(0).fill(name)
        fields.nth(1).fill(password)
        fields.nth(1).press("Enter")
        expect(page.locator(".top")).to_be_visible()
        return page

    return enter


@pytest.fixture
def page(anonymous: Page, sign_in: Callable[[Page], Page]) -> Page:
    """The console as an administrator sees it first."""
    return sign_in(anonymous)


@pytest.fixture(params=LOOKS)
def look(request: pytest.FixtureRequest) -> str:
    """Each of :data:`tests.browser.LOOKS`, by its name."""
    return str(request.param)


@pytest.fixture
def seen(new_page: Callable[..., Page], sign_in: Callable[[Page], Page], look: str) -> Page:
    """The console as an administrator sees it, in one look after the other."""
    page = new_page(**LOOKS[look])
    page.goto("/console/", wait_until="domcontentloaded")
    return sign_in(page)
