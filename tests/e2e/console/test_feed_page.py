"""Feed against plan, day by day: what nobody knows is unknown, in the bars, in the table and in the file."""

from __future__ import annotations

import csv
from typing import Any

from playwright.sync_api import Page, expect

from tests.system import System

PATH = "/console/sites/arava-1/feed"


def _days(system: System) -> list[dict[str, Any]]:
    days: list[dict[str, Any]] = system.http.get(f"/v1/sites/{system.site}/feed-totals").body["days"]
    return days


def test_feed_page_draws_known_days_and_marks_unknown_ones(system: System, page: Page) -> None:
    """A week: a bar where the counter was read, a question mark where it was not, the plan around it."""
    assert system.feed(40).status == 200
    days = _days(system)
    unknown = sum(day["total"]["fed_g"] is None for day in days)
    planned = sum((day["total"]["planned_g"] or 0) > 0 for day in days)
    page.goto(PATH, wait_until="domcontentloaded")
    expect(page.locator(".bars")).to_be_visible()
    expect(page.locator(".bars .bars-unknown")).to_have_count(unknown)
    expect(page.locator(".bars .bar-plan")).to_have_count(planned)
    expect(page.locator(".bars .bar-doses")).to_have_count(1 if days[-1]["total"]["fed_g"] else 0)
    assert unknown >= 6


def test_feed_table_says_unknown_and_never_nothing(system: System, page: Page) -> None:
    """A day on which nobody read a counter has no 0 g as what fell."""
    day = _days(system)[0]
    assert day["total"]["fed_g"] is None
    page.goto(PATH, wait_until="domcontentloaded")
    rows = page.get_by_role("table", name="Grams fed per day").get_by_role("row")
    expect(rows).to_have_count(8)
    expect(rows.last.locator("[data-head=Fed]")).to_have_text("unknown")
    expect(rows.last.locator("[data-head=Asked]")).to_contain_text("0")


def test_feed_file_is_what_the_facade_says(system: System, page: Page) -> None:
    """Nothing stands where nothing is known."""
    page.goto(PATH, wait_until="domcontentloaded")
    page.get_by_label("Feeder").select_option("feeder-1")
    expect(page.get_by_role("heading", name="Per day: feeder-1")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Days (CSV)").click()
    rows = list(csv.DictReader(download.value.path().read_text().splitlines()))
    days = _days(system)
    assert [row["date"] for row in rows] == [day["date"] for day in days]
    assert [row["fed_g"] for row in rows[:-1]] == [""] * 6
    assert {row["device"] for row in rows} == {"feeder-1"}
    of_feeder = next(each for each in days[-1]["devices"] if each["device"] == "feeder-1")
    assert float(rows[-1]["asked_g"]) == of_feeder["asked_g"]


def test_feed_of_a_quarter_is_asked_for_as_one(page: Page) -> None:
    """91 days, both ends included."""
    page.goto(PATH, wait_until="domcontentloaded")
    expect(page.locator(".bars")).to_be_visible()
    with page.expect_response(lambda answer: "feed-totals" in answer.url) as answer:
        page.get_by_role("button", name="Quarter").click()
    assert len(answer.value.json()["days"]) == 91
