"""The chart of a device: what was read and what was not, asked anew for each zoom, and what happened on its axis."""

from __future__ import annotations

import csv
import re
import struct
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Locator, Page, Request, expect

from gateway.database import writing
from gateway.database.engine import upgraded
from gateway.protocol.history import Series
from gateway.samples import Samples, SeriesSeen
from gateway.settings import DatabaseSettings
from tests.browser import Errors
from tests.system import PORTION, System

DEVICE: Final = "feeder-1"
#: A day long before anything else was read: a sample every 10 s for two hours, but for the twenty minutes from 10:50.
START: Final = datetime(2026, 1, 10, 10, tzinfo=UTC)
GAP: Final = (datetime(2026, 1, 10, 10, 50, tzinfo=UTC), datetime(2026, 1, 10, 11, 10, tzinfo=UTC))
END: Final = START + timedelta(hours=2)
STEP_S: Final = 10
PATH: Final = f"/console/sites/arava-1/devices/{DEVICE}/history"
#: How many pixels of a column of the canvas, at a share of the chart's width, have the colour of the first line.
_PIXELS: Final = """([canvas, share]) => {
  const over = document.querySelector('.u-over').getBoundingClientRect(), all = canvas.getBoundingClientRect()
  const scale = canvas.width / all.width
  const x = Math.round((over.left - all.left + over.width * share) * scale)
  const y = Math.round((over.top - all.top) * scale)
  const { data } = canvas.getContext('2d').getImageData(x, y, 3, Math.round(over.height * scale))
  let found = 0
  for (let at = 0; at < data.length; at += 4) {
    if (Math.abs(data[at] - 11) + Math.abs(data[at + 1] - 107) + Math.abs(data[at + 2] - 125) < 60) found += 1
  }
  return found
}"""


@pytest.fixture(scope="module")
def seeded(lasting_system: System) -> list[tuple[datetime, float]]:
    """Samples of the day, as a gateway wrote them."""
    count = int((END - START).total_seconds()) // STEP_S
    moments = [START + timedelta(seconds=STEP_S * index) for index in range(count)]
    read = [(at, 20 + (index % 60) / 10) for index, at in enumerate(moments) if not GAP[0] <= at < GAP[1]]
    series = Series(
        device=DEVICE,
        name="hopper_kg",
        start=START,
        offset_us=tuple(int((at - START).total_seconds()) * 1_000_000 for at, _ in read),
        values=tuple(value for _, value in read),
        every_s=60.0,
    )
    seen = [SeriesSeen(lasting_system.site, series)]
    with upgraded(DatabaseSettings(home=lasting_system.stack.plan.home).database_url) as engine:
        store = Samples(engine)
        store.know(seen)
        with writing(engine) as connection:
            store.save_in(connection, seen, END)
    return read


def _open(page: Page, start: datetime, end: datetime, name: str = "hopper_kg") -> Locator:
    text = "&".join(
        f"{key}={moment.isoformat().replace('+00:00', 'Z')}" for key, moment in (("from", start), ("to", end))
    )
    page.goto(f"{PATH}?property={name}&{text}", wait_until="domcontentloaded")
    chart = page.locator(".chart-host")
    expect(chart.locator("canvas")).to_be_visible()
    expect(page.locator(".chart-frame[aria-busy=false]")).to_be_visible()
    return chart


def _line_at(chart: Locator, moment: datetime, start: datetime, end: datetime) -> int:
    handle = chart.locator("canvas").element_handle()
    return int(chart.page.evaluate(_PIXELS, [handle, (moment - start) / (end - start)]))


def _asked(request: Request) -> dict[str, str] | None:
    parts = urlsplit(request.url)
    if not parts.path.endswith(f"/devices/{DEVICE}/history") or not parts.path.startswith("/v1/"):
        return None
    return {name: values[0] for name, values in parse_qs(parts.query).items()}


def _span(question: dict[str, str]) -> timedelta:
    return datetime.fromisoformat(question["to"]) - datetime.fromisoformat(question["from"])


@pytest.mark.usefixtures("seeded")
@pytest.mark.parametrize("hours", [2, 24 * 10], ids=["samples", "buckets"])
def test_chart_has_no_line_where_nothing_was_read(page: Page, errors: Errors, hours: int) -> None:
    """Neither between samples nor between buckets; on both sides of the gap there is one."""
    errors.expect("Canvas2D: Multiple readback")  # which is this test's own doing
    start = START if hours == 2 else START - timedelta(days=5)
    end = start + timedelta(hours=hours)
    chart = _open(page, start, end)
    if hours == 2:
        assert _line_at(chart, GAP[0] - timedelta(minutes=10), start, end) > 0
        assert _line_at(chart, GAP[0] + timedelta(minutes=10), start, end) == 0
        assert _line_at(chart, GAP[1] + timedelta(minutes=10), start, end) > 0
    else:
        assert _line_at(chart, START + timedelta(minutes=25), start, end) > 0
        assert _line_at(chart, START - timedelta(hours=10), start, end) == 0


@pytest.mark.usefixtures("seeded")
def test_table_names_the_gap_that_the_chart_shows(page: Page) -> None:
    """Who does not see the chart reads the same of it."""
    _open(page, GAP[0] - timedelta(minutes=2), GAP[1] + timedelta(minutes=2))
    page.get_by_text("As a table").click()
    rows = page.get_by_role("row").filter(has_text="not read: nothing came")
    # When a sample was due is the agent's to say, and it says it anew while this runs.
    expect(rows).to_contain_text([re.compile(r"10:5\d:\d\d")])


