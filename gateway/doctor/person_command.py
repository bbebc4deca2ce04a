"""``tidegate doctor person``."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import click

from gateway import logs
from gateway.broker import Login
from gateway.doctor import broker, machine, network
from gateway.doctor.finding import Look, findings, report
from gateway.technician.login import LOGIN_HELP, login_options


@click.command(epilog=LOGIN_HELP)
@click.option("--json", "as_json", is_flag=True, help="a line of JSON for each finding")
@login_options
def person(login: Login, as_json: bool) -> None:
    """Look from a technician's machine: its clock, the broker's name, port and certificate, and the login.

    Ends with 1 if something is bad.
    """
    logs.configure("doctor", level="CRITICAL")  # what is wrong, the findings say
    sys.exit(report(findings(_looks(login)), as_json=as_json))


def _looks(login: Login) -> Iterator[tuple[str, Look, str]]:
    yield "clock", machine.synchronised_clock, "set it"
    yield "network", lambda: network.reached("network", login.host, login.port), "check --host and --port"
    tls = login.tls
    if tls is not None:
        yield "certificate", lambda: network.certificate("certificate", login.host, login.port, tls), "check --ca-file"
    yield "broker", lambda: broker.heard(login), "check --user and the password; ask for: tidegate person list"
