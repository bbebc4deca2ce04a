"""``tidegate site``: which sites may come in."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta

import click
import segno
from rich.console import Console
from rich.table import Table

from gateway.broker_files import BrokerFiles
from gateway.broker_reload import BrokerReload
from gateway.database import upgraded
from gateway.identity.authority import Authority
from gateway.identity.certificates import fingerprint
from gateway.identity.enrolments import Enrolments, Registration
from gateway.identity.seat import Seat
from gateway.protocol.enrolment import EnrolmentCode
from gateway.protocol.errors import Fault, SettingsError
from gateway.protocol.ids import is_id
from gateway.settings import BrokerFolderSettings, EnrolmentSettings
from gateway.sites import Sites


def _site(_context: click.Context, parameter: click.Parameter, value: str) -> str:
    if not is_id(value):
        raise click.BadParameter("only small letters, digits and inner dashes, such as arava-1", param=parameter)
    return value


@click.group(
    epilog="""\b
tidegate site add arava-1          a code for the site's PC; there: tidegate agent enrol CODE
tidegate site list
tidegate site revoke arava-1       at once: nothing that the site has opens anything
tidegate site remove arava-1       and its topics and its place in the lists go too
"""
)
def site() -> None:
    """Sites: let them in by a code, and put them out again.

    TIDEGATE_PUBLIC_URL and TIDEGATE_PUBLIC_BROKER say where sites reach the centre; see docs/enrolment.md.
    """


@site.command()
@click.argument("name", callback=_site)
@click.option("--hours", type=click.FloatRange(0, 168, min_open=True), default=1.0, show_default=True, help="how long")
@click.option("--json", "as_json", is_flag=True, help="one line of JSON")
def add(name: str, hours: float, as_json: bool) -> None:
    """Register the site NAME and print a code with which its PC can enrol, once.

    For a site that is known already it is a new code: for another PC, or after its certificate ended. Codes from before
    are void, its present certificate stays good.
    """
    settings = EnrolmentSettings.read()
    _check(settings)
    found = fingerprint(Authority(settings.ca_folder).chain())
    with upgraded(settings.database_url) as engine:
        secret, until = Enrolments(engine).register(name, timedelta(hours=hours))
    code = str(EnrolmentCode(url=settings.public_url, secret=secret, fingerprint=found))
    if as_json:
        click.echo(json.dumps({"site": name, "code": code, "expires_at": _text(until)}))
        return
    click.echo(code)
    if sys.stdout.isatty():
        segno.make_qr(code).terminal(compact=True)
    click.echo(f"on the PC of {name}, before {until.astimezone():%H:%M}: tidegate agent enrol", err=True)
    click.echo("it asks for this code; nobody can show it again", err=True)


@site.command("list")
@click.option("--json", "as_json", is_flag=True, help="a line of JSON for each")
def list_(as_json: bool) -> None:
    """Show the sites that were registered, and how long their certificates are good."""
    with upgraded(EnrolmentSettings.read().database_url) as engine:
        found = Enrolments(engine).all()
    now = datetime.now(UTC)
    if as_json:
        for each in found:
            click.echo(json.dumps(_row(each, now)))
        return
    table = Table("site", "state", "certificate ends", "registered")
    for each in found:
        ends = "" if each.expires_at is None else f"{each.expires_at:%Y-%m-%d}"
        table.add_row(each.site, each.state(now), ends, f"{each.registered_at:%Y-%m-%d}")
    Console().print(table)


@site.command()
@click.argument("name", callback=_site)
def revoke(name: str) -> None:
    """Let nothing that the site NAME has open anything any more, and end its connection.

    Run it where the broker runs. What the site said stays; it may come back with a new code.
    """
    _put_out(name, remove=False)
    click.echo(f"{name} is revoked; its connection was ended")


@site.command()
@click.argument("name", callback=_site)
@click.confirmation_option(prompt="Its certificate, its retained topics and its place in the lists go. Sure?")
def remove(name: str) -> None:
    """As revoke; and the broker forgets what it kept of the site, which is shown no more.

    Its commands, events and samples stay in the database.
    """
    _put_out(name, remove=True)
    click.echo(f"{name} is removed")


def _put_out(name: str, *, remove: bool) -> None:
    settings = BrokerFolderSettings.read()
    files = _broker_files(settings)
    # The list of revoked certificates is made and handed on in one turn: an older one never replaces a newer one.
    with upgraded(settings.database_url) as engine, files.turn.held():
        enrolments = Enrolments(engine)
        if not enrolments.revoke(name) and Sites(engine).get(name) is None:
            detail = f"there is no {name}; see tidegate site list"
            raise SettingsError("the list of sites", [Fault("", "unknown-site", detail)])
        authority = Authority(settings.ca_folder)
        revoked = authority.revoke(enrolments.revoked()) if authority.exists else None
        devices = [each.device for each in Sites(engine).devices(name)] if remove else None
        _seat(settings, files).take(name, revoked, clear=devices)
        if remove:
            enrolments.remove(name)


def _broker_files(settings: BrokerFolderSettings) -> BrokerFiles:
    files = BrokerFiles(settings.broker_folder, secrets=settings.broker_secrets)
    if not files.users():
        detail = f"{files.folder} has no users of a broker; run this where it runs, or set TIDEGATE_BROKER_FOLDER"
        raise SettingsError("the broker", [Fault("", "not-here", detail)])
    return files


def _seat(settings: BrokerFolderSettings, files: BrokerFiles) -> Seat:
    return Seat(
        files, BrokerReload(files, settings.broker_reload), host=settings.broker_host, port=settings.broker_port
    )


def _check(settings: EnrolmentSettings) -> None:
    asked = {
        "TIDEGATE_PUBLIC_URL": (settings.public_url, "where sites reach the facade: https://centre.example:8443"),
        "TIDEGATE_PUBLIC_BROKER": (settings.public_broker, "where sites reach the broker: broker.example:8884"),
    }
    faults = [Fault(name, "missing", f"say {meaning}") for name, (value, meaning) in asked.items() if not value]
    if faults:
        raise SettingsError("the environment", faults)


def _row(each: Registration, now: datetime) -> dict[str, object]:
    return {
        "site": each.site,
        "state": each.state(now),
        "registered_at": _text(each.registered_at),
        "certificate_ends_at": None if each.expires_at is None else _text(each.expires_at),
        "revoked_at": None if each.revoked_at is None else _text(each.revoked_at),
    }


def _text(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
