"""The documents say what the code does."""

from __future__ import annotations

import ast
import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from click.testing import CliRunner

from gateway.cli import tidegate
from gateway.protocol import lifecycle
from gateway.protocol.codec import decode, encode
from gateway.protocol.topics import TOPICS
from gateway.settings import PREFIX, BrokerFolderSettings
from http_facade import schemas
from http_facade.app import create_app
from http_facade.settings import FacadeSettings
from site_agent.configuration import SiteConfiguration
from tests.documentation import (
    DECISIONS,
    DOCS,
    PAGES,
    TABLES,
    Fence,
    code_rows,
    evidence_rows,
    fences,
    links,
    server_rows,
    site_rows,
    state_rows,
    topic_rows,
)
from tests.problem_codes import codes_of_problems

PROTOCOL: Final = DOCS / "protocol.md"
HTTP: Final = DOCS / "http.md"
BODIES: Final = {cls.body.__name__: cls.body for cls in TOPICS}
EXAMPLES: Final = fences(PROTOCOL, "json")
PROMISE: Final = re.compile(r"^\| (I\d+) \| .+ \| (now|later) \|$", re.MULTILINE)


@pytest.mark.parametrize("row", topic_rows())
def test_protocol_page_lists_topic(row: str) -> None:
    """Every topic is in the table, with its sender, retain, expiry and body."""
    assert row in PROTOCOL.read_text().splitlines()


@pytest.mark.parametrize("row", [*code_rows(), *state_rows(), *evidence_rows()])
def test_protocol_page_lists_code_state_and_evidence(row: str) -> None:
    """Every ack code, state and evidence is in its table, with the meaning that the code gives it."""
    assert row in PROTOCOL.read_text().splitlines()


def test_protocol_page_draws_the_lifecycle() -> None:
    """The picture is made of the table that the ledger obeys."""
    (drawing,) = fences(PROTOCOL, "mermaid")
    assert drawing.text.strip() == lifecycle.diagram()


def test_protocol_page_has_an_example_of_every_body() -> None:
    """Nobody has to guess how a message looks."""
    assert {name for example in EXAMPLES for name in example.info[1:]} == set(BODIES)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.info[1])
def test_protocol_page_example_is_a_message(example: Fence) -> None:
    """Each example is read by the code, and nothing in it is unknown or left out."""
    message = decode(BODIES[example.info[1]], "docs", example.text.encode())
    assert json.loads(encode(message)).keys() == json.loads(example.text).keys()


@pytest.mark.parametrize("row", server_rows())
def test_configuration_page_lists_variable(row: str) -> None:
    """Every setting of gateway and facade is in the table, with its default and meaning."""
    assert row in (DOCS / "configuration.md").read_text().splitlines()


def test_configuration_page_lists_no_other_variable() -> None:
    """A variable that is gone from the code is gone from the page, and none is missing."""
    spelt = set(re.findall(r"TIDEGATE_[A-Z_]+[A-Z]", (DOCS / "configuration.md").read_text()))
    sources = [path.read_text() for package in ("gateway", "site_agent") for path in Path(package).rglob("*.py")]
    known = {name for text in [*sources, *server_rows()] for name in re.findall(r"TIDEGATE_[A-Z_]+[A-Z]", text)}
    known |= {f"{PREFIX}{name.upper()}" for name in BrokerFolderSettings.model_fields}
    assert spelt <= known
    assert {name for row in server_rows() for name in re.findall(r"`(TIDEGATE_[A-Z_]+)`", row)} <= spelt


