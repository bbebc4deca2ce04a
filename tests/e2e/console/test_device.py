"""A device's page: settings are changed, looked over, written and read back, and never while nobody can tell."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from gateway.demo.roles import AGENT
from gateway.roles import Role
from tests import plc_faults as faults
from tests.browser import Errors, check_look, screenshot
from tests.conditions import eventually
from tests.e2e.console.people import amount, enter
from tests.modbus_bytes import read_register
from tests.system import PORTION, System

#: Of feeder-2, which knows meal times: its base, and behind that the schedule's registers.
SCHEDULE_ON, MEAL_1_MIN, MEAL_1_G, MEAL_2_MIN = 150, 151, 152, 153


def _open(page: Page, system: System, device: str = "feeder-1") -> Page:
    page.goto(f"/console/sites/{system.site}/devices/{device}", wait_until="domcontentloaded")
    expect(page.get_by_role("heading", name="Readings")).to_be_visible()
    return page


def _portion(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Portion")


def _write(page: Page) -> None:
    page.get_by_role("button", name="Look over").click()
    page.get_by_role("dialog").get_by_role("button", name="Write").click()


@pytest.mark.invariant("I3")
def test_portion_that_was_changed_here_is_in_the_register_once_applied_shows(system: System, page: Page) -> None:
    """Old and new are looked over first; `applied` comes with what was read back, and the PLC's bytes agree."""
    before, grams = system.plc.get(PORTION)[0], system.fresh()
    _open(page, system)
    _portion(page).fill(str(grams))
    page.get_by_role("button", name="Look over").click()
    review = page.get_by_role("dialog")
    expect(review).to_contain_text(amount(before))
    expect(review).to_contain_text(amount(grams))
    assert system.written(grams) == 0
    review.get_by_role("button", name="Write").click()
    expect(page.locator(".outcome-applied")).to_contain_text(f"read back {amount(grams)}")
    assert read_register(system.plc.port, PORTION) == grams
    assert system.written(grams) == 1
    expect(page.get_by_text("not written yet")).to_have_count(0)


def test_meal_is_moved_on_the_strip_by_key_and_pointer_and_written(system: System, page: Page) -> None:
    """A key moves it by a minute, the pointer by five; the field beside shows the same; the registers hold it."""
    system.plc.set(SCHEDULE_ON, 1, 420, 100, 720, 80)
    _open(page, system, "feeder-2")
    first, second = (page.get_by_role("slider", name=f"Meal {number}") for number in (1, 2))
    expect(first).to_have_attribute("aria-valuetext", f"07:00, {amount(100)}")
    first.press("ArrowRight")
    first.press("Shift+ArrowRight")
    expect(page.get_by_label("Meal 1, time")).to_have_value("07:16")
    second.hover()
    box = second.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + 80, box["y"] + box["height"] / 2, steps=4)
    page.mouse.up()
    moved = int(second.get_attribute("aria-valuenow") or 0)
    assert moved > 720
    assert moved % 5 == 0
    screenshot(page, "device-meals-moved")
    _write(page)
    expect(page.locator(".outcome-applied")).to_be_visible()
    assert system.plc.get(MEAL_1_MIN)[0] == 436
    assert system.plc.get(MEAL_2_MIN)[0] == moved


def test_grams_off_the_step_are_told_and_cannot_be_written(system: System, page: Page) -> None:
    """The description's limits are kept before anything is asked."""
    _open(page, system)
    _portion(page).fill("101")
    expect(page.get_by_text(f"Must be a multiple of {amount(5)}.")).to_be_visible()
    expect(page.get_by_role("button", name="Look over")).to_be_disabled()


@pytest.mark.invariant("I4")
def test_killed_agent_closes_the_form_and_it_opens_again_by_itself(system: System, page: Page) -> None:
    """Within the gate's time, with the reason and its age; what was typed is kept."""
    grams = system.fresh()
    _open(page, system)
    _portion(page).fill(str(grams))
    system.stack.kill(AGENT)
    expect(_portion(page)).to_be_disabled()
    expect(page.get_by_text("The site is silent. Nothing can be asked for")).to_be_visible()
    expect(page.get_by_text("Last heard at")).to_be_visible()
    expect(page.get_by_role("button", name="Look over")).to_be_disabled()
    screenshot(page, "device-silent")
    system.heal()
    expect(_portion(page)).to_be_enabled(timeout=30_000)
    expect(_portion(page)).to_have_value(str(grams))


def test_plc_that_is_lost_closes_the_form_of_its_device(system: System, page: Page) -> None:
    """The site is there, the PLC is not: that is another sentence."""
    _open(page, system)
    expect(_portion(page)).to_be_enabled()
    system.plc_wires[0].cut(refuse=True)
    expect(page.get_by_text("PLC does not answer")).to_be_visible(timeout=30_000)
    expect(_portion(page)).to_be_disabled()
    system.heal()
    expect(_portion(page)).to_be_enabled(timeout=30_000)


def test_panel_edit_under_an_open_form_asks_which_value_it_shall_be(system: System, page: Page) -> None:
    """Both values are shown; mine goes on top of the new revision, and nothing is written before that."""
    mine, theirs = system.fresh(), system.fresh()
    _open(page, system)
    _portion(page).fill(str(mine))
    system.plc.set(PORTION, theirs)
    conflict = page.get_by_role("alert").filter(has_text="Somebody else has changed")
    expect(conflict).to_contain_text(amount(theirs))
    expect(conflict).to_contain_text(amount(mine))
    expect(page.get_by_role("button", name="Look over")).to_be_disabled()
    screenshot(page, "device-conflict")
    conflict.get_by_role("button", name="Keep mine").click()
    expect(conflict).to_have_count(0)
    _write(page)
    expect(page.locator(".outcome-applied")).to_be_visible()
    assert system.plc.get(PORTION) == (mine,)


