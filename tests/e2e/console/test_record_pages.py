"""The pages of what was, and of who may: no fault of accessibility, and pictures of each for people to look at."""

from __future__ import annotations

import re
from typing import Final

from playwright.sync_api import Page, expect

from tests.browser import check_look
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


def test_pages_of_records_are_accessible_and_fit(system: System, seen: Page, look: str) -> None:
    """Every page in every look: axe finds nothing, and nothing is wider than the screen."""
    assert system.http.write({"portion_g": system.fresh()}).status == 200
    for name, (path, whole) in _PAGES.items():
        seen.goto(path, wait_until="domcontentloaded")
        expect(seen.locator(whole).first).to_be_visible()
        expect(seen.locator(".skeleton")).to_have_count(0)
        check_look(seen, f"{name}-{look}")
    expect(seen.locator("html")).to_have_attribute("dir", re.compile("rtl" if "hebrew" in look else "ltr"))
