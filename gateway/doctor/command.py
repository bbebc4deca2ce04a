"""``tidegate doctor``: three looks, each with the libraries that are on that machine."""

from __future__ import annotations

from typing import Final

import click

from gateway.command_table import CommandTable, Table

_LOOKS: Final[Table] = {
    "server": ("gateway.doctor.server_command", "server", "The centre, where gateway and facade run.", "server"),
    "site": ("site_agent.doctor_command", "site", "A site, from its own PC.", "agent"),
    "person": ("gateway.doctor.person_command", "person", "A technician's machine, and the login.", ""),
}


@click.group(
    cls=CommandTable,
    table=_LOOKS,
    epilog="""\b
tidegate doctor server
tidegate doctor site --config site.toml
tidegate doctor person --host centre.example --ca-file ca.pem --user @ana
""",
)
def doctor() -> None:
    """Find out what is wrong here, and what to type.

    Each finding is good, doubtful (it works, but not for long, or not as it should) or bad. Nothing is changed.
    """
