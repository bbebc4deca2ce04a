"""Tokens in a browser: made, used, revoked, and worth nothing after that."""

from __future__ import annotations

import requests
from playwright.sync_api import Page, expect

from tests.conditions import eventually
from tests.system import System

PATH = "/console/tokens"


def _status(system: System, token: str, path: str = "/v1/sites") -> int:
    url, headers = f"{system.stack.http_url}{path}", {"Authorization": f"Bearer {token}"}
    return requests.get(url, headers=headers, timeout=10).status_code


def _make(page: Page, name: str) -> str:
    page.goto(PATH, wait_until="domcontentloaded")
    page.get_by_role("button", name="Make a token").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill(name)
    dialog.get_by_label("Every site").uncheck()
    dialog.get_by_label("arava-1").check()
    dialog.get_by_role("textbox", name="Good for so many days").fill("30")
    dialog.get_by_role("button", name="Make a token").click()
    expect(dialog).to_contain_text("it is shown this once")
    return dialog.locator("[data-token]").inner_text().strip()


def test_token_that_was_made_works_until_it_is_revoked(system: System, page: Page) -> None:
    """What is shown once opens the API, as the role that was chosen; after the revocation it opens nothing."""
    token = _make(page, "barn tablet")
    assert _status(system, token) == 200
    assert _status(system, token, "/v1/tokens") == 403
    page.get_by_role("button", name="I have kept it").click()
    row = page.get_by_role("row").filter(has_text="barn tablet").filter(has_text="Good")
    expect(row).to_contain_text("Viewer")
    row.get_by_role("button", name="Revoke").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(page.get_by_role("row").filter(has_text="barn tablet")).to_contain_text("Revoked")
    eventually(lambda: _status(system, token) == 401, within_s=5, what="a token that opens nothing")


def test_token_is_gone_when_its_dialog_is_closed(page: Page) -> None:
    """Nothing on the page holds it any more."""
    token = _make(page, "shown once")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_role("row").filter(has_text="shown once")).to_be_visible()
    assert token not in page.content()


def test_token_for_no_site_is_not_asked_for(page: Page) -> None:
    """The form says what is missing, beside it."""
    page.goto(PATH, wait_until="domcontentloaded")
    page.get_by_role("button", name="Make a token").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Every site").uncheck()
    dialog.get_by_role("button", name="Make a token").click()
    expect(dialog).to_contain_text("Choose at least one site.")
    expect(dialog.get_by_label("Name")).to_have_attribute("aria-invalid", "true")


def test_accounts_are_listed(system: System, page: Page) -> None:
    """Who signs in with a browser, as what, and where."""
    name, _ = system.stack.browser_account()
    page.goto(PATH, wait_until="domcontentloaded")
    row = page.get_by_role("table", name="Accounts").get_by_role("row").filter(has_text=name)
    expect(row).to_contain_text("Administrator")
    expect(row).to_contain_text("Every site")
