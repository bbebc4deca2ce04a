"""The ledger and one command, as the console shows them."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser import check_look
from tests.system import System


def test_commands_page_shows_a_new_command_by_itself(system: System, page: Page) -> None:
    """On top, with its state, without a reload."""
    page.goto("/console/commands", wait_until="domcontentloaded")
    expect(page.get_by_role("heading", name="Commands")).to_be_visible()
    grams = system.fresh()
    system.http.write({"portion_g": grams})
    row = page.get_by_role("row").nth(1)
    expect(row).to_contain_text(f"portion_g {grams}")
    expect(row).to_contain_text("Applied")


def test_commands_filter_stands_in_the_address_and_keeps_others_out(system: System, page: Page) -> None:
    """Also those that come while it is looked at."""
    page.goto(f"/console/commands?site={system.site}", wait_until="domcontentloaded")
    page.get_by_label("Device").select_option("feeder-2")
    expect(page).to_have_url(f"{system.stack.http_url}/console/commands?site={system.site}&device=feeder-2")
    other, mine = system.fresh(), system.fresh()
    system.http.write({"portion_g": other})
    system.http.write({"portion_g": mine}, device="feeder-2")
    expect(page.get_by_role("row").nth(1)).to_contain_text(f"portion_g {mine}")
    expect(page.get_by_text(f"portion_g {other}")).to_have_count(0)


def test_commands_are_paged_by_cursor(system: System, page: Page) -> None:
    """Older ones come on demand, below, and none twice."""
    for _ in range(60 - min(60, len(system.http.get("/v1/commands?limit=60").body["items"]))):
        system.http.write({"portion_g": system.fresh()})
    page.goto("/console/commands", wait_until="domcontentloaded")
    rows = page.get_by_role("row")
    expect(rows).to_have_count(51)
    page.get_by_role("button", name="Older ones").click()
    expect(rows.nth(51)).to_be_visible()
    ids = page.locator(".commands-what").evaluate_all("links => links.map(each => each.href)")
    assert len(ids) == len(set(ids)) > 50


def test_command_page_tells_every_step_and_by_what_the_end_is_known(system: System, page: Page) -> None:
    """What, by whose clock, and the evidence in words."""
    answer = system.feed(25, wait_s=20)
    page.goto(f"/console/commands/{answer.command}", wait_until="domcontentloaded")
    steps = page.locator(".timeline-step")
    expect(steps).to_have_count(5)
    for step in ("Recorded", "Handed to the broker", "Accepted by the site", "Applied"):
        expect(steps.filter(has_text=step).first).to_be_visible()
    expect(steps.last).to_contain_text(f"by the clock of {system.site}")
    expect(page.get_by_text("mailbox says which command it did").first).to_be_visible()
    expect(page.get_by_text("Counted by the PLC")).to_be_visible()


def test_commands_pages_are_accessible(system: System, seen: Page, look: str) -> None:
    """No violation by axe on either page, and nothing wider than the screen."""
    command = system.http.write({"portion_g": system.fresh()}).command
    for name, path, shown in (
        ("commands", "/console/commands", ".commands-what"),
        ("command", f"/console/commands/{command}", ".timeline-step"),
    ):
        seen.goto(path, wait_until="domcontentloaded")
        expect(seen.locator(shown).first).to_be_visible()
        check_look(seen, f"{name}-{look}")
