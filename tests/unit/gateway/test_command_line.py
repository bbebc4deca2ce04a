"""The command line teaches: each command has help that reads well."""

from __future__ import annotations

import click
import pytest
from click.testing import CliRunner

from gateway.cli import COMMANDS, tidegate


def _helps() -> list[tuple[str, ...]]:
    context = click.Context(tidegate)
    found: list[tuple[str, ...]] = []
    for name in COMMANDS:
        command = tidegate.get_command(context, name)
        found.append((name,))
        if isinstance(command, click.Group):
            found += [(name, each) for each in command.commands]
    return found


@pytest.mark.parametrize("words", _helps(), ids=" ".join)
def test_help_of_every_command_shows_no_mark_of_its_making(words: tuple[str, ...]) -> None:
    """Lines that are to be pasted stand as they are, without the sign that keeps them so."""
    shown = CliRunner().invoke(tidegate, [*words, "--help"])
    assert shown.exit_code == 0
    assert "\\b" not in shown.output
    assert "\b" not in shown.output
