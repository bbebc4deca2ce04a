"""``tidegate audit``: is the chain whole, and what is in it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from typing import Any

import click

from gateway.audit import Audit
from gateway.audit_chain import Link
from gateway.database import open_engine
from gateway.database.tables import moment
from gateway.settings import DatabaseSettings


@click.group()
def audit() -> None:
    """Every write that was asked for, accepted or refused, and its end.

    Rows are chained by hashes. The database is that of TIDEGATE_DATABASE_URL.
    """


@audit.command()
@click.option("--json", "as_json", is_flag=True, help="one line of JSON instead of sentences")
@click.option("--hash", "expected", metavar="NUMBER:HASH", help="a row that you noted earlier must still be there")
def verify(as_json: bool, expected: str | None) -> None:
    """Follow the whole chain. Exit code 1 if a row was changed or is missing.

    Note the number and hash that it prints, away from the database: with them --hash finds also a chain that somebody
    has made anew from its beginning.
    """
    noted = _noted(expected)
    with _audit() as rows:
        verifier, broken = rows.verify(noted)
    told: dict[str, Any] = {"rows": verifier.number, "hash": verifier.hash}
    if broken is not None:
        told |= {"broken_at": broken.number, "reason": broken.reason}
    if as_json:
        click.echo(json.dumps(told))
    elif broken is None:
        click.echo(f"{verifier.number} rows, unbroken; note this: {verifier.number}:{verifier.hash}")
    else:
        click.echo(f"row {broken.number}: {broken.reason}", err=True)
        click.echo(f"the {verifier.number} rows before it are unbroken", err=True)
    sys.exit(0 if broken is None else 1)


@audit.command()
@click.option("--site", help="only of this site")
@click.option("--from", "since", type=click.DateTime(("%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d")), help="from then on, UTC")
def export(site: str | None, since: datetime | None) -> None:
    """Print every row as a line of JSON, its hash included; oldest first."""
    with _audit() as rows:
        for link in rows.links():
            row = _row(link)
            if (site is None or row["site"] == site) and (since is None or row["at"] >= since.isoformat()):
                click.echo(json.dumps(row))


@contextmanager
def _audit() -> Iterator[Audit]:
    engine = open_engine(DatabaseSettings.read().database_url)
    try:
        yield Audit(engine)
    finally:
        engine.dispose()


def _noted(text: str | None) -> tuple[int, str] | None:
    if text is None:
        return None
    number, _, hash = text.partition(":")
    if not number.isdigit() or len(hash) != 64:
        raise click.BadParameter("say it as verify has printed it: NUMBER:HASH", param_hint="--hash")
    return int(number), hash


def _row(link: Link) -> dict[str, Any]:
    columns = asdict(link.entry)
    at = moment(columns.pop("at_us")).isoformat().replace("+00:00", "Z")
    for name in ("input", "before", "result"):
        columns[name] = None if columns[name] is None else json.loads(columns[name])
    return {"number": link.number, "at": at, **columns, "hash": link.hash}
