"""The audit in a browser: found by what was asked, with the values before and after."""

from __future__ import annotations

import csv
import re

from playwright.sync_api import Page, expect

from tests.conditions import eventually
from tests.system import System

PATH = "/console/audit"


def test_audit_is_filtered_by_kind(system: System, page: Page) -> None:
    """Only what was refused, with why."""
    assert system.http.write({"portion_g": 99_999}).status == 422
    page.goto(PATH, wait_until="domcontentloaded")
    page.get_by_label("Kind").select_option("refused")
    expect(page).to_have_url(re.compile("kind=refused"))
    rows = page.get_by_role("row").filter(has_text="write")
    expect(rows.first).to_contain_text("above the maximum")
    expect(page.get_by_role("table").get_by_text("Asked", exact=True)).to_have_count(0)


def test_audit_of_nobody_is_empty(system: System, page: Page) -> None:
    """A name finds what was asked in it, and no more; all comes back by one press."""
    assert system.http.write({"portion_g": system.fresh()}).status == 200
    page.goto(PATH, wait_until="domcontentloaded")
    page.get_by_label("Person or program").fill("nobody")
    page.get_by_role("button", name="Find").click()
    expect(page.get_by_text("There is no such row.")).to_be_visible()
    page.get_by_role("button", name="Show all").click()
    expect(page.get_by_role("row").nth(1)).to_be_visible()


def test_audit_shows_a_setting_before_and_after(system: System, page: Page) -> None:
    """Of the wish: what the PLC was last read to hold, and what it should."""
    before, after = system.fresh(), system.fresh()
    assert system.http.write({"portion_g": before}).status == 200
    device = f"/v1/sites/{system.site}/devices/feeder-1"
    eventually(lambda: system.http.get(device).body["settings"]["portion_g"] == before, what="the reported value")
    assert system.http.write({"portion_g": after}).status == 200
    page.goto(f"{PATH}?kind=asked", wait_until="domcontentloaded")
    expect(page.get_by_role("row").nth(1)).to_contain_text(f"portion_g: {before} → {after}")


def test_audit_file_has_the_rows_that_fit(system: System, page: Page) -> None:
    """The link asks for what the filters say."""
    assert system.http.write({"portion_g": 99_999}).status == 422
    page.goto(f"{PATH}?kind=refused&site=arava-1", wait_until="domcontentloaded")
    expect(page.get_by_role("row").nth(1)).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="All that fits (CSV)").click()
    rows = list(csv.DictReader(download.value.path().read_text().splitlines()))
    assert {row["kind"] for row in rows} == {"refused"}
