"""Alarms: raised, heard, taken note of by one person, and seen so by the others."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from gateway.accounts import Accounts
from gateway.database import upgraded
from gateway.roles import Role
from gateway.settings import DatabaseSettings
from tests.browser import check_look, screenshot, violations
from tests.conditions import eventually
from tests.system import System

#: The word of feeder-1's alarms, and the bit that says that its auger is jammed.
ALARMS, JAM = 17, 1
VIEWER, PASSWORD = "walter", "only looks at it all"
#: Counts the notes that a page plays.
LISTEN = """
window.notes = 0
const start = OscillatorNode.prototype.start
OscillatorNode.prototype.start = function (...when) { window.notes += 1; return start.apply(this, when) }
"""


@pytest.fixture
def jammed(system: System) -> Iterator[None]:
    """The auger of feeder-1 does not turn; afterwards it does."""
    system.plc.set(ALARMS, JAM)
    yield
    system.plc.set(ALARMS, 0)


def _open(page: Page) -> Page:
    page.get_by_role("navigation").get_by_role("link", name="Alarms").click()
    expect(page.get_by_role("heading", level=1, name="Alarms")).to_be_visible()
    return page


def _jam(page: Page) -> Locator:
    return page.locator(".alarm").filter(has_text="The auger is jammed")


def _acknowledge(page: Page, note: str) -> None:
    _jam(page).get_by_role("button", name=re.compile("^Acknowledge: The auger is jammed, feeder-1 at")).click()
    page.get_by_role("dialog").get_by_label("Note").fill(note)
    page.get_by_role("dialog").get_by_role("button", name="Acknowledge").click()
    expect(page.get_by_role("dialog")).to_have_count(0)


def _heard(page: Page) -> None:
    eventually(lambda: page.evaluate("window.notes") == 4, within_s=30, what="the four notes of an alarm")


def _clear(system: System, page: Page) -> None:
    system.plc.set(ALARMS, 0)
    expect(_jam(page)).to_have_count(0, timeout=30_000)


def test_alarm_that_is_raised_appears_without_a_reload_and_goes_when_it_is_over(system: System, page: Page) -> None:
    """With its place, on the page, in the title, at the bell, and read out; afterwards among those that were."""
    _open(page)
    expect(page.get_by_text("No alarm is active").first).to_be_visible()
    system.plc.set(ALARMS, JAM)
    expect(_jam(page)).to_be_visible(timeout=30_000)
    expect(_jam(page)).to_contain_text(system.site)
    expect(page).to_have_title("(1) Alarms · Tidegate")
    expect(page.get_by_role("banner").get_by_role("status")).to_have_text(
        f"Critical alarm: The auger is jammed, feeder-1 at {system.site}"
    )
    bell = page.get_by_role("banner").get_by_role("link", name="Alarms: 1 active alarm, 1 not acknowledged")
    expect(bell).to_be_visible()
    screenshot(page, "alarms-raised")
    _clear(system, page)
    expect(page).to_have_title("Alarms · Tidegate")
    expect(page.get_by_role("row").nth(1)).to_contain_text("Cleared")


@pytest.mark.usefixtures("jammed")
def test_alarm_acknowledged_in_one_browser_is_so_in_another(
    system: System, page: Page, new_page: Callable[..., Page], sign_in: Callable[[Page], Page]
) -> None:
    """Who, and with which words; the badges of both count it no more, and it is active still."""
    other = new_page()
    other.goto("/console/alarms", wait_until="domcontentloaded")
    sign_in(other)
    expect(_jam(other)).to_be_visible(timeout=30_000)
    expect(other).to_have_title("(1) Alarms · Tidegate")
    expect(_jam(_open(page))).to_be_visible(timeout=30_000)
    _acknowledge(page, "Dana drives there")
    for each in (page, other):
        expect(_jam(each)).to_contain_text("Acknowledged by dana")
        expect(_jam(each)).to_contain_text("Dana drives there")
        expect(each).to_have_title("Alarms · Tidegate")
        bell = each.get_by_role("banner").get_by_role("link", name="Alarms: 1 active alarm, all acknowledged")
        expect(bell).to_be_visible()
    screenshot(other, "alarms-acknowledged")
    _clear(system, other)


@pytest.mark.usefixtures("jammed")
def test_acknowledging_without_a_note_asks_for_one_and_escape_goes_back(system: System, page: Page) -> None:
    """By the keyboard alone; nothing is sent, and the focus is where it was."""
    expect(_jam(_open(page))).to_be_visible(timeout=30_000)
    button = _jam(page).get_by_role("button")
    button.press("Enter")
    note = page.get_by_role("dialog").get_by_label("Note")
    expect(note).to_be_focused()
    note.press("Enter")
    expect(note).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_text("Write a note.")).to_be_visible()
    screenshot(page, "alarms-dialog")
    assert violations(page) == []
    page.keyboard.press("Escape")
    expect(button).to_be_focused()
    _clear(system, page)


@pytest.mark.usefixtures("jammed")
def test_alarm_of_another_site_is_not_shown_where_one_is_chosen(system: System, page: Page) -> None:
    """The address holds the choice, so that it can be sent to somebody."""
    page.goto("/console/alarms?site=elsewhere", wait_until="domcontentloaded")
    expect(page.get_by_text("No alarm is active at elsewhere")).to_be_visible()
    page.get_by_label("Site", exact=True).select_option(system.site)
    expect(_jam(page)).to_be_visible(timeout=30_000)
    expect(page).to_have_url(re.compile(rf"\?site={system.site}$"))
    _clear(system, page)


def test_alarm_is_heard_only_where_sound_was_turned_on(system: System, page: Page) -> None:
    """Off at first; on it plays once to be known, at each critical alarm, and after a reload and a press still."""
    page.add_init_script(LISTEN)
    page.reload(wait_until="domcontentloaded")
    _open(page)
    switch = page.get_by_role("switch", name="Sound for critical alarms")
    expect(switch).to_have_attribute("aria-checked", "false")
    system.plc.set(ALARMS, JAM)
    expect(_jam(page)).to_be_visible(timeout=30_000)
    assert page.evaluate("window.notes") == 0
    _clear(system, page)
    switch.click()
    _heard(page)
    page.reload(wait_until="domcontentloaded")
    expect(switch).to_have_attribute("aria-checked", "true")
    expect(page.get_by_text("The browser plays no sound on this page until you press")).to_be_visible()
    page.get_by_role("heading", level=1).click()
    expect(page.get_by_text("The browser plays no sound")).to_have_count(0)
    system.plc.set(ALARMS, JAM)
    _heard(page)
    _clear(system, page)


@pytest.mark.usefixtures("jammed")
def test_alarm_is_told_and_acknowledged_on_its_sites_page_too(system: System, page: Page) -> None:
    """On the sites' page as what the site needs, on the site's among its alarms and at the device."""
    row = page.get_by_role("main").get_by_role("listitem").filter(has=page.get_by_role("link", name=system.site))
    expect(row).to_contain_text("1 critical alarm", timeout=30_000)
    row.get_by_role("link", name=system.site).click()
    expect(_jam(page)).to_be_visible()
    _acknowledge(page, "seen at the site")
    expect(_jam(page)).to_contain_text("seen at the site")
    page.get_by_role("banner").get_by_role("link", name="Tidegate").click()
    expect(row).to_contain_text("1 critical, taken note of")
    system.plc.set(ALARMS, 0)
    expect(row).not_to_contain_text("critical", timeout=30_000)


@pytest.mark.usefixtures("jammed")
def test_viewer_sees_an_alarm_and_cannot_acknowledge_it(system: System, new_page: Callable[..., Page]) -> None:
    """Whose role does not cover it is not offered it."""
    with upgraded(DatabaseSettings(home=system.stack.plan.home).database_url) as engine:
        Accounts(engine).add(VIEWER, PASSWORD, Role.VIEWER, None)
    page = new_page()
    page.goto("/console/alarms", wait_until="domcontentloaded")
    page.get_by_label("User name").fill(VIEWER)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(_jam(page)).to_contain_text("Nobody has taken note of it yet", timeout=30_000)
    expect(_jam(page).get_by_role("button")).to_have_count(0)
    _clear(system, page)


@pytest.mark.usefixtures("jammed")
def test_alarms_page_is_accessible(seen: Page, look: str) -> None:
    """Axe finds nothing, and nothing is wider than the screen."""
    seen.goto("/console/alarms", wait_until="domcontentloaded")
    expect(_jam(seen)).to_be_visible(timeout=30_000)
    expect(seen.get_by_role("row").first).to_be_attached()
    check_look(seen, f"alarms-{look}")
