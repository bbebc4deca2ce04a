"""``tidegate doctor site``."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import click

from gateway import logs
from gateway.broker import Login
from gateway.doctor import broker, machine, network
from gateway.doctor.finding import Finding, Look, bad, doubtful, findings, good, report
from gateway.protocol.errors import SettingsError
from gateway.protocol.topics import DescriptionTopic
from site_agent.command import proof_of
from site_agent.configuration import SiteConfiguration
from site_agent.driver_choice import driver_of
from site_agent.drivers.port import PlcError
from site_agent.folder_lock import held
from site_agent.identity import Identity
from site_agent.plc_table import PlcTable
from site_agent.sealing.custody import Custody
from site_agent.site_file import load

#: No device of a site: a message about it tells nobody anything.
_NO_DEVICE = "doctor"


@click.command()
@click.option(
    "--config",
    "path",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("site.toml"),
    show_default=True,
    help="The site's file.",
)
@click.option(
    "--trust",
    type=click.Path(path_type=Path, dir_okay=False),
    envvar="TIDEGATE_TRUST_FILE",
    help="As for tidegate agent.",
)
@click.option("--json", "as_json", is_flag=True, help="a line of JSON for each finding")
def site(path: Path, trust: Path | None, as_json: bool) -> None:
    """Look at a site from its PC: its file, certificate, way to the broker, rights there, PLCs and disk.

    Nothing is written to a PLC. An agent that runs is not disturbed: then its login at the broker is not tried, for it
    would end the agent's. Ends with 1 if something is bad.
    """
    logs.configure("doctor", level="CRITICAL")  # what is wrong, the findings say
    sys.exit(report(findings(_looks(path, trust)), as_json=as_json))


def _looks(path: Path, trust: Path | None) -> Iterator[tuple[str, Look, str]]:
    yield "clock", machine.synchronised_clock, "set it"
    try:
        configuration = load(path)
    except SettingsError as error:
        said = str(error)
        yield "file", lambda: bad("file", said, f"mend it, then: tidegate agent --config {path} --check"), ""
        return
    yield "file", lambda: good("file", _described(path, configuration)), ""
    yield "seal", lambda: _seal(Custody(path, trust)), "see docs/sealing.md; the agent goes on with the last good file"
    yield "disk", lambda: machine.room(configuration.agent.folder), "make room"
    table = configuration.broker
    if table.identity is not None:
        identity = Identity(table.identity)
        yield "identity", lambda: _identity(configuration, identity), "enrol the site: tidegate agent enrol"
        yield "centre", lambda: machine.clock_beside(identity.centre, identity.tls), "it renews the certificate"
    yield "network", lambda: network.reached("network", table.host, table.port), "check host and port in [broker]"
    yield "broker", lambda: _login(configuration), "is the certificate or password still good? tidegate site list"
    for plc in configuration.plcs:
        yield plc.name, partial(_plc_now, plc, configuration), "check its address"


def _described(path: Path, configuration: SiteConfiguration) -> str:
    return f"{path}: {configuration.site}, {len(configuration.plcs)} PLCs, {len(configuration.devices)} devices"


def _seal(custody: Custody) -> Finding:
    taken = custody.check()
    if taken.seal is None:
        return good("seal", "no trust file, so any right file is taken over")
    said = f"version {taken.seal.statement.version}, sealed by {', '.join(taken.signers)}"
    if _in_same_hands(custody.trust_path, taken.configuration.agent.folder):
        todo = "give it and its folder to root, readable by all; then nobody else changes who is trusted"
        return doubtful("seal", f"{said}; but the agent's own user may change {custody.trust_path}", todo)
    return good("seal", said)


def _in_same_hands(trust: Path, folder: Path) -> bool:
    """Whether whoever has the agent's folder may also change whom it trusts; rights of Windows are not looked at."""
    if os.name != "posix" or not folder.exists():
        return False
    owner = folder.stat().st_uid
    return owner != 0 and any(each.stat().st_uid == owner for each in (trust, trust.resolve().parent))


def _identity(configuration: SiteConfiguration, identity: Identity) -> Finding:
    proof_of(configuration)
    return network.lasting(
        "identity", f"the certificate of {identity.site}", identity.certificate().not_valid_after_utc
    )


def _login(configuration: SiteConfiguration) -> Iterator[Finding]:
    try:
        configuration.agent.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with held(configuration.agent.folder):
            table = configuration.broker
            identity = None if table.identity is None else Identity(table.identity)
            login = Login(
                host=table.host,
                port=table.port,
                username=configuration.site,
                password=proof_of(configuration),
                tls=None if identity is None else identity.tls,
            )
            yield from broker.heard(login)
            yield broker.round_trip(login, DescriptionTopic(configuration.site, _NO_DEVICE))
    except SettingsError as error:
        if not any(each.code == "in-use" for each in error.faults):
            raise
        yield good("broker", "not tried: the agent runs, and its login would end")


def _plc_now(plc: PlcTable, configuration: SiteConfiguration) -> Finding:
    return asyncio.run(_plc(plc, configuration))


async def _plc(plc: PlcTable, configuration: SiteConfiguration) -> Finding:
    driver = driver_of(plc, configuration.devices)
    try:
        await driver.open()
    except PlcError as error:
        todo = "is it on, and is the cable in? then: tidegate plc check"
        return bad(plc.name, f"{plc.address}: {error.detail}", todo)
    finally:
        await driver.close()
    return good(plc.name, f"{plc.address} takes connections")
