"""The first page: which sites are there, which are silent, and since when."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect

from gateway.demo.roles import AGENT, FACADE, REDIS
from tests.browser import Errors, check_look, screenshot
from tests.system import System


def _card(page: Page, system: System) -> Locator:
    return page.get_by_role("listitem").filter(has=page.get_by_role("link", name=system.site))


def test_sites_page_shows_a_site_that_is_online(system: System, page: Page) -> None:
    """With the age of its last sign of life."""
    card = _card(page, system)
    expect(card).to_contain_text("Online")
    expect(card).to_contain_text(re.compile(r"Heard (just now|\d+ seconds? ago)"))


def test_sites_page_tells_a_killed_agent_as_silent_and_counts_on(system: System, page: Page) -> None:
    """Without a reload; the age grows by itself, and it is online again when it is back."""
    card = _card(page, system)
    expect(card).to_contain_text("Online")
    system.stack.kill(AGENT)
    expect(card).to_contain_text(re.compile(r"Silent since \d\d:\d\d:\d\d"), timeout=30_000)
    screenshot(page, "sites-silent")
    expect(card).to_contain_text(re.compile(r"\b1\d seconds ago"), timeout=30_000)
    system.heal()
    expect(card).to_contain_text("Online", timeout=30_000)


def test_sites_page_without_redis_says_that_nobody_can_tell(system: System, page: Page) -> None:
    """Unknown is a state of its own: neither online nor silent."""
    card = _card(page, system)
    expect(card).to_contain_text("Online")
    system.stack.kill(REDIS)
    expect(card).to_contain_text("Unknown", timeout=30_000)
    expect(card).not_to_contain_text("Silent")


def test_sites_page_names_a_lost_plc(system: System, page: Page) -> None:
    """The site is there, a part of it is not."""
    card = _card(page, system)
    expect(card).to_contain_text("Online")
    system.plc_wires[1].cut(refuse=True)
    expect(card).to_contain_text("PLC lost: plc-2", timeout=30_000)
    system.heal()
    expect(card).not_to_contain_text("PLC lost", timeout=30_000)


def test_sites_page_searched_by_name_shows_those_alone(system: System, page: Page) -> None:
    """A part of the name is enough; that there is none is said, and read out."""
    search = page.get_by_role("main").get_by_role("searchbox", name="Search by name")
    search.fill(system.site[2:5].upper())
    expect(_card(page, system)).to_be_visible()
    search.fill("no-such-site")
    expect(_card(page, system)).to_have_count(0)
    expect(page.get_by_text("No site has “no-such-site” in its name")).to_be_visible()
    expect(page.get_by_text("0 sites shown")).to_have_count(1)


def test_sites_page_filtered_shows_those_that_need_somebody(system: System, page: Page) -> None:
    """Of sites that are well there is nothing to show; a silent one is there as soon as it is silent."""
    expect(_card(page, system)).to_contain_text("Online")
    page.get_by_text("Need somebody (0)").click()
    expect(page.get_by_text("No site needs anybody now")).to_be_visible()
    system.stack.kill(AGENT)
    expect(_card(page, system)).to_contain_text("Silent", timeout=30_000)


def test_console_without_its_server_says_that_nothing_is_live(system: System, page: Page, errors: Errors) -> None:
    """A banner says so and since when, and it goes when the line stands again."""
    errors.expect_no_server()
    expect(_card(page, system)).to_contain_text("Online")
    expect(page.locator(".line-live")).to_be_visible()
    system.stack.kill(FACADE)
    expect(page.get_by_role("main").get_by_text("Not live: connection lost")).to_be_visible(timeout=30_000)
    expect(page.get_by_text("Last heard")).to_be_visible()
    expect(_card(page, system)).to_contain_text("Not known now; last known at", timeout=60_000)
    expect(page.locator(".tiles")).to_contain_text("1 unknown")
    screenshot(page, "sites-not-live")
    system.heal()
    expect(page.locator(".line-live")).to_be_visible(timeout=60_000)
    expect(page.get_by_text("Last heard")).to_have_count(0)


def test_console_without_a_network_opens_and_says_so(system: System, page: Page, errors: Errors) -> None:
    """The shell is kept, answers are not: nothing of the site is shown."""
    errors.expect_no_server()
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    page.context.set_offline(True)
    page.reload(wait_until="domcontentloaded")
    expect(page.get_by_text("You are offline; nothing shown here is live")).to_be_visible()
    expect(page.get_by_text(system.site)).to_have_count(0)
    page.context.set_offline(False)
    page.get_by_role("button", name="Try again").click()
    expect(_card(page, system)).to_contain_text("Online")


def test_language_switch_to_hebrew_turns_the_page_round(page: Page) -> None:
    """Words, direction and language of the document, and they are remembered."""
    page.get_by_role("button", name="Account").click()
    page.get_by_label("Language").select_option("he")
    html = page.locator("html")
    expect(html).to_have_attribute("dir", "rtl")
    expect(html).to_have_attribute("lang", "he")
    expect(page.get_by_role("heading", level=1)).to_have_text("אתרים")
    page.reload(wait_until="domcontentloaded")
    expect(page.get_by_role("heading", level=1)).to_have_text("אתרים")
    expect(html).to_have_attribute("dir", "rtl")


def test_navigation_moves_the_focus_to_the_heading_and_names_the_page(page: Page) -> None:
    """Whoever does not see the page hears where they are."""
    page.get_by_role("navigation").get_by_role("link", name="Alarms").click()
    expect(page.get_by_role("heading", level=1, name="Alarms")).to_be_focused()
    expect(page).to_have_title("Alarms · Tidegate")


def test_search_leads_to_a_site(system: System, page: Page) -> None:
    """The beginning of its name and Enter are enough."""
    expect(_card(page, system)).to_be_visible()
    box = page.get_by_role("banner").get_by_role("combobox", name="Go to a site")
    box.fill(system.site[:4])
    box.press("Enter")
    expect(page.get_by_role("heading", level=1, name=system.site)).to_be_visible()


def test_sites_page_is_accessible(system: System, seen: Page, look: str) -> None:
    """Axe finds nothing, and nothing is wider than the screen."""
    expect(_card(seen, system)).to_be_visible()
    check_look(seen, f"sites-{look}")
