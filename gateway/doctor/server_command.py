"""``tidegate doctor server``."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import click
from cryptography import x509

from gateway import logs
from gateway.broker_files import BrokerFiles
from gateway.database import open_engine, try_write
from gateway.doctor import broker, machine, network
from gateway.doctor.finding import Finding, Look, bad, findings, good, report
from gateway.identity.authority import Authority
from gateway.liveness import Liveness, open_redis
from gateway.settings import BrokerFolderSettings, ServerSettings
from gateway.technician.login import PEOPLE_PORT


@click.command()
@click.option("--people-port", default=PEOPLE_PORT, show_default=True, help="the broker's port for people, without TLS")
@click.option("--json", "as_json", is_flag=True, help="a line of JSON for each finding")
def server(people_port: int, as_json: bool) -> None:
    """Look at the centre, with the environment of the gateway: clock, disk, Redis, database, broker, certificates.

    Nothing that runs is disturbed. Ends with 1 if something is bad.
    """
    logs.configure("doctor", level="CRITICAL")  # what is wrong, the findings say
    sys.exit(report(findings(_looks(people_port)), as_json=as_json))


def _looks(people_port: int) -> Iterator[tuple[str, Look, str]]:
    settings, folders = ServerSettings.read(), BrokerFolderSettings.read()
    yield "clock", machine.synchronised_clock, "set it"
    yield "disk", lambda: machine.room(settings.home), "make room"
    yield (
        "redis",
        lambda: _redis(settings),
        "start it; check TIDEGATE_REDIS_URL and TIDEGATE_REDIS_PASSWORD_FILE",
    )
    yield "database", lambda: _database(settings), "check TIDEGATE_DATABASE_URL, and type: tidegate db check"
    program = shutil.which("mosquitto", path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin"]))
    if program is not None:
        yield "mosquitto", lambda: broker.version(Path(program)), ""
    files = BrokerFiles(folders.broker_folder, secrets=folders.broker_secrets)
    yield "broker's files", lambda: broker.configuration(files), "tidegate broker-files writes them anew"
    host = settings.broker_host
    yield "broker", lambda: network.reached("broker", host, settings.broker_port), "start it"
    yield "anonymous", lambda: broker.anonymous(host, settings.broker_port), ""
    # There a second login of a name ends no first one.
    people = replace(settings.login, port=people_port)
    if people.tls is None:
        yield (
            "broker",
            lambda: broker.heard(people),
            "check TIDEGATE_BROKER_PASSWORD_FILE, and --people-port",
        )
    if folders.ca_folder.exists():
        yield "authority", lambda: _authority(Authority(folders.ca_folder)), "tidegate ca create"
    shown = files.folder / "server.pem"
    if shown.exists():
        yield "broker's name", lambda: _certificate("broker's name", shown), "tidegate broker-files --tls NAME"
    place = folders.broker_address
    if place is not None:
        yield "sites' way in", lambda: network.reached("sites' way in", *place), "is the broker's TLS listener up?"


def _redis(settings: ServerSettings) -> Finding:
    with closing(Liveness(open_redis(settings.redis_url, settings.redis_password), expiry_s=1)) as liveness:
        liveness.ping()
    return good("redis", f"{settings.redis_url} answers and takes our password")


def _database(settings: ServerSettings) -> Finding:
    engine = open_engine(settings.database_url)
    try:
        there = try_write(engine)
    finally:
        engine.dispose()
    if not there:
        return bad("database", "it has no tables", "tidegate db upgrade")
    return good("database", "it can be read and written")


def _authority(authority: Authority) -> Finding:
    end = authority.signer().certificate.not_valid_after_utc
    if authority.key_file.stat().st_mode & 0o077:
        todo = f"chmod 600 {authority.key_file}"
        return bad("authority", f"others can read {authority.key_file}, and so be any site", todo)
    return network.lasting("authority", str(authority.certificate_file), end)


def _certificate(about: str, path: Path) -> Finding:
    found = x509.load_pem_x509_certificate(path.read_bytes())
    return network.lasting(about, str(path), found.not_valid_after_utc)