@pytest.mark.parametrize("table", TABLES)
def test_configuration_page_lists_keys_of_the_site_file(table: str) -> None:
    """Every key of every table of site.toml is there, in order, with its default."""
    section = (DOCS / "configuration.md").read_text().split(f"### `{table}`\n")[1].split("\n### ")[0]
    rows = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| `")]
    assert [[cell.strip() for cell in cells[:2]] for cells in rows] == site_rows(table)


def test_configuration_page_example_is_a_site_file() -> None:
    """The example is accepted by the agent."""
    (example,) = fences(DOCS / "configuration.md", "toml", "site")
    assert SiteConfiguration.model_validate(tomllib.loads(example.text)).site == "arava-1"


def test_http_page_lists_every_problem_code() -> None:
    """Whoever meets a code finds it in the table, and the table has no other."""
    section = HTTP.read_text().split("| code | status | meaning |")[1]
    assert set(re.findall(r"^\| `([a-z-]+)` \|", section, re.MULTILINE)) == codes_of_problems()


def test_http_page_lists_every_call(facade_routes: set[str]) -> None:
    """Every route is in the table, and the table has no other."""
    assert set(re.findall(r"^\| `((?:GET|PATCH|POST|PUT|DELETE) [^`]+)` \|", HTTP.read_text(), re.M)) == facade_routes


def test_http_page_problem_is_one() -> None:
    """The example has the members of our problems and no other."""
    (example,) = fences(HTTP, "json", "problem")
    body: dict[str, Any] = json.loads(example.text)
    schemas.Problem.model_validate(body)
    assert body.keys() <= schemas.Problem.model_fields.keys()


@pytest.fixture
def facade_routes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "@facade").write_text("a made up secret")
    monkeypatch.setenv("TIDEGATE_HOME", str(tmp_path))
    rules = create_app(FacadeSettings.read()).url_map.iter_rules()
    return {
        f"{method} {rule.rule.replace('<', '{').replace('>', '}')}"
        for rule in rules
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.rule.startswith("/v1/") or rule.rule in {"/healthz", "/readyz"}
    }


def invariants_of_tests() -> Iterator[str]:
    """The ids that tests carry."""
    for path in Path("tests").rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.invariant":
                yield from (str(each.value) for each in node.args if isinstance(each, ast.Constant))


PROMISES: Final = dict(PROMISE.findall((DOCS / "promises.md").read_text()))
CARRIED: Final = set(invariants_of_tests())


def test_promises_page_names_all_seventeen() -> None:
    """No promise is left out."""
    assert list(PROMISES) == [f"I{number}" for number in range(1, 18)]


@pytest.mark.parametrize("promise", [promise for promise, proven in PROMISES.items() if proven == "now"])
def test_promise_called_proven_has_a_test(promise: str) -> None:
    """What is called proven has a test that carries its id."""
    assert promise in CARRIED


def test_invariants_of_tests_are_promises() -> None:
    """No test claims to prove what is not promised."""
    assert set(PROMISES) >= CARRIED


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_page_names_tests_that_are_there(page: Path) -> None:
    """Whoever wants to see the proof finds it."""
    named = re.findall(r"`(tests/[^`]+?\.py)`", page.read_text())
    assert [path for path in named if not Path(path).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_page_links_lead_somewhere(page: Path) -> None:
    """No link between our pages is dead."""
    assert [target for target in links(page) if not (page.parent / target).exists()] == []


def test_readme_is_short() -> None:
    """Who we are and how to try it fits on a page and a half."""
    assert len(Path("README.md").read_text().splitlines()) <= 80


@pytest.mark.parametrize("page", sorted(DECISIONS.glob("[0-9]*.md")), ids=lambda page: page.stem)
def test_decision_has_its_parts(page: Path) -> None:
    """A decision says its status and date, why, what, and what follows; and the index leads to it."""
    text = page.read_text()
    assert re.search(r"^\W*Status\W+\w+", text, re.MULTILINE)
    assert re.search(r"^\W*Date\W+\d{4}-\d\d-\d\d", text, re.MULTILINE)
    assert re.findall(r"^## (\w+)", text, re.MULTILINE) == ["Context", "Decision", "Consequences"]
    assert f"({page.name})" in (DECISIONS / "README.md").read_text()


@pytest.mark.parametrize("command", ["watch", "send", "agent", "gateway", "facade", "simulate", "demo"])
def test_help_of_command_teaches(command: str) -> None:
    """Every subcommand explains itself without starting anything."""
    done = CliRunner().invoke(tidegate, [command, "--help"])
    assert done.exit_code == 0, done.output
    assert len(done.output.splitlines()) > 5