@pytest.mark.usefixtures("seeded")
def test_zoom_by_key_asks_for_less_time_in_as_many_points(page: Page) -> None:
    """The facade is asked anew, for as many points as the chart is wide."""
    chart = _open(page, START, END)
    chart.focus()
    with page.expect_request(lambda request: _asked(request) is not None) as request:
        page.keyboard.press("+")
    question = _asked(request.value) or {}
    width = chart.bounding_box() or {"width": 0.0}
    assert abs(_span(question) - timedelta(hours=2) / 1.5) < timedelta(seconds=1)
    assert abs(int(question["points"]) - width["width"]) <= 2
    expect(page).to_have_url(re.compile("from=.*to="))


@pytest.mark.usefixtures("seeded")
def test_zoom_by_dragging_shows_what_was_dragged_over(page: Page) -> None:
    """From a quarter to the middle of two hours."""
    chart = _open(page, START, END)
    box = chart.locator(".u-over").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 4, box["y"] + 50)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 60, steps=5)
    with page.expect_request(lambda request: _asked(request) is not None) as request:
        page.mouse.up()
    question = _asked(request.value) or {}
    found = [datetime.fromisoformat(question[name]) for name in ("from", "to")]
    wanted = [START + timedelta(minutes=30), START + timedelta(hours=1)]
    assert all(abs(one - other) < timedelta(seconds=30) for one, other in zip(found, wanted, strict=True))


@pytest.mark.usefixtures("seeded")
def test_view_of_the_present_asks_again_by_itself(page: Page) -> None:
    """Its end moves on."""
    with page.expect_request(lambda request: _asked(request) is not None) as first:
        page.goto(f"{PATH}?property=hopper_kg&span=600", wait_until="domcontentloaded")
    end = (_asked(first.value) or {})["to"]
    with page.expect_request(lambda request: (_asked(request) or {}).get("to", "") > end):
        expect(page.locator(".chart-host canvas")).to_be_visible()


def test_samples_are_kept_as_the_facade_has_them(page: Page, seeded: list[tuple[datetime, float]]) -> None:
    """Every one of the stretch that is shown, none of the gap."""
    _open(page, START, END)
    with page.expect_download() as download:
        page.get_by_role("link", name="Hopper (CSV)").click()
    rows = list(csv.DictReader(download.value.path().read_text().splitlines()))
    assert [(datetime.fromisoformat(row["at"]), float(row["value"])) for row in rows] == seeded


@pytest.mark.usefixtures("seeded")
def test_chart_is_kept_as_a_picture(page: Page) -> None:
    """A PNG that is higher than the chart, since it has a title and names its lines."""
    chart = _open(page, START, END)
    with page.expect_download() as download:
        page.get_by_role("button", name="Chart (PNG)").click()
    content = download.value.path().read_bytes()
    width, height = struct.unpack(">II", content[16:24])
    canvas = chart.locator("canvas")
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    assert (width, height) > (int(canvas.get_attribute("width") or 0), int(canvas.get_attribute("height") or 0))
    assert height > int(canvas.get_attribute("height") or 0)
    assert download.value.suggested_filename == "arava-1_feeder-1_hopper_kg_2026-01-10.png"


def test_dose_is_a_mark_that_tells_what_became_of_it(system: System, page: Page) -> None:
    """By keyboard: the mark has the focus, and below the axis stands what happened."""
    assert system.feed(35).status == 200
    page.goto(f"{PATH}?property=hopper_kg&span=600", wait_until="domcontentloaded")
    mark = page.locator(".mark-place").last
    expect(mark).to_be_visible()
    page.locator(".chart-host").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("End")
    while page.evaluate("document.activeElement.nextElementSibling !== null"):
        page.keyboard.press("ArrowRight")
    expect(page.locator(".marks-told")).to_contain_text("feed: grams 35")
    expect(page.locator(".marks-told")).to_contain_text("Applied")


def test_hand_at_the_panel_is_a_mark_and_a_changed_setting(system: System, page: Page) -> None:
    """What nobody asked for from here is told apart from what somebody did."""
    grams = system.fresh()
    system.plc.set(PORTION, grams)
    page.goto(f"{PATH}?property=portion_g&span=600", wait_until="domcontentloaded")
    expect(page.locator(".marks-legend")).to_contain_text("Setting changed at the panel")
    page.get_by_role("link", name="Changed settings").click()
    row = page.get_by_role("row").filter(has_text=f"{grams} g").first
    expect(row).to_contain_text("Somebody at the site")
    expect(row).to_contain_text("→")


def test_remote_change_of_a_setting_names_who_and_the_command(system: System, page: Page) -> None:
    """Old and new value, the caller, how it ended, and a link to the command."""
    grams = system.fresh()
    command = system.http.write({"portion_g": grams}).command
    page.goto(f"{PATH}/settings", wait_until="domcontentloaded")
    row = page.get_by_role("row").filter(has_text=f"{grams}").first
    expect(row).to_contain_text("http-token")
    expect(row).to_contain_text("Applied")
    expect(row.get_by_role("link", name="Command")).to_have_attribute("href", f"/console/commands/{command}")


def test_history_of_an_unknown_device_says_so(page: Page, errors: Errors) -> None:
    """In words, without a chart of nothing."""
    errors.expect("404")
    page.goto("/console/sites/arava-1/devices/nobody/history", wait_until="domcontentloaded")
    expect(page.get_by_role("alert")).to_contain_text("The site has no such device.")
