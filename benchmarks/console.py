"""The web console as a phone has it: how soon it is seen on a slow processor, by how much script; and charts."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Locator, Page, ViewportSize

from benchmarks import year
from gateway.database.engine import upgraded
from gateway.demo.programs import Programs
from gateway.demo.roles import Plan, Ports
from gateway.demo.site import PROBE_DEVICE
from gateway.demo.stack import Stack
from gateway.settings import DatabaseSettings
from tests.browser import PHONE, running_browser

_PHONE: Final[ViewportSize] = {"width": PHONE["width"], "height": PHONE["height"]}
#: How much slower than this machine the phone's processor is.
SLOWER: Final = 4
_TIMES: Final = 7
_PROPERTY: Final = "water_c"
_RANGES: Final = ("day", "week", "month", "year")
_PAINT: Final = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null"
_SCRIPT: Final = """performance.getEntriesByType('resource')
    .filter(each => new URL(each.name).pathname.endsWith('.js'))
    .reduce((sum, each) => sum + each.encodedBodySize, 0)"""
#: The least that can be shown: what browser and network take by themselves.
_BARE: Final = "<!doctype html><html lang=en><title>bare</title><h1>bare</h1>"


@dataclass(frozen=True, slots=True)
class Console:
    """Medians in milliseconds; visits are the first of a browser, with nothing kept.

    ``sites_ms``: until a signed-in person sees the sites. ``chart_ms``: from a click on a range, by its name, until the
    course that was asked for is drawn, of a property with a year of a value every 10 s, on the processor as it is.
    """

    paint_ms: float
    bare_ms: float
    sites_ms: float
    script_bytes: int
    chart_ms: dict[str, float]


def measure(programs: Programs, folder: Path) -> Console:
    """On the whole stack with its simulated farm."""
    plan = Plan(home=folder / "console", programs=programs, ports=Ports.free())
    with Stack(plan) as stack, running_browser() as browser:
        bare = [_paint_ms(browser, f"{stack.http_url}/bare") for _ in range(_TIMES)]
        paints = [_paint_ms(browser, f"{stack.http_url}/console/") for _ in range(_TIMES)]
        sites, script = zip(*(_sites(browser, stack) for _ in range(_TIMES)), strict=True)
        return Console(
            statistics.median(paints),
            statistics.median(bare),
            statistics.median(sites),
            max(script),
            _charts_ms(browser, stack),
        )


@contextmanager
def _phone(browser: Browser, *, slower: int) -> Iterator[Page]:
    context = browser.new_context(viewport=_PHONE, locale="en-GB", reduced_motion="reduce", service_workers="block")
    page = context.new_page()
    context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": slower})
    page.route("**/bare", lambda route: route.fulfill(body=_BARE, content_type="text/html"))
    try:
        yield page
    finally:
        context.close()


def _paint_ms(browser: Browser, url: str) -> float:
    with _phone(browser, slower=SLOWER) as page:
        page.goto(url)
        page.wait_for_function(f"() => {_PAINT} !== null")
        return float(page.evaluate(_PAINT))


def _sites(browser: Browser, stack: Stack) -> tuple[float, int]:
    """As somebody comes back who is signed in; the files are asked for again, for nothing of them is kept."""
    with _phone(browser, slower=SLOWER) as page:
        _sign_in(page, stack)
        page.context.new_cdp_session(page).send("Network.setCacheDisabled", {"cacheDisabled": True})
        page.goto(f"{stack.http_url}/console/")
        page.get_by_text(stack.plan.site).first.wait_for()
        return float(page.evaluate("performance.now()")), int(page.evaluate(_SCRIPT))


def _sign_in(page: Page, stack: Stack) -> None:
    name, password = stack.browser_account()
    page.goto(f"{stack.http_url}/console/")
    page.locator("form input").nth(0).fill(name)
    page.locator("form input").nth(1).fill(password)
    page.locator("form input").nth(1).press("Enter")
    page.locator(".top").wait_for()


def _charts_ms(browser: Browser, stack: Stack) -> dict[str, float]:
    end = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
    with upgraded(DatabaseSettings(home=stack.plan.home).database_url) as engine:
        year.fill(engine, site=stack.plan.site, device=PROBE_DEVICE, name=_PROPERTY, end=end)
    with _phone(browser, slower=1) as page:
        _sign_in(page, stack)
        at = f"/console/sites/{stack.plan.site}/devices/{PROBE_DEVICE}/history?property={_PROPERTY}"
        page.goto(stack.http_url + at)
        page.locator("canvas").first.wait_for()
        buttons = page.locator(".range .segment")
        found: dict[str, list[float]] = {name: [] for name in _RANGES}
        for _ in range(_TIMES):
            buttons.first.click()
            for number, name in enumerate(_RANGES, start=1):
                found[name].append(_click_ms(page, buttons.nth(number)))
    return {name: statistics.median(times) for name, times in found.items()}


def _click_ms(page: Page, button: Locator) -> float:
    with page.expect_response(lambda answer: urlsplit(answer.url).path.endswith("history")) as heard:
        began = float(page.evaluate("performance.now()"))
        button.click()
    heard.value.finished()
    # Of the frame that shows it, and of the one behind that.
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    return float(page.evaluate("performance.now()")) - began
