"""One action for many devices: looked at, run by holding, followed."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import requests
from playwright.sync_api import Page, expect

from gateway.roles import Role
from tests.browser import check_look, screenshot
from tests.e2e.console.people import enter, hold
from tests.plc_feeder import LID_OPEN
from tests.system import PLACES, System


def _preview(page: Page, grams: int) -> None:
    page.goto("/console/groups/new", wait_until="domcontentloaded")
    page.get_by_role("button", name="Choose all shown").click()
    page.get_by_role("textbox", name="Dose").fill(str(grams))
    page.get_by_role("textbox", name="Stop when").fill("100")
    screenshot(page, "group-new")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("heading", name="What would happen")).to_be_visible()


@pytest.mark.invariant("I1")
def test_group_is_previewed_and_run_by_holding(system: System, page: Page) -> None:
    """The preview adds up and does nothing; the run doses each feeder once."""
    before = {device: len(system.doses(device)) for device in PLACES}
    _preview(page, 15)
    expect(page.locator(".results")).to_contain_text("60\u00a0g")
    expect(page.get_by_text("Would pass")).to_have_count(5)
    assert {device: len(system.doses(device)) for device in PLACES} == before
    screenshot(page, "group-preview")
    hold(page.get_by_role("button", name="Run for"), page.get_by_role("meter"))
    expect(page.get_by_text("4 of 4 done")).to_be_visible(timeout=30_000)
    expect(page.get_by_role("cell").get_by_text("Applied")).to_have_count(4)
    assert {device: len(system.doses(device)) for device in PLACES} == {each: n + 1 for each, n in before.items()}
    screenshot(page, "group-done")


def test_group_preview_tells_who_is_refused_and_why(system: System, page: Page) -> None:
    """An open lid is told before anything runs."""
    system.plc.set(LID_OPEN, 1)
    try:
        _preview(page, 15)
        row = page.get_by_role("row").filter(has_text="feeder-1")
        expect(row).to_contain_text("Would be refused")
        expect(row).to_contain_text("The lid is open")
    finally:
        system.plc.set(LID_OPEN, 0)


def test_group_token_is_needed_by_whoever_did_not_preview(
    system: System, page: Page, new_page: Callable[..., Page]
) -> None:
    """Somebody else finds the group in the list, and is asked for the token that was handed over."""
    _preview(page, 15)
    address = page.url
    other = new_page()
    enter(system, other, Role.ENGINEER)
    other.goto("/console/groups", wait_until="domcontentloaded")
    other.locator(f'a[href="{address.removeprefix(system.stack.http_url)}"]').click()
    expect(other.get_by_label("Token of the preview")).to_be_visible()
    expect(other.get_by_role("button", name="Run for")).to_be_disabled()


def test_groups_are_for_engineers(system: System, new_page: Callable[..., Page]) -> None:
    """An operator's navigation has no such place."""
    page = new_page()
    enter(system, page, Role.OPERATOR)
    expect(page.get_by_role("link", name="Groups")).to_have_count(0)
    page.goto("/console/groups", wait_until="domcontentloaded")
    expect(page.get_by_role("heading", name="Your role does not cover this page")).to_be_visible()


def test_groups_pages_are_accessible(system: System, seen: Page, look: str) -> None:
    """No violation by axe on the three pages, and nothing wider than the screen."""
    body = {"targets": [{"site": system.site, "device": "feeder-1"}], "write": {"portion_g": 100}}
    headers = {"Authorization": f"Bearer {system.stack.token}"}
    answer = requests.post(f"{system.stack.http_url}/v1/groups", json=body, headers=headers, timeout=30)
    group = answer.json()["id"]
    for name, path in (
        ("group", f"/console/groups/{group}"),
        ("groups", "/console/groups"),
        ("group-new", "/console/groups/new"),
    ):
        seen.goto(path, wait_until="domcontentloaded")
        expect(seen.locator(".table, .choice").first).to_be_visible()
        check_look(seen, f"{name}-{look}")
