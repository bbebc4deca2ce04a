"""A site is let in from the browser: a code, as text and as a QR code, and then the site is seen coming online."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import Errors, screenshot
from tests.qr_reading import text_of
from tests.secure_centre import HOST, SITE, SecureCentre

QUIET = 4


@pytest.fixture
def centre(tmp_path: Path, redis_url: str) -> Iterator[SecureCentre]:
    """A centre with an authority, that knows no site yet."""
    with SecureCentre(tmp_path, redis_url) as running:
        yield running


@pytest.fixture
def admin(centre: SecureCentre, browser: Browser, errors: Errors) -> Iterator[Page]:
    """An administrator's browser at it."""
    password = centre.run("account", "add", "dana", "--role", "admin", "--all-sites").splitlines()[0].strip()
    context = browser.new_context(base_url=f"https://{HOST}:{centre.http}", ignore_https_errors=True, locale="en-GB")
    page = context.new_page()
    errors.watch(page)
    errors.expect("service worker|ServiceWorker|SSL certificate")  # which no browser takes from an authority of ours
    page.goto("/console/enrolment", wait_until="domcontentloaded")
    fields = page.locator("form input")
    fields.nth(0).fill("dana")
    fields.nth(1).fill(password)
    fields.nth(1).press("Enter")
    expect(page.get_by_role("heading", name="Enrolment")).to_be_visible()
    yield page
    context.close()
    assert errors.unexpected == []


def _code(page: Page) -> str:
    page.get_by_role("textbox", name="Site").fill(SITE)
    page.get_by_role("button", name="Make a code").click()
    return page.locator("[data-code]").inner_text().strip()


def _matrix(page: Page) -> list[list[bool]]:
    """Which modules are dark, as they are drawn."""
    drawn = page.locator(".matrix")
    size = int((drawn.get_attribute("viewBox") or "").split()[2]) - 2 * QUIET
    path = drawn.locator(".matrix-dark").get_attribute("d") or ""
    dark = {(int(y) - QUIET, int(x) - QUIET) for x, y in re.findall(r"M(\d+) (\d+)h1v1h-1z", path)}
    return [[(y, x) in dark for x in range(size)] for y in range(size)]


def test_site_enrols_with_the_code_of_the_page_and_is_seen_online(centre: SecureCentre, admin: Page) -> None:
    """From the name to the site that is there, without a reload."""
    code = _code(admin)
    expect(admin.locator(".card-head").first).to_contain_text("left")
    expect(admin.get_by_text("Waiting for the PC to bring the code")).to_be_visible()
    expect(admin.locator(".matrix")).to_be_visible()
    screenshot(admin, "enrolment-code")
    centre.run("agent", "enrol", code, "--folder", str(centre.pc))
    expect(admin.get_by_text("The PC brought the code and has its certificate")).to_be_visible()
    expect(admin.locator("[data-code]")).to_have_count(0)
    expect(admin.get_by_role("table", name="Registered sites")).to_contain_text(re.compile("(89|90) days left"))
    centre.agent.start()
    expect(admin.get_by_text("The site is online")).to_be_visible(timeout=30_000)
    screenshot(admin, "enrolment-online")


def test_qr_code_holds_the_code(admin: Page) -> None:
    """Read module by module, it is the text that stands beside it."""
    code = _code(admin)
    expect(admin.locator(".matrix")).to_be_visible()
    assert text_of(_matrix(admin)) == code


def test_name_that_no_site_can_have_is_not_asked_for(admin: Page) -> None:
    """The field says what a name is made of."""
    admin.get_by_role("textbox", name="Site").fill("Arava 1")
    admin.get_by_role("button", name="Make a code").click()
    expect(admin.get_by_text("Lower-case letters, digits and inner dashes")).to_be_visible()
    expect(admin.get_by_role("table", name="Registered sites")).to_have_count(0)


def test_closed_enrolment_says_how_to_open_it(page: Page, errors: Errors) -> None:
    """A centre without an authority names the commands that make one."""
    errors.expect("503")
    page.goto("/console/enrolment", wait_until="domcontentloaded")
    page.get_by_role("textbox", name="Site").fill("negev-2")
    page.get_by_role("button", name="Make a code").click()
    expect(page.get_by_text("Enrolment is not set up on this server.")).to_be_visible()
    expect(page.get_by_text("tidegate ca create")).to_be_visible()
