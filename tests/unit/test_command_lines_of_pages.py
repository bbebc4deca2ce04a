"""Every line of ours that a page shows to be typed is one that the command line takes."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Final

import click
import pytest

from gateway.cli import tidegate
from tests.documentation import fences

PAGES: Final = ("enrolment", "operations", "security", "commissioning", "http", "farm", "sealing")
_LINE: Final = re.compile(r"(?:^|\| |-- )(tidegate [^|#\n]*)", re.MULTILINE)


def _lines() -> list[str]:
    texts = [fence.text for page in PAGES for fence in fences(Path(f"docs/{page}.md"), "sh")]
    return sorted({line.strip() for text in texts for line in _LINE.findall(text.replace("\\\n", " "))})


def _parse(words: list[str]) -> None:
    command: click.Command = tidegate
    context = click.Context(tidegate, info_name="tidegate")
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        found = command.get_command(context, words[0])
        assert found is not None, f"no command {words[0]!r}"
        command, words = found, words[1:]
        context = click.Context(command, info_name=command.name, parent=context)
    command.make_context(command.name, words, parent=context)


@pytest.mark.parametrize("line", _lines())
def test_line_of_a_page_is_a_command_line(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command is there, and takes these options and arguments."""
    monkeypatch.setattr("click.core.confirm", lambda *_, **__: True)
    _parse(shlex.split(line)[1:])


def test_pages_show_many_lines() -> None:
    """So that the test above does not pass for want of any."""
    assert len(_lines()) > 20
