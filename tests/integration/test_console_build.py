"""What 'make console' built: small, whole, from here alone; and its sources, by the rules of the house."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import pytest

from gateway.protocol.codes import AckCode
from tests.browser import built_console
from tests.problem_codes import codes_of_problems

CONSOLE: Final = Path("http_facade/console")
SOURCES: Final = sorted(
    path
    for folder in ("src", "tools", "public")
    for path in (CONSOLE / folder).rglob("*")
    if path.suffix in {".ts", ".tsx", ".js", ".css"} and path != CONSOLE / "src/api/schema.ts"
)
#: What the first page needs: a phone at the pond has a thin line. The others come when they are opened, one by one.
MOST_FIRST_BYTES: Final = 40 * 1024
MOST_PAGE_BYTES: Final = 12 * 1024
#: The library that draws, for who opens a chart.
MOST_CHART_BYTES: Final = 26 * 1024
#: All pages for somebody, who speaks one language; without the charts' library.
MOST_SCRIPT_BYTES: Final = 108 * 1024
MAX_LINES: Final = 250
_ELSEWHERE: Final = re.compile(r"""(?:src|href|url|import|fetch)\s*[=(]\s*["'`]?(?:https?:)?//""")


def _script_bytes() -> dict[str, int]:
    """Every chunk, compressed as a server would."""
    return {path.name: len(gzip.compress(path.read_bytes(), 9)) for path in built_console().rglob("*.js")}


def _languages(names: Iterable[str]) -> set[str]:
    return {name for name in names if re.match(r"(en|es|he)-", name)}


def test_first_page_is_within_its_budget() -> None:
    """What the index names, in the longest language."""
    sizes = _script_bytes()
    named = set(
        re.findall(r'(?:src|href)="/console/(?:assets/)?([^"/]+\.js)"', (built_console() / "index.html").read_text())
    )
    first = sum(sizes[name] for name in named) + max(sizes[name] for name in _languages(sizes))
    assert named
    assert first <= MOST_FIRST_BYTES, sizes


def test_every_page_is_within_its_budget() -> None:
    """Charts may be more; all together are bounded as well, for they are kept for the day without a network."""
    sizes = _script_bytes()
    (charts,) = (name for name in sizes if name.startswith("plot-"))
    assert sizes[charts] <= MOST_CHART_BYTES
    others = {name: size for name, size in sizes.items() if name != charts}
    assert {name: size for name, size in others.items() if size > MOST_PAGE_BYTES} == {}
    spoken = max(sizes[name] for name in _languages(sizes))
    assert sum(size for name, size in others.items() if name not in _languages(sizes)) + spoken <= MOST_SCRIPT_BYTES


def test_index_loads_nothing_from_elsewhere_and_holds_no_script() -> None:
    """It works without the internet, and under a policy that runs nothing that stands in a page."""
    page = (built_console() / "index.html").read_text()
    assert _ELSEWHERE.search(page) is None
    assert re.findall(r"<script(?![^>]*\bsrc=)[^>]*>|<style|\son\w+=|\sstyle=", page) == []
    files = re.findall(r'(?:src|href)="/console/([^"]*)"', page)
    assert files
    assert [name for name in files if not (built_console() / name).is_file()] == []


def test_styles_load_nothing_from_elsewhere() -> None:
    """No font and no picture of others."""
    styles = list((built_console() / "assets").glob("*.css"))
    assert styles
    assert [path.name for path in styles if "url(" in path.read_text()] == []


def test_service_worker_names_every_asset_and_no_other() -> None:
    """Or a page would be missing where there is no network; one that is not there would keep all of them from it."""
    dist = built_console()
    worker = (dist / "sw.js").read_text()
    assert "__SHELL__" not in worker
    assert set(re.findall(r"assets/([\w.-]+)", worker)) == {path.name for path in (dist / "assets").iterdir()}


def test_icons_are_what_the_manifest_says() -> None:
    """Home screens refuse others."""
    dist = built_console()
    for icon in json.loads((dist / "manifest.webmanifest").read_text())["icons"]:
        found = (dist / icon["src"]).read_bytes()
        if icon["type"] == "image/png":
            sides = [int.from_bytes(found[at : at + 4], "big") for at in (16, 20)]
            assert (found[:8], "x".join(map(str, sides))) == (b"\x89PNG\r\n\x1a\n", icon["sizes"])
        else:
            assert found.startswith(b"<svg ")


def test_lock_records_no_download_address() -> None:
    """Each machine takes the packages from where it is told to; their hashes are locked."""
    lock = json.loads((CONSOLE / "package-lock.json").read_text())
    packages = {name: each for name, each in lock["packages"].items() if name}
    assert len(packages) > 20
    assert [name for name, each in packages.items() if "resolved" in each] == []
    assert [name for name, each in packages.items() if "integrity" not in each] == []


def test_packages_have_permissive_licences() -> None:
    """What ships is MIT; MPL tools check the pages and are not shipped."""
    lock = json.loads((CONSOLE / "package-lock.json").read_text())
    packages = {name: each for name, each in lock["packages"].items() if name}
    shipped = {each["license"] for each in packages.values() if not each.get("dev") and not each.get("optional")}
    assert shipped == {"MIT"}
    copyleft = re.compile(r"\b(?:A|L)?GPL|SSPL|BUSL", re.IGNORECASE)
    assert [name for name, each in packages.items() if copyleft.search(each.get("license", "GPL"))] == []


def test_package_versions_are_exact() -> None:
    """A new one is a change that somebody makes."""
    asked = json.loads((CONSOLE / "package.json").read_text())
    versions = {**asked["dependencies"], **asked["devDependencies"]}
    assert {name: each for name, each in versions.items() if not re.fullmatch(r"\d+\.\d+\.\d+", each)} == {}


@pytest.mark.parametrize("language", ["en", "es", "he"])
def test_every_problem_and_ack_code_has_words(language: str) -> None:
    """Nobody at a pond is shown a code alone."""
    words = (CONSOLE / "src/words" / language / "problems.ts").read_text()
    known = set(re.findall(r"^  '?([a-z-]+)'?:", words, re.MULTILINE))
    assert (codes_of_problems() | {each.value for each in AckCode}) - known == set()


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(CONSOLE)))
def test_source_is_short(path: Path) -> None:
    """What grows longer is more than one thing."""
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MAX_LINES


@pytest.mark.parametrize(
    "path", [each for each in SOURCES if each.suffix == ".css"], ids=lambda path: str(path.relative_to(CONSOLE))
)
def test_style_knows_no_left_and_right(path: Path) -> None:
    """Logical properties alone, so that the page can be turned round; what draws in one direction says so for both."""
    physical = re.compile(r"^\s*(?:(?:margin|padding|border)-(?:left|right)|left|right|text-align:\s*(?:left|right))\b")
    assert [line for line in path.read_text().splitlines() if physical.match(line)] == []