def test_panel_edit_that_is_taken_over_leaves_nothing_to_write(system: System, page: Page) -> None:
    """Theirs stands in the field."""
    theirs = system.fresh()
    _open(page, system)
    _portion(page).fill(str(system.fresh()))
    system.plc.set(PORTION, theirs)
    page.get_by_role("button", name="Take the device").click()
    expect(_portion(page)).to_have_value(str(theirs))
    expect(page.get_by_text("not written yet")).to_have_count(0)


def test_panel_edit_that_nobody_has_reported_yet_is_refused_and_shown(
    system: System, page: Page, errors: Errors
) -> None:
    """The site compares with the PLC itself: 412, nothing is written, and the conflict shows once it is reported."""
    errors.expect("412")
    mine, theirs = system.fresh(), system.fresh()
    _open(page, system)
    _portion(page).fill(str(mine))
    page.get_by_role("button", name="Look over").click()
    confirm = page.get_by_role("dialog").get_by_role("button", name="Write")
    expect(confirm).to_be_visible()
    page.route("**/v1/stream*", lambda route: route.abort())
    system.plc.set(PORTION, theirs)
    confirm.click()
    expect(page.locator(".outcome-rejected, .conflicts").first).to_be_visible()
    expect(page.get_by_role("button", name="Keep mine")).to_be_visible()
    assert system.plc.get(PORTION) == (theirs,)
    assert system.written(mine) == 0


def test_two_browsers_stay_in_step(
    system: System, page: Page, new_page: Callable[..., Page], sign_in: Callable[[Page], Page]
) -> None:
    """What one writes the other shows, value and command, without a reload."""
    other = new_page()
    other.goto("/console/", wait_until="domcontentloaded")
    _open(sign_in(other), system)
    _open(page, system)
    grams = system.fresh()
    _portion(page).fill(str(grams))
    _write(page)
    expect(_portion(other)).to_have_value(str(grams))
    expect(other.locator(".recent li").first).to_contain_text(f"Portion {amount(grams)}")


def test_drift_shows_what_was_asked_and_by_whom(system: System, page: Page) -> None:
    """Somebody at the panel changes what was applied: the wish is still told, with a link to its command."""
    wished = system.fresh()
    system.http.write({"portion_g": wished})
    _open(page, system)
    system.plc.set(PORTION, system.fresh())
    drift = page.locator(".drift")
    expect(drift).to_contain_text(f"http-token asked for {amount(wished)}")
    drift.get_by_role("link").click()
    expect(page.get_by_role("heading", name="Time line")).to_be_visible()


def test_viewer_sees_values_and_no_forms(system: System, new_page: Callable[..., Page]) -> None:
    """No field, no switch, no button that asks for anything."""
    page = new_page()
    enter(system, page, Role.VIEWER)
    _open(page, system)
    main = page.get_by_role("main")
    expect(main.locator(".setting-value").filter(has_text="Portion")).to_contain_text("g")
    for role in ("textbox", "switch", "slider", "button", "combobox"):
        expect(main.get_by_role(role)).to_have_count(0)
    screenshot(page, "device-viewer")


@pytest.mark.invariant("I7")
def test_unknown_write_holds_the_form_until_there_is_evidence(system: System, page: Page) -> None:
    """A frozen agent answers nothing: no retry is offered, and why not is said; its answer opens the form again."""
    grams = system.fresh()
    _open(page, system)
    _portion(page).fill(str(grams))
    page.get_by_role("button", name="Look over").click()
    confirm = page.get_by_role("dialog").get_by_role("button", name="Write")
    expect(confirm).to_be_visible()
    system.stack.freeze(AGENT)
    confirm.click()
    told = page.locator(".outcome-unknown")
    expect(told).to_contain_text("Do not ask for the same again", timeout=60_000)
    expect(told).to_contain_text("asked again by itself")
    expect(_portion(page)).to_be_disabled()
    expect(told.get_by_role("button", name="Try again")).to_have_count(0)
    screenshot(page, "device-unknown")
    system.stack.thaw(AGENT)
    expect(told).to_have_count(0, timeout=60_000)
    expect(page.locator(".outcome-expired, .outcome-applied, .outcome-rejected")).to_be_visible()
    expect(_portion(page)).to_be_enabled(timeout=30_000)
    eventually(lambda: system.written(grams) in {0, 1}, within_s=1, what="at most one write")


def test_refused_write_by_the_plc_says_that_nothing_was_done(system: System, page: Page, errors: Errors) -> None:
    """502 of the PLC is told in words, and what was typed stays."""
    errors.expect("502")
    grams = system.fresh()
    _open(page, system)
    _portion(page).fill(str(grams))
    system.plc.misbehave(faults.refuse(3), on=faults.WRITES)
    _write(page)
    expect(page.locator(".outcome-failed")).to_contain_text("The PLC refused it.")
    expect(_portion(page)).to_have_value(str(grams))


def test_device_page_is_accessible(system: System, seen: Page, look: str) -> None:
    """No violation by axe, and nothing wider than the screen."""
    system.plc.set(SCHEDULE_ON, 1, 420, 100, 720, 80)
    seen.goto(f"/console/sites/{system.site}/devices/feeder-2", wait_until="domcontentloaded")
    expect(seen.get_by_role("slider")).to_have_count(4)
    expect(seen.get_by_role("meter")).to_be_visible()
    check_look(seen, f"device-{look}")
