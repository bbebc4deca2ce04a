"""The ``tidegate`` command: one table of subcommands, each imported only when it is asked for."""

from __future__ import annotations

import sys
from typing import Final

import click

from gateway import __version__
from gateway.command_table import CommandTable, Table
from gateway.protocol.errors import TidegateError

COMMANDS: Final[Table] = {
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
    "seal": ("site_agent.sealing.command", "seal", "Vouch for a site's file, so that no other is taken.", "agent"),
    "simulate": ("site_agent.simulator.command", "simulate", "Run a simulated farm of two PLCs.", "agent"),
    "audit": ("gateway.audit_command", "audit", "Is the audit whole, and what is in it.", "server"),
    "db": ("gateway.database_command", "db", "The central database: upgrade, check, backup, restore.", "server"),
    "ca": ("gateway.identity.authority_command", "ca", "The authority that vouches for sites and servers.", "server"),
    "site": ("gateway.identity.site_command", "site", "Which sites may come in: add, list, revoke, remove.", "server"),
    "person": ("gateway.person_command", "person", "Who may log in at the broker: add, role, revoke, list.", "server"),
    "account": ("gateway.account_command", "account", "Who may sign in with a browser.", "server"),
    "token": ("gateway.token_command", "token", "Who may use the HTTP interface: add, list, revoke.", "server"),
    "doctor": ("gateway.doctor.command", "doctor", "What is wrong on this machine, and what to type.", ""),
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


@click.group(cls=CommandTable, table=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
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
