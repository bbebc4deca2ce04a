"""A real browser for tests: this machine's Chromium, with everything off that would call home."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from gateway.demo.programs import find
from tests.requirements import absent

#: As Debian, other systems, and the makers call it.
_NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_FLAGS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_CONSOLE: Final = Path("http_facade/console")
SCREENSHOTS: Final = Path("build/console/screenshots")
DESKTOP: Final = {"width": 1280, "height": 800}
PHONE: Final = {"width": 390, "height": 844}
#: How people see a page, by the end of its picture's name: the options of a browser's context.
LOOKS: Final[dict[str, dict[str, Any]]] = {
    "light": {"viewport": DESKTOP, "color_scheme": "light"},
    "dark": {"viewport": DESKTOP, "color_scheme": "dark"},
    "phone": {"viewport": PHONE, "has_touch": True},
    "phone-hebrew": {"viewport": PHONE, "has_touch": True, "color_scheme": "dark", "locale": "he-IL"},
    "spanish": {"viewport": DESKTOP, "locale": "es-ES"},
}


@contextmanager
def running_browser() -> Iterator[Browser]:
    """A browser, closed at the end. Playwright keeps an event loop until then: no asynchronous test in between."""
    program = next((found for name in _NAMES if (found := find(name))), None)
    if program is None:
        absent("Chromium is not installed; 'make test' installs it if it can")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=_FLAGS)
        try:
            yield browser
        finally:
            browser.close()


def built_console() -> Path:
    """The folder of the built console, or the end of the test."""
    dist = _CONSOLE / "dist"
    return dist if (dist / "index.html").exists() else absent("the console is not built; run 'make console'")


class Errors:
    """What a page complains about; all of it is wrong but what a test says it expects."""

    def __init__(self) -> None:
        self._said: list[str] = []
        #: The machine's own doing: an interface came or went, as with containers; what was asked is asked again.
        self._expected = [re.compile("ERR_NETWORK_CHANGED")]

    def watch(self, page: Page) -> None:
        """Listen to a page."""
        page.on("console", self._take)
        page.on("pageerror", lambda error: self._said.append(str(error)))

    def expect(self, pattern: str) -> None:
        """Forgive what matches, as the browser's own word about a refused request."""
        self._expected.append(re.compile(pattern))

    def expect_no_server(self) -> None:
        """Forgive what the browser says while nobody answers."""
        self.expect("ERR_|Failed to load|fetching the script")

    @property
    def unexpected(self) -> list[str]:
        """The rest."""
        return [said for said in self._said if not any(each.search(said) for each in self._expected)]

    def _take(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self._said.append(message.text)


def violations(page: Page) -> list[str]:
    """What axe finds against WCAG 2.2 AA and its own best practices, one line each."""
    script = _CONSOLE / "node_modules" / "axe-core" / "axe.min.js"
    if not script.exists():
        absent("axe-core is not installed; run 'make console'")
    page.evaluate(script.read_text(encoding="utf-8"))
    found: list[dict[str, Any]] = page.evaluate("async () => (await axe.run(document)).violations")
    return [f"{each['id']}: {node['target']} {node['failureSummary']}" for each in found for node in each["nodes"]]


def screenshot(page: Page, name: str) -> None:
    """Keep what the page looks like, for people to look at."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png")


def check_look(page: Page, name: str) -> None:
    """Keep a picture; axe finds nothing, and nothing is wider than the screen."""
    screenshot(page, name)
    assert (name, violations(page)) == (name, [])
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), name
