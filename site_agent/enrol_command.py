"""``tidegate agent enrol``: from a code to a site that the centre knows."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from gateway.protocol.enrolment import Enrolled, EnrolmentCode
from site_agent.enrolment import enrol as enrol_with
from site_agent.identity import Identity

#: What stays to be written by hand: the centre knows no PLC.
_SITE_FILE: Final = """\
# The agent's file; docs/configuration.md explains each line. While the agent runs, it takes over what is changed here.
site = "{site}"

[broker]
host = "{host}"
port = {port}
identity = "{identity}"

# A PLC, and a device on it: take the number signs away, and fill in what is true here.
# Then: tidegate agent --check, and: tidegate plc check site.toml
#
# [[plcs]]
# name = "plc-1"
# host = "192.168.0.10"
#
# [[devices]]
# id = "feeder-1"
# plc = "plc-1"
# profile = "fish-feeder-mailbox"
"""


@click.command(
    epilog="""\b
The code is made at the centre:   tidegate site add arava-1
Then, on the site's PC:           tidegate agent enrol tge1_...
And:                              tidegate agent
"""
)
@click.argument("code", envvar="TIDEGATE_ENROLMENT_CODE", required=False)
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    show_default="here",
    help="Where site.toml and the folder 'identity' are to be.",
)
@click.option("--replace", is_flag=True, help="Even if this PC is another site by now.")
def enrol(code: str | None, folder: Path, replace: bool) -> None:
    """Give this PC the identity of a site, with a CODE from the centre.

    The private key is made here and never leaves. The code is asked for if it is not given, which keeps it out of the
    shell's history; it works once, and for an hour or so.
    """
    read = EnrolmentCode.read(code or click.prompt("Code"))
    enrolled = enrol_with(read, Identity(folder / "identity"), replace=replace)
    click.echo(f"this is now {enrolled.site}; its key and certificate are in {folder / 'identity'}")
    _write_site_file(folder / "site.toml", enrolled)


def _write_site_file(path: Path, enrolled: Enrolled) -> None:
    values = {
        "site": enrolled.site,
        "host": enrolled.broker_host,
        "port": enrolled.broker_port,
        "identity": "identity",
    }
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(_SITE_FILE.format(**values))
    except FileExistsError:
        click.echo(f"{path} is there and was kept; see to it that it says:\n")
        click.echo(_SITE_FILE.format(**values).split("\n\n# A PLC")[0].partition("\n")[2])
        return
    click.echo(f"{path} is ready; add your PLCs to it. Start the agent with: tidegate agent --config {path}")
