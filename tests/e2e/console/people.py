"""Who signs in at the console besides the administrator, how they hold a button, and what they read."""

from __future__ import annotations

import secrets

from playwright.sync_api import Locator, Page, expect

from gateway.accounts import Accounts
from gateway.database import upgraded
from gateway.roles import Role
from gateway.settings import DatabaseSettings
from tests.system import System


def enter(system: System, page: Page, role: Role) -> str:
    """Let a new person with this role sign in at a page that was never used; their name."""
    name, password = f"{role.value}-{secrets.token_hex(3)}", secrets.token_urlsafe(12)
    with upgraded(DatabaseSettings(home=system.stack.plan.home).database_url) as engine:
        assert Accounts(engine).add(name, password, role, None)
    page.goto("/console/", wait_until="domcontentloaded")
    fields = page.locator("form input")
    fields.nth(0).fill(name)
    fields.nth(1).fill(password)
    fields.nth(1).press("Enter")
    expect(page.locator(".top")).to_be_visible()
    return name


def hold(button: Locator, until: Locator) -> None:
    """Keep a button pressed until something has come of it."""
    button.scroll_into_view_if_needed()
    button.hover()
    button.page.mouse.down()
    expect(until).to_be_visible()
    button.page.mouse.up()


def amount(grams: int) -> str:
    """Grams as a page shows a value of a device: kept together, and in their own direction."""
    return f"\u2068{grams}\u00a0g\u2069"
