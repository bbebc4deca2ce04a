"""``tidegate person``: the people who may log in at the broker."""

from __future__ import annotations

import json
from functools import partial

import click
from rich.console import Console
from rich.table import Table

from gateway.broker_files import BrokerFiles, kind_of
from gateway.broker_reload import BrokerReload
from gateway.people import ROLES, Person
from gateway.protocol.errors import Fault, SettingsError
from gateway.protocol.ids import is_principal
from gateway.rights_options import rights_of, rights_options
from gateway.settings import BrokerFolderSettings


def _name(_context: click.Context, parameter: click.Parameter, value: str) -> str:
    name = f"@{value.removeprefix('@')}"
    if not is_principal(name) or kind_of(name) != "person":
        raise click.BadParameter("small letters, digits, inner dashes; not gateway or facade", param=parameter)
    return name


_rights = partial(rights_options, roles=ROLES)


@click.group(
    epilog="""\b
tidegate person add ana --role operator --site arava-1
tidegate person role ana --role viewer --all-sites
tidegate person revoke ana
"""
)
def person() -> None:
    """People who log in at the broker, with mosquitto_sub, tidegate watch and the like.

    A viewer sees what the sites say; an operator sends them commands too, each under the own name. Run it where the
    broker runs (TIDEGATE_BROKER_FOLDER); it is told at once. For HTTP see tidegate token --help.
    """


@person.command()
@click.argument("name", callback=_name)
@_rights
def add(name: str, role: str, sites: tuple[str, ...], all_sites: bool) -> None:
    """Let NAME log in; a random password is put into a file, to be given to that person and then deleted."""
    rights = _person(name, role, sites, all_sites)
    files, reload = _broker()
    if name in files.users():
        detail = f"{name} is there; for other rights: tidegate person role; the password: {files.secret_file(name)}"
        raise SettingsError("the list of people", [Fault("", "exists", detail)])
    with reload.changing():
        files.people.put(rights)
        files.write_users([name])
    click.echo(f"{name} may log in; their password is in {files.secret_file(name)}")


@person.command()
@click.argument("name", callback=_name)
@_rights
def role(name: str, role: str, sites: tuple[str, ...], all_sites: bool) -> None:
    """Change what NAME may do; it holds at once, for connections that stand as well."""
    rights = _person(name, role, sites, all_sites)
    files, reload = _broker()
    _check_known(files, name)
    with reload.changing():
        files.people.put(rights)
        files.write_users()
    click.echo(f"{name} is {rights.role} at {_places(rights)}")


@person.command()
@click.argument("name", callback=_name)
def revoke(name: str) -> None:
    """Let NAME in no more, and end their connections."""
    files, reload = _broker()
    _check_known(files, name)
    with reload.changing():
        # In this order: who is a user and in no register may do everything, should we be stopped in between.
        files.write_users(without=[name])
        files.people.remove(name)
    click.echo(f"{name} is out")


@person.command("list")
@click.option("--json", "as_json", is_flag=True, help="a line of JSON for each")
def list_(as_json: bool) -> None:
    """Show who may log in, and what each may do."""
    files, _ = _broker()
    people = [files.people.get(user) for user in sorted(files.users()) if kind_of(user) == "person"]
    if as_json:
        for each in people:
            sites = None if each.sites is None else sorted(each.sites)
            click.echo(json.dumps({"name": each.name, "role": each.role.value, "sites": sites}))
        return
    table = Table("name", "role", "sites")
    for each in people:
        table.add_row(each.name, each.role.value, _places(each))
    Console().print(table)


def _person(name: str, role: str, sites: tuple[str, ...], all_sites: bool) -> Person:
    granted, where = rights_of(role, sites, all_sites)
    return Person(name=name, role=granted, sites=where)


def _broker() -> tuple[BrokerFiles, BrokerReload]:
    settings = BrokerFolderSettings.read()
    files = BrokerFiles(settings.broker_folder, secrets=settings.broker_secrets)
    if not files.users():
        detail = f"{files.folder} has no users of a broker; set TIDEGATE_BROKER_FOLDER, or see tidegate broker-files"
        raise SettingsError("the broker", [Fault("", "not-here", detail)])
    return files, BrokerReload(files, settings.broker_reload)


def _check_known(files: BrokerFiles, name: str) -> None:
    if name not in files.users():
        detail = f"there is no {name}; see tidegate person list"
        raise SettingsError("the list of people", [Fault("", "unknown-person", detail)])


def _places(rights: Person) -> str:
    return "all sites" if rights.sites is None else ", ".join(sorted(rights.sites))
