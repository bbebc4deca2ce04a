"""Rules of the house that no type checker knows."""

from __future__ import annotations

import ast
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from gateway.protocol.topics import ROOT, TOPICS

PACKAGES: Final = ("gateway", "site_agent", "http_facade", "benchmarks")
TOPIC_FILE: Final = Path("gateway/protocol/topics.py")
MAX_LINES: Final = 400
VAGUE: Final = {"utils", "util", "helpers", "helper", "common", "manager", "managers", "misc", "shared"}
#: After the rule that is silenced, a second comment gives the reason.
IGNORE: Final = re.compile(r"#\s*(noqa|type:\s*ignore|pragma|nosec|ruff:\s*noqa|mypy:)", re.IGNORECASE)
REASONED: Final = re.compile(r"#\s*(noqa: [A-Z0-9, ]+|type: ignore\[[a-z0-9, -]+\])\s+#\s*\S.{2,}")

IMPURE: Final = {
    *("os", "sys", "io", "pathlib", "time", "random", "secrets", "socket", "subprocess", "threading", "asyncio"),
    *("logging", "structlog", "paho", "aiomqtt", "redis", "sqlalchemy", "flask", "pymodbus"),
}

SOURCES: Final = sorted(path for package in PACKAGES for path in Path(package).rglob("*.py"))
TESTS: Final = sorted(Path("tests").rglob("*.py"))
#: The literal words between the levels, as they would stand in a topic that somebody wrote by hand.
LEVELS: Final = sorted(
    {"/" + level for cls in TOPICS for level in cls.pattern.split("/")[1:] if not level.startswith("{")}
    | {level + "/" for cls in TOPICS for level in cls.pattern.split("/")[1:-1] if not level.startswith("{")}
)

each_source = pytest.mark.parametrize("path", SOURCES, ids=str)
each_test_file = pytest.mark.parametrize("path", TESTS, ids=str)
each_file = pytest.mark.parametrize("path", [*SOURCES, *TESTS], ids=str)


def strings(path: Path) -> Iterator[tuple[int, str]]:
    """Line and text of every string constant that may be a piece of a topic."""
    nodes = list(ast.walk(ast.parse(path.read_text())))
    docstrings = [node.value for node in nodes if isinstance(node, ast.Expr)]
    others = [piece for node in nodes if isinstance(node, ast.JoinedStr) and not _topic(node) for piece in node.values]
    passed = {id(node) for node in [*docstrings, *others]}
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in passed:
            yield node.lineno, node.value


def _topic(node: ast.JoinedStr) -> bool:
    """Whether an f-string may be a topic: none begins with a slash (a JSON pointer does), none holds an HTTP path."""
    text = "".join(str(each.value) if isinstance(each, ast.Constant) else "{}" for each in node.values)
    return ROOT in text or not (text.startswith("/") or "/v1/" in text)


def topic_literals(path: Path) -> list[str]:
    """The string constants that spell a topic, or a part of one."""

    def suspect(text: str) -> bool:
        if ROOT in text:
            return True
        # The HTTP facade's paths have the same words; they begin with a slash and never stand in a topic.
        route = path.parts[0] == "http_facade" and text.startswith("/")
        prose = "\n" in text or "://" in text or " " in text
        return not route and not prose and any(level in text for level in LEVELS)

    return [f"{path}:{line}: {text!r}" for line, text in strings(path) if suspect(text)]


@pytest.mark.parametrize("path", [path for path in SOURCES if path != TOPIC_FILE], ids=str)
def test_source_without_topic_literal(path: Path) -> None:
    """Topics are built and parsed in one file; nobody else spells one."""
    assert topic_literals(path) == []


def test_topic_literal_search_finds_what_it_should(tmp_path: Path) -> None:
    """The search above would see a topic written by hand, whole or in pieces."""
    path = tmp_path / "sinner.py"
    lines = [f'"""Prose about {ROOT}/x/status."""', f'a = "{ROOT}/x"', 'b = f"{a}/heartbeat"', 'c = a + "/acks/" + a']
    path.write_text("\n".join(lines))
    assert [found.split(":")[1] for found in topic_literals(path)] == ["2", "3", "4"]


@each_file
def test_file_is_short(path: Path) -> None:
    """A file that no one reads in one go hides its faults."""
    assert len(path.read_text().splitlines()) <= MAX_LINES


@each_source
def test_module_is_named_after_what_it_holds(path: Path) -> None:
    """A module called after nothing fills up with everything."""
    assert not VAGUE & set(path.with_suffix("").parts)


@each_test_file
def test_test_states_its_fact(path: Path) -> None:
    """Every test carries a docstring, so that a red test says which promise is broken."""
    silent = [
        node.name
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
        and not ast.get_docstring(node)
    ]
    assert silent == []


@each_file
def test_ignore_gives_its_reason(path: Path) -> None:
    """Whoever silences a checker says why, on the same line and for one rule."""
    with tokenize.open(path) as lines:
        comments = [token for token in tokenize.generate_tokens(lines.readline) if token.type == tokenize.COMMENT]
    bare = [
        f"{path}:{token.start[0]}: {token.string}"
        for token in comments
        if IGNORE.match(token.string) and not REASONED.match(token.string)
    ]
    assert bare == []


def imports(path: Path) -> Iterator[str]:
    """First names of all modules that a file imports."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.split(".")[0]


@pytest.mark.parametrize("path", sorted(TOPIC_FILE.parent.glob("*.py")), ids=str)
def test_protocol_is_pure(path: Path) -> None:
    """The protocol imports nothing that has a socket, thread, clock, dice, environment or file."""
    assert not set(imports(path)) & IMPURE
