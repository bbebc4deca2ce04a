"""The pages of what was, and of who may: no fault of accessibility, and pictures of each for people to look at."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

import pytest
from playwright.sync_api import Page, expect

from tests.browser import DESKTOP, PHONE, screenshot, violations
from tests.system import System

_DEVICE: Final = "/console/sites/arava-1/devices/feeder-1"
#: Name -> where it is, and what is there once it is whole.
_PAGES: Final = {
    "history": (f"{_DEVICE}/history?property=hopper_kg&property=lid_open&span=600", ".chart-host canvas"),
    "settings-history": (f"{_DEVICE}/history/settings", ".table, .table-empty"),
    "feed": ("/console/sites/arava-1/feed", ".bars"),
    "audit": ("/console/audit", ".table"),
    "tokens": ("/console/tokens", ".table"),
    "enrolment": ("/console/enrolment", ".table, .table-empty"),
}
_LOOKS: Final[dict[str, dict[str, Any]]] = {
    "desktop": {"viewport": DESKTOP},
    "desktop-dark": {"viewport": DESKTOP, "color_scheme": "dark"},
    "phone": {"viewport": PHONE},
    "phone-hebrew": {"viewport": PHONE, "locale": "he-IL"},
    "desktop-spanish": {"viewport": DESKTOP, "locale": "es-ES"},
}


@pytest.mark.parametrize("look", _LOOKS)
def test_pages_of_records_are_accessible_and_fit(
    system: System, new_page: Callable[..., Page], sign_in: Callable[[Page], Page], look: str
) -> None:
    """Every page in every look: axe finds nothing, and nothing is wider than the screen."""
    assert system.http.write({"portion_g": system.fresh()}).status == 200
    page = new_page(**_LOOKS[look])
    page.goto("/console/", wait_until="domcontentloaded")
    sign_in(page)
    for name, (path, whole) in _PAGES.items():
        page.goto(path, wait_until="domcontentloaded")
        expect(page.locator(whole).first).to_be_visible()
        expect(page.locator(".skeleton")).to_have_count(0)
        assert (name, violations(page)) == (name, [])
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), name
        screenshot(page, f"{name}-{look}")
    expect(page.locator("html")).to_have_attribute("dir", re.compile("rtl" if "hebrew" in look else "ltr"))
