"""``tidegate token``: who may use the HTTP interface, as what, and at which sites."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

import click
from rich.console import Console
from rich.table import Table

from gateway.database import upgraded
from gateway.protocol.errors import Fault, SettingsError
from gateway.rights_options import rights_of, rights_options
from gateway.settings import DatabaseSettings
from gateway.tokens import DEFAULT_DAYS, LONGEST_NAME, MOST_DAYS, TokenRecord, Tokens, is_name


@click.group(
    epilog="""\b
tidegate token add dana --role operator --site arava-1 --days 90
tidegate token list
tidegate token revoke 3k7m2x9p4q8r
"""
)
def token() -> None:
    """API tokens: make, list and revoke them.

    Roles, each with all that the former ones may: viewer sees; operator changes settings and asks for actions; engineer
    runs groups; admin does everything. The database is that of TIDEGATE_DATABASE_URL.
    """


@token.command()
@click.argument("name")
@rights_options
@click.option(
    "--days", type=click.IntRange(1, MOST_DAYS), default=DEFAULT_DAYS, show_default=True, help="how long it is good for"
)
@click.option("--json", "as_json", is_flag=True, help="one line of JSON")
def add(name: str, role: str, sites: tuple[str, ...], all_sites: bool, days: int, as_json: bool) -> None:
    """Make a token for NAME, and print it, once: nobody can show it again."""
    _check(name)
    granted, where = rights_of(role, sites, all_sites)
    expires_at = datetime.now(UTC) + timedelta(days=days)
    with _tokens() as tokens:
        made, record = tokens.add(name=name, role=granted, sites=where, expires_at=expires_at)
    if as_json:
        click.echo(json.dumps({"token": made, **_row(record)}))
    else:
        click.echo(made)
        click.echo(f"keep it well; it is not shown again. To revoke it: tidegate token revoke {record.id}", err=True)


@token.command("list")
@click.option("--json", "as_json", is_flag=True, help="a line of JSON for each")
def list_(as_json: bool) -> None:
    """Show all tokens, those that open nothing any more as well."""
    with _tokens() as tokens:
        found = tokens.all()
    if as_json:
        for each in found:
            click.echo(json.dumps(_row(each)))
        return
    table = Table("id", "name", "role", "sites", "expires", "state")
    for each in found:
        sites = "all" if each.sites is None else ", ".join(sorted(each.sites))
        expires = "never" if each.expires_at is None else f"{each.expires_at:%Y-%m-%d}"
        table.add_row(each.id, each.name, each.role.value, sites, expires, each.state(datetime.now(UTC)))
    Console().print(table)


@token.command()
@click.argument("id")
def revoke(id: str) -> None:
    """Let the token of this ID open nothing more; within seconds, open streams as well."""
    with _tokens() as tokens:
        if not tokens.revoke(id):
            raise SettingsError(
                "tokens", [Fault("", "unknown-token", f"no token {id!r} is good; see tidegate token list")]
            )
    click.echo(f"{id} is revoked")


def _check(name: str) -> None:
    if not is_name(name):
        raise click.BadParameter(f"1 to {LONGEST_NAME} printable characters", param_hint="NAME")


@contextmanager
def _tokens() -> Iterator[Tokens]:
    with upgraded(DatabaseSettings.read().database_url) as engine:
        yield Tokens(engine)


def _row(record: TokenRecord) -> dict[str, object]:
    columns = asdict(record)
    columns["sites"] = None if record.sites is None else sorted(record.sites)
    for name in ("created_at", "expires_at", "revoked_at"):
        columns[name] = None if columns[name] is None else columns[name].isoformat().replace("+00:00", "Z")
    return {**columns, "role": record.role.value, "state": record.state(datetime.now(UTC))}
