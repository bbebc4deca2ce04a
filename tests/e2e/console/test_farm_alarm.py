"""An alarm on its whole way: from the auger of a simulated feeder to two people's browsers."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from gateway.demo.stack import Stack
from tests.conftest import StackMaker


@pytest.fixture
def served(make_stack: StackMaker) -> Stack:
    """A farm whose noon, when an auger jams, comes after some seconds, and lasts for minutes."""
    stack = make_stack(scenario="jam-at-noon", speed=10.0)
    stack.start()
    return stack


def test_jam_at_the_farm_is_acknowledged_in_one_browser_and_shows_so_in_another(
    new_page: Callable[..., Page], sign_in: Callable[[Page], Page]
) -> None:
    """It appears by itself in both; one takes note of it, and the other one reads who and why."""
    pages = [new_page(), new_page()]
    for page in pages:
        page.goto("/console/alarms", wait_until="domcontentloaded")
        sign_in(page)
    jams = [page.locator(".alarm").filter(has_text="The auger is jammed") for page in pages]
    for jam in jams:
        expect(jam).to_be_visible(timeout=60_000)
    jams[0].get_by_role("button").click()
    pages[0].get_by_role("dialog").get_by_label("Note").fill("I clear it by hand")
    pages[0].get_by_role("dialog").get_by_label("Note").press("Enter")
    for jam in jams:
        expect(jam).to_contain_text("Acknowledged by dana")
        expect(jam).to_contain_text("I clear it by hand")
