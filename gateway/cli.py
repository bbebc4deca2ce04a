"""The ``tidegate`` command: one table of subcommands, each imported only when it is asked for.

The table holds names, not imports: a site's PC has the agent's libraries alone, and ``--help`` stays quick.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Final

import click

from gateway import __version__
from gateway.protocol.errors import TidegateError

#: subcommand -> (module, attribute, one line for --help, extra that brings its libraries)
COMMANDS: Final[dict[str, tuple[str, str, str, str]]] = {
    "agent": ("site_agent.command", "agent", "Run the agent of a site, beside its PLCs.", "agent"),
    "gateway": ("gateway.command", "gateway", "Run the gateway: heartbeats, acks, the ledger.", "server"),
    "facade": ("http_facade.command", "facade", "Run the HTTP facade.", "server"),
    "plc": (
        "site_agent.commissioning.command",
        "plc",
        "Compare a site's file with its PLCs.",
        "agent",
    ),
    "profile": ("site_agent.profile_command", "profile", "Device types: list, show and check them.", "agent"),
    "simulate": ("site_agent.simulator.command", "simulate", "Run a simulated farm of two PLCs.", "agent"),
    "audit": ("gateway.audit_command", "audit", "Is the audit whole, and what is in it.", "server"),
    "db": ("gateway.database_command", "db", "The central database: upgrade, check, backup, restore.", "server"),
    "ca": ("gateway.identity.authority_command", "ca", "The authority that vouches for sites and servers.", "server"),
    "site": ("gateway.identity.site_command", "site", "Which sites may come in: add, list, revoke, remove.", "server"),
    "person": ("gateway.person_command", "person", "Who may log in at the broker: add, role, revoke, list.", "server"),
    "token": ("gateway.token_command", "token", "Who may use the HTTP interface: add, list, revoke.", "server"),
    "watch": ("gateway.technician.command", "watch", "See live what a site, or all sites, report.", ""),
    "send": ("gateway.technician.command", "send", "Change settings of a device and see the answer.", ""),
    "broker-files": (
        "gateway.broker_files_command",
        "broker_files",
        "Make the broker's configuration and passwords.",
        "",
    ),
    "demo": (
        "gateway.demo.command",
        "demo",
        "Run the whole system on this machine with a simulated farm.",
        "demo",
    ),
}


class _Commands(click.Group):
    """Subcommands of :data:`COMMANDS`, loaded on first use."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 # click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 # click's signature
        if cmd_name not in COMMANDS:
            return None
        module, attribute, _, extra = COMMANDS[cmd_name]
        try:
            command = getattr(import_module(module), attribute)
        except ModuleNotFoundError as error:
            raise click.ClickException(
                f"'tidegate {cmd_name}' needs the package {error.name}; type: pip install 'tidegate[{extra}]'"
            ) from error
        assert isinstance(command, click.Command)  # noqa: S101 # the table above is ours
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 # same
        with formatter.section("Commands"):
            formatter.write_dl([(name, row[2]) for name, row in COMMANDS.items()])


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="tidegate")
def tidegate() -> None:
    """Change what a site's PLCs do from far away, and know what really happened.

    On one machine, to try it all: tidegate demo. On a site: tidegate agent. At the centre: tidegate gateway and
    tidegate facade. For technicians: tidegate watch and tidegate send.
    """


def main() -> None:
    """Entry point; errors of ours end in one clear message and exit code 2."""
    try:
        tidegate()
    except TidegateError as error:
        click.echo(f"tidegate: {error}", err=True)
        sys.exit(2)
