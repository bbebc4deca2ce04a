"""A group of commands that are imported only when they are asked for.

The table holds names, not imports: a site's PC has the agent's libraries alone, and ``--help`` stays quick.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click

#: subcommand -> (module, attribute, one line for --help, extra that brings its libraries)
Table = Mapping[str, tuple[str, str, str, str]]


class CommandTable(click.Group):
    """Subcommands of ``table``, loaded on first use."""

    def __init__(self, *arguments: Any, table: Table, **options: Any) -> None:  # noqa: ANN401 # click's own
        super().__init__(*arguments, **options)
        self._table = table

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 # click's signature
        """The names, in the table's order."""
        return list(self._table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command; says which package is missing, if one is."""
        if cmd_name not in self._table:
            return None
        module, attribute, _, extra = self._table[cmd_name]
        try:
            command = getattr(import_module(module), attribute)
        except ModuleNotFoundError as error:
            path = f"{ctx.command_path.rpartition('/')[2]} {cmd_name}".replace("python -m gateway", "tidegate")
            raise click.ClickException(
                f"'{path}' needs the package {error.name}; type: pip install 'tidegate[{extra}]'"
            ) from error
        assert isinstance(command, click.Command)  # noqa: S101 # the tables are ours
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 # same
        """Without importing any of them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, row[2]) for name, row in self._table.items()])
