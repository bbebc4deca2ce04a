"""``tidegate db``: the central database's tables, its soundness, its backups."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from sqlalchemy import Engine, make_url

from gateway.database import open_engine, upgrade
from gateway.database.backup import Progress as Told
from gateway.database.backup import backup, restore
from gateway.database.survey import Survey, survey, version_of
from gateway.protocol.errors import Fault, SettingsError
from gateway.settings import DatabaseSettings

_FILE = click.argument("file", type=click.Path(path_type=Path, dir_okay=False))


@click.group(
    epilog="""\b
Each night:   tidegate db backup /backups/tidegate-$(date +%F)
After a loss: tidegate db restore /backups/tidegate-2026-11-23
"""
)
def db() -> None:
    """The central database: its tables, whether it is sound, its backups.

    It is that of TIDEGATE_DATABASE_URL, or tidegate.db in TIDEGATE_HOME. Gateway and facade bring its tables up to date
    by themselves when they start.
    """


@db.command("upgrade")
def upgrade_() -> None:
    """Bring the tables to what this version needs."""
    url = DatabaseSettings.read().database_url
    engine = open_engine(url)
    try:
        upgrade(engine)
        click.echo(f"the tables are of version {version_of(engine)}")
    finally:
        engine.dispose()


@db.command()
@click.option("--json", "as_json", is_flag=True, help="one line of JSON instead of a table")
def check(as_json: bool) -> None:
    """Look through all of it. Exit code 1 if anything is wrong.

    Reads only, beside gateway and facade. It tells the version of the tables, rows and bytes, damage, and tables that
    are not as this version made them. Whether the audit is whole tells: tidegate audit verify.
    """
    with _existing() as engine:
        found = survey(engine)
    if as_json:
        click.echo(json.dumps(asdict(found)))
    else:
        _show(found)
    sys.exit(1 if found.faults else 0)


@db.command("backup")
@_FILE
def backup_(file: Path) -> None:
    """Copy the whole database to FILE, while gateway and facade run.

    The copy is the state of one moment. FILE appears when it is whole; one that exists is never overwritten. PostgreSQL
    is copied by its own pg_dump.
    """
    with _existing() as engine, _progress("copying") as told:
        backup(engine, file, told)
    click.echo(f"{file}: {file.stat().st_size:,} bytes")


@db.command("restore")
@_FILE
def restore_(file: Path) -> None:
    """Fill an empty database from a backup; gateway and facade must be stopped.

    Nothing is overwritten: an SQLite file must not exist, a PostgreSQL database must hold no tables. What happened
    after the backup is gone from the centre; agents still send what nobody had confirmed to them.
    """
    url = make_url(DatabaseSettings.read().database_url)
    with _progress("restoring") as told:
        restore(url, file, told)
    click.echo(f"restored into {url.render_as_string(hide_password=True)}; try: tidegate db check")


@contextmanager
def _existing() -> Iterator[Engine]:
    """The database; looking at one must not make it."""
    url = make_url(DatabaseSettings.read().database_url)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        raise SettingsError(
            str(url.database), [Fault("", "no-database", "there is no such file; is the folder right?")]
        )
    engine = open_engine(url)
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def _progress(title: str) -> Iterator[Told]:
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(title, total=None)
        yield lambda done, whole: bar.update(task, completed=done, total=whole)


def _show(found: Survey) -> None:
    console = Console()
    table = Table("table", "rows")
    table.columns[1].justify = "right"
    for name, count in found.rows.items():
        table.add_row(name, f"{count:,}")
    console.print(table)
    console.print(f"{found.engine}, tables of version {found.version}, {found.size_bytes:,} bytes", highlight=False)
    for fault in found.faults:
        console.print(fault, style="red", markup=False)
    if not found.faults:
        console.print("nothing is wrong")
