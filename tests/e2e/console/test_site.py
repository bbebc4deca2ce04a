"""One site: whether it may be written to, and how far the values of its devices can be trusted."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from gateway.demo.roles import AGENT, REDIS
from tests.browser import Errors, check_look, screenshot
from tests.system import PORTION, System

#: A gate that shuts after three seconds, and two of the page's own readings.
SHUT_MS = 15_000


@pytest.fixture
def at_site(system: System, page: Page) -> Page:
    """The page of the system's site."""
    page.get_by_role("main").get_by_role("link", name=system.site).click()
    expect(page.get_by_role("heading", level=1, name=system.site)).to_be_visible()
    return page


def _device(page: Page, title: str = "Feeder 1") -> Locator:
    return page.locator(".devices > li").filter(has=page.get_by_role("link", name=title, exact=True))


def test_site_page_says_that_the_gate_is_open_and_when_it_closes(at_site: Page) -> None:
    """The age of the last heartbeat, and how long it keeps the gate open."""
    gate = at_site.locator(".gate")
    expect(gate).to_contain_text(re.compile(r"Open: last heartbeat .+, closes in [1-3] sec if nothing comes"))
    expect(gate).to_contain_text("plc-1: answers")
    expect(gate).to_contain_text("Commands may pass")


def test_site_page_says_that_a_killed_agent_is_silent_and_counts_on(system: System, at_site: Page) -> None:
    """For how long, and that writes are refused; its devices' values are not those of now, and say so."""
    gate = at_site.locator(".gate")
    expect(_device(at_site)).to_contain_text("Values good")
    system.stack.kill(AGENT)
    expect(gate).to_contain_text(re.compile(r"Agent silent for \d+ sec: writes are refused"), timeout=SHUT_MS)
    expect(_device(at_site)).to_contain_text("Values stale")
    expect(_device(at_site)).to_contain_text("The site is silent; these are its last values.")
    expect(gate).to_contain_text(re.compile(r"silent for 1\d sec"), timeout=30_000)
    screenshot(at_site, "site-silent")
    system.heal()
    expect(gate).to_contain_text("Open: last heartbeat", timeout=30_000)


def test_site_page_of_a_frozen_agent_says_so_within_the_gates_time(system: System, at_site: Page) -> None:
    """No will is sent for it: only the beat that does not come tells."""
    gate = at_site.locator(".gate")
    expect(gate).to_contain_text("Open: last heartbeat")
    system.stack.freeze(AGENT)
    expect(gate).to_contain_text("writes are refused", timeout=SHUT_MS)


def test_site_page_without_redis_says_that_nobody_can_tell(system: System, at_site: Page) -> None:
    """And that writes are refused meanwhile, and the cause."""
    gate = at_site.locator(".gate")
    system.stack.kill(REDIS)
    expect(gate).to_contain_text("Nobody can tell: Redis does not answer", timeout=SHUT_MS)
    expect(gate).to_contain_text("Writes are refused until somebody can tell")
    expect(gate).to_contain_text("redis")


def test_site_page_shows_a_lost_plc_and_its_devices_values_as_stale(system: System, at_site: Page) -> None:
    """Those of the other PLC are good still."""
    expect(_device(at_site)).to_contain_text("Values good")
    system.plc_wires[0].cut(refuse=True)
    expect(at_site.locator(".gate")).to_contain_text("plc-1: lost", timeout=30_000)
    expect(_device(at_site)).not_to_contain_text("Values good", timeout=30_000)
    expect(_device(at_site).locator(".device-cause")).to_be_visible()
    expect(_device(at_site, "Feeder 3")).to_contain_text("Values good")
    screenshot(at_site, "site-plc-lost")


def test_site_page_shows_a_setting_that_drifts(system: System, at_site: Page) -> None:
    """Somebody turned at the panel what was written from here: both values are told."""
    grams = system.fresh()
    assert system.http.write({"portion_g": grams}).code == "applied"
    expect(_device(at_site)).to_contain_text(re.compile(rf"Portion\W*{grams}\W*g"))
    system.plc.set(PORTION, grams + 5)
    drift = re.compile(rf"Portion: \W*{grams + 5}\W*g\W*, asked for \W*{grams}\W*g")
    expect(_device(at_site)).to_contain_text(drift, timeout=30_000)


def test_site_page_leads_to_its_devices_their_history_and_its_commands(system: System, at_site: Page) -> None:
    """One press away."""
    main = at_site.get_by_role("main")
    device = f"/console/sites/{system.site}/devices/feeder-1"
    expect(_device(at_site).get_by_role("link", name="Open device")).to_have_attribute("href", device)
    expect(_device(at_site).get_by_role("link", name="History")).to_have_attribute("href", f"{device}/history")
    commands = main.get_by_role("link", name="Commands")
    expect(commands).to_have_attribute("href", f"/console/commands?site={system.site}")


def test_site_page_of_no_site_says_so(page: Page, errors: Errors) -> None:
    """A mistyped address is no empty site."""
    errors.expect("404")
    page.goto("/console/sites/no-such-site", wait_until="domcontentloaded")
    expect(page.get_by_text("There is no such site, or it is not one of yours.")).to_be_visible()


def test_site_page_is_accessible(system: System, seen: Page, look: str) -> None:
    """Axe finds nothing, and nothing is wider than the screen."""
    seen.goto(f"/console/sites/{system.site}", wait_until="domcontentloaded")
    expect(_device(seen)).to_be_visible()
    expect(seen.locator(".uptime")).to_be_visible()
    check_look(seen, f"site-{look}")
