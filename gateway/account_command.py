"""``tidegate account``: the people who sign in with a browser."""

from __future__ import annotations

import json
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click
from rich.console import Console
from rich.table import Table

from gateway.accounts import Accounts
from gateway.database import upgraded
from gateway.protocol.errors import Fault, SettingsError
from gateway.protocol.ids import is_id
from gateway.rights_options import rights_of, rights_options
from gateway.settings import DatabaseSettings


def _name(_context: click.Context, parameter: click.Parameter, value: str) -> str:
    if not is_id(value):
        raise click.BadParameter("small letters, digits and inner dashes, such as dana", param=parameter)
    return value


@click.group(
    epilog="""\b
tidegate account add dana --role operator --site arava-1
tidegate account password dana
tidegate account remove dana
"""
)
def account() -> None:
    """People who sign in with a browser. Roles are those of tidegate token; a change ends all sessions of the person.

    The password is asked for on a terminal. Elsewhere a random one is made, and printed once.
    """


@account.command()
@click.argument("name", callback=_name)
@rights_options
def add(name: str, role: str, sites: tuple[str, ...], all_sites: bool) -> None:
    """Let NAME sign in."""
    rights = rights_of(role, sites, all_sites)
    password = _password()
    with _accounts() as found:
        if not found.add(name, password, *rights):
            detail = f"there is {name} already; see tidegate account role --help"
            raise SettingsError("the list of accounts", [Fault("", "exists", detail)])
    click.echo(f"{name} may sign in", err=True)


@account.command()
@click.argument("name", callback=_name)
def password(name: str) -> None:
    """Give NAME another password."""
    made = _password()
    with _accounts() as found:
        _known(found.change(name, password=made), name)
    click.echo(f"{name} has another password", err=True)


@account.command()
@click.argument("name", callback=_name)
@rights_options
def role(name: str, role: str, sites: tuple[str, ...], all_sites: bool) -> None:
    """Change what NAME may do."""
    rights = rights_of(role, sites, all_sites)
    with _accounts() as found:
        _known(found.change(name, rights=rights), name)
    click.echo(f"{name} is {role} now")


@account.command()
@click.argument("name", callback=_name)
def remove(name: str) -> None:
    """Let NAME in no more; within seconds, at open pages as well."""
    with _accounts() as found:
        _known(found.remove(name), name)
    click.echo(f"{name} is out")


@account.command("list")
@click.option("--json", "as_json", is_flag=True, help="a line of JSON for each")
def list_(as_json: bool) -> None:
    """Show who may sign in, and what each may do."""
    with _accounts() as accounts:
        found = accounts.all()
    table = Table("name", "role", "sites", "since")
    for each in found:
        sites = None if each.sites is None else sorted(each.sites)
        if as_json:
            click.echo(json.dumps({"name": each.name, "role": each.role.value, "sites": sites}))
        places = "all" if sites is None else ", ".join(sites)
        table.add_row(each.name, each.role.value, places, f"{each.created_at:%Y-%m-%d}")
    if not as_json:
        Console().print(table)


def _password() -> str:
    if sys.stdin.isatty():
        return str(click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))
    made = secrets.token_urlsafe(18)
    click.echo(made)
    return made


def _known(found: bool, name: str) -> None:
    if not found:
        detail = f"there is no {name}; see tidegate account list"
        raise SettingsError("the list of accounts", [Fault("", "unknown-account", detail)])


@contextmanager
def _accounts() -> Iterator[Accounts]:
    with upgraded(DatabaseSettings.read().database_url) as engine:
        yield Accounts(engine)
