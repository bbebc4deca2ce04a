"""What 'make console' built: small, whole, from here alone; and its sources, by the rules of the house."""

from __future__ import annotations

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
#: What any page loads before it can be used, its language with it: a phone at the pond has a thin line.
MOST_SCRIPT_BYTES: Final = 60 * 1024
#: The library that draws charts, which comes where there is one, after the page.
CHARTS: Final = "plot-"
_LOADED: Final = re.compile(r"""(?:from|import)\s*["'`]\./([\w-]+\.js)["'`]""")
_LATER: Final = re.compile(r"""import\(\s*["'`]\./([\w-]+\.js)["'`]\s*\)""")
MAX_LINES: Final = 250
_ELSEWHERE: Final = re.compile(r"""(?:src|href|url|import|fetch)\s*[=(]\s*["'`]?(?:https?:)?//""")


def _loaded_with(name: str) -> frozenset[str]:
    """A script, and all that come before it runs."""
    found, waiting = set[str](), [name]
    while waiting:
        each = waiting.pop()
        if each not in found:
            found.add(each)
            waiting += _LOADED.findall((built_console() / "assets" / each).read_text())
    return frozenset(found)


def _weight(names: Iterable[str]) -> int:
    return sum((built_console() / "assets" / f"{name}.gz").stat().st_size for name in names)


def test_script_of_every_page_is_within_its_budget() -> None:
    """Compressed as it is sent: the shell, the heaviest language, and the page."""
    (index,) = [path.name for path in (built_console() / "assets").glob("index-*.js")]
    shell = _loaded_with(index)
    later = {name for each in shell for name in _LATER.findall((built_console() / "assets" / each).read_text())}
    languages = {name for name in later if re.fullmatch(r"(en|es|he)-[\w-]{8}\.js", name)}
    pages = later - languages
    assert (len(languages), len(pages) > 10) == (3, True)
    heaviest = max(languages, key=lambda name: _weight([name]))
    sizes = {page: _weight(shell | _loaded_with(page) | {heaviest}) for page in pages}
    assert {page: size for page, size in sizes.items() if size > MOST_SCRIPT_BYTES} == {}, sizes


def test_charts_come_only_where_there_is_one() -> None:
    """Their library is heavier than any page, and most people look at none."""
    assets = [path.name for path in (built_console() / "assets").glob("*.js")]
    (library,) = [name for name in assets if name.startswith(CHARTS)]
    assert [name for name in assets if name != library and library in _loaded_with(name)] == []
    assert _weight([library]) < 26 * 1024


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
    assets = {path.name for path in (dist / "assets").iterdir() if path.suffix != ".gz"}
    assert set(re.findall(r"assets/([\w.-]+)", worker)) == assets


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
