"""Feeding from the console: by holding, once, and with what the PLC counted."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, Route, expect

from gateway.demo.roles import AGENT
from tests.browser import Errors, screenshot
from tests.conditions import eventually
from tests.e2e.console.people import hold
from tests.plc_feeder import LID_OPEN
from tests.system import System


def _open(page: Page, system: System) -> Page:
    page.goto(f"/console/sites/{system.site}/devices/feeder-1", wait_until="domcontentloaded")
    expect(page.get_by_role("heading", name="Feed now")).to_be_visible()
    return page


def _feed(page: Page, grams: int) -> None:
    page.get_by_role("textbox", name="Dose").fill(str(grams))
    hold(page.get_by_role("button", name=f"Feed now: \u2068{grams}"), page.locator(".outcome").first)


@pytest.mark.invariant("I1")
@pytest.mark.invariant("I3")
def test_feed_by_holding_shows_what_the_plc_counted(system: System, page: Page) -> None:
    """Asked and counted grams, from one turn of the auger."""
    before = len(system.doses())
    _feed(_open(page, system), 45)
    told = page.locator(".outcome-applied")
    expect(told).to_contain_text("Counted by the PLC")
    expect(told.get_by_text("45\u00a0g")).to_have_count(2)
    assert len(system.doses()) == before + 1
    screenshot(page, "feed-done")


def test_feed_pressed_but_not_held_does_nothing(system: System, page: Page) -> None:
    """A slip of the finger feeds nobody."""
    before = len(system.doses())
    _open(page, system).get_by_role("textbox", name="Dose").fill("45")
    page.get_by_role("button", name="Feed now: \u206845").click()
    expect(page.locator(".outcome")).to_have_count(0)
    assert len(system.doses()) == before


@pytest.mark.invariant("I1")
def test_feed_over_a_broken_connection_sends_the_same_key_again(system: System, page: Page, errors: Errors) -> None:
    """The first answer is lost on its way back: the wish keeps its name, and the auger turns once."""
    errors.expect("ERR_|Failed to load")
    before, keys = len(system.doses()), list[str | None]()

    def lose_the_first(route: Route) -> None:
        keys.append(route.request.headers.get("idempotency-key"))
        if len(keys) == 1:
            route.fetch()
            route.abort()
        else:
            route.continue_()

    _open(page, system)
    page.route("**/actions/feed", lose_the_first)
    _feed(page, 55)
    expect(page.locator(".outcome-applied")).to_contain_text("Counted by the PLC")
    assert len(keys) == 2
    assert len(set(keys)) == 1
    assert len(system.doses()) == before + 1


@pytest.mark.invariant("I7")
def test_feed_of_which_nobody_knows_forbids_another(system: System, page: Page) -> None:
    """After `unknown` no dose can be asked for until there is evidence, and the page says so."""
    _open(page, system)
    page.get_by_role("textbox", name="Dose").fill("65")
    before = len(system.doses())
    system.stack.freeze(AGENT)
    hold(page.get_by_role("button", name="Feed now: \u206865"), page.locator(".outcome").first)
    expect(page.locator(".outcome-unknown")).to_contain_text("it could happen twice", timeout=60_000)
    expect(page.get_by_text("Held: nobody knows yet")).to_be_visible()
    expect(page.get_by_role("button", name="Feed now")).to_be_disabled()
    screenshot(page, "feed-unknown")
    system.stack.thaw(AGENT)
    expect(page.get_by_text("Held: nobody knows yet")).to_have_count(0, timeout=60_000)
    expect(page.get_by_role("button", name="Feed now")).to_be_enabled(timeout=30_000)
    eventually(lambda: len(system.doses()) <= before + 1, within_s=1, what="one dose at most")


def test_feed_with_an_open_lid_tells_the_interlock_and_what_it_reads(
    system: System, page: Page, errors: Errors
) -> None:
    """The site refuses; the page shows which condition, and its live value."""
    errors.expect("409")
    system.plc.set(LID_OPEN, 1)
    try:
        _open(page, system)
        expect(page.locator(".dose-forbids")).to_contain_text("The lid is open")
        _feed(page, 35)
        told = page.locator(".outcome-rejected")
        expect(told).to_contain_text("An interlock of the site forbids it")
        expect(told).to_contain_text("The lid is open")
        screenshot(page, "feed-interlocked")
    finally:
        system.plc.set(LID_OPEN, 0)


def test_feed_more_than_the_largest_dose_cannot_be_asked_for(system: System, page: Page) -> None:
    """The limit is told at the field."""
    _open(page, system).get_by_role("textbox", name="Dose").fill("505")
    expect(page.get_by_text("The most is \u2068500\u00a0g\u2069.")).to_be_visible()
    expect(page.get_by_role("button", name="Feed now")).to_be_disabled()
