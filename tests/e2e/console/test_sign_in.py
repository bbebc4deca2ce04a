"""Who comes in, who does not, and what they are told."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from gateway.demo.roles import FACADE
from http_facade.signing_in import MOST_OF_ONE_FOR_ONE
from tests.browser import LOOKS, Errors, check_look
from tests.system import System


def _try(page: Page, name: str, password: str) -> None:
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def test_root_leads_to_the_console(new_page: Callable[..., Page]) -> None:
    """The address that people type is enough."""
    page = new_page()
    page.goto("/", wait_until="domcontentloaded")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert page.url.endswith("/console/")


def test_sign_in_shows_the_page_that_was_asked_for(new_page: Callable[..., Page], sign_in: Callable[..., Page]) -> None:
    """A link that somebody sent leads there, with signing in on the way."""
    page = new_page()
    page.goto("/console/alarms", wait_until="domcontentloaded")
    sign_in(page)
    expect(page.get_by_role("heading", level=1, name="Alarms")).to_be_visible()


def test_sign_in_is_remembered_over_a_reload(page: Page) -> None:
    """The session is the browser's, not the page's."""
    page.reload(wait_until="domcontentloaded")
    expect(page.get_by_role("heading", level=1, name="Sites")).to_be_visible()


def test_sign_out_ends_the_session_and_its_shell(page: Page, errors: Errors) -> None:
    """Afterwards the page knows nothing, and neither does the browser."""
    page.get_by_role("button", name="Account").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    errors.expect("401")
    assert page.evaluate("fetch('/v1/session').then(answer => answer.status)") == 401


def test_sign_in_with_a_wrong_password_says_so(anonymous: Page, errors: Errors) -> None:
    """Not whether there is such a name, and the password's field is empty again."""
    errors.expect("401")
    _try(anonymous, "dana", "not the password")
    expect(anonymous.get_by_role("alert")).to_contain_text("do not fit")
    expect(anonymous.get_by_label("Password")).to_have_value("")


def test_sign_in_without_a_password_asks_for_it(anonymous: Page) -> None:
    """Without a question to the facade."""
    _try(anonymous, "dana", "")
    expect(anonymous.get_by_label("Password")).to_have_attribute("aria-invalid", "true")
    expect(anonymous.get_by_text("Enter your password.")).to_be_visible()


def test_sign_in_after_too_many_wrong_ones_says_when_to_come_back(anonymous: Page, errors: Errors) -> None:
    """Whoever is slowed down is told for how long."""
    errors.expect("401|429")
    ask = "name => fetch('/v1/session', {method: 'POST', headers: {'Content-Type': 'application/json'}, "
    ask += "body: JSON.stringify({name, password: 'wrong wrong wrong'})}).then(answer => answer.status)"
    for _ in range(MOST_OF_ONE_FOR_ONE):
        anonymous.evaluate(ask, "guesser")
    _try(anonymous, "guesser", "wrong again, of course")
    expect(anonymous.get_by_role("alert")).to_contain_text("Too many wrong attempts")


def test_sign_in_without_a_server_says_that_it_does_not_answer(system: System, anonymous: Page, errors: Errors) -> None:
    """A dead server is not a wrong password."""
    expect(anonymous.get_by_role("heading", name="Sign in")).to_be_visible()
    errors.expect_no_server()
    system.stack.kill(FACADE)
    _try(anonymous, "dana", "whatever it may be")
    expect(anonymous.get_by_role("alert")).to_contain_text("does not answer")


def test_console_that_cannot_be_loaded_whole_says_so(new_page: Callable[..., Page], errors: Errors) -> None:
    """A line that breaks in the middle leaves no empty page."""
    errors.expect("ERR_FAILED|Service Worker registration blocked")
    page = new_page(service_workers="block")
    page.route(re.compile(r"/assets/en-[\w-]{8}\.js"), lambda route: route.abort())
    page.goto("/console/", wait_until="domcontentloaded")
    expect(page.get_by_role("alert")).to_contain_text("could not be loaded whole")


def test_sign_in_page_is_accessible(new_page: Callable[..., Page], look: str) -> None:
    """Axe finds nothing, in either direction and both appearances."""
    page = new_page(**LOOKS[look])
    page.goto("/console/", wait_until="domcontentloaded")
    expect(page.locator("h1")).to_be_visible()
    check_look(page, f"sign-in-{look}")
