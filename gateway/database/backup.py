"""A copy of the whole database, made while it is in use, and the way back.

SQLite's comes through its own online backup inside one read transaction: writers go on, and the copy is the state of
the moment it began. PostgreSQL's comes from ``pg_dump``, which does the same.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Final

from sqlalchemy import URL, Engine, inspect

from gateway.database.engine import open_engine, reading, upgrade
from gateway.protocol.errors import Fault, SettingsError, Unavailable

#: What SQLite may have beside a database's file.
_BESIDE: Final = ("-wal", "-shm", "-journal")
#: Between two words about the progress; 4 MiB at SQLite's usual page.
_PAGES: Final = 1_024
#: Debian keeps PostgreSQL's programs off the PATH.
_FOLDERS: Final = ("usr/lib/postgresql/*/bin", "opt/homebrew/opt/postgresql*/bin")
#: What libpq calls the parts of a URL; a password in an argument would be seen by every user of the machine.
_LIBPQ: Final = {
    "username": "PGUSER",
    "password": "PGPASSWORD",
    "host": "PGHOST",
    "port": "PGPORT",
    "database": "PGDATABASE",
}
#: Done and all, in pages; PostgreSQL's tool tells nothing.
Progress = Callable[[int, int], None]


def backup(engine: Engine, target: Path, progress: Progress) -> None:
    """Write the database to ``target``, which appears only when it is whole and on disk.

    Raises:
        SettingsError: ``target`` exists, or its folder does not.
        Unavailable: the database or the disk refused.
    """
    if target.exists():
        raise SettingsError(str(target), [Fault("", "exists", "a backup overwrites nothing; choose another name")])
    if not target.absolute().parent.is_dir():
        raise SettingsError(str(target), [Fault("", "no-folder", "its folder does not exist; make it first")])
    part = target.with_name(f"{target.name}.part")
    part.unlink(missing_ok=True)
    try:
        # Nobody else may read it: it holds all that the database does.
        part.touch(mode=0o600)
        if engine.dialect.name == "sqlite":
            _copy(_file_of(engine), part, progress)
            _settle_on_disk(part)
        else:
            _run("pg_dump", engine.url, "--format=custom", "--no-owner", f"--file={part}")
        _appear(part, target)
    except OSError as error:
        raise Unavailable("backup", str(error)) from error
    finally:
        part.unlink(missing_ok=True)


def restore(url: URL, source: Path, progress: Progress) -> None:
    """Fill an empty database from a backup, and bring its tables up to date.

    Raises:
        SettingsError: the database holds something, or ``source`` is no backup of this kind of database.
        Unavailable: the database or the disk refused; an SQLite file is then not there.
    """
    if not source.is_file():
        raise SettingsError(str(source), [Fault("", "unreadable", "there is no such file")])
    engine = open_engine(url)
    try:
        if engine.dialect.name == "sqlite":
            _restore_file(source, _file_of(engine), progress)
        else:
            _refuse_full(engine)
            _run(
                "pg_restore",
                url,
                "--no-owner",
                "--exit-on-error",
                "--single-transaction",
                f"--dbname={url.database}",
                str(source),
            )
        upgrade(engine)
    finally:
        engine.dispose()


def _file_of(engine: Engine) -> Path:
    return Path(engine.url.database or "")


def _copy(source: Path, target: Path, progress: Progress) -> None:
    if not source.exists():
        raise Unavailable("database", f"there is no {source}")
    try:
        with (
            closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True, isolation_level=None)) as opened,
            closing(sqlite3.connect(target, isolation_level=None)) as made,
        ):
            # Without a view of its own, each write elsewhere would make the copying begin anew, for ever.
            opened.execute("BEGIN")
            opened.execute("SELECT count(*) FROM sqlite_master").fetchone()
            opened.backup(made, pages=_PAGES, progress=lambda _status, left, all_: progress(all_ - left, all_))
    except sqlite3.Error as error:
        raise Unavailable("database", str(error)) from error


def _settle_on_disk(part: Path) -> None:
    """One file without a log beside it, looked through."""
    with closing(sqlite3.connect(part, isolation_level=None)) as made:
        made.execute("PRAGMA journal_mode=DELETE")
        faults = [row[0] for row in made.execute("PRAGMA quick_check(3)")]
    if faults != ["ok"]:
        raise Unavailable("backup", f"the copy is damaged: {'; '.join(map(str, faults))}")


def _appear(part: Path, target: Path) -> None:
    """Whole and on disk, and so is its name."""
    with part.open("rb+") as file:
        os.fsync(file.fileno())
    part.rename(target)
    if os.name == "posix":  # elsewhere a folder cannot be opened, and its entries are the system's concern
        folder = os.open(target.absolute().parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _restore_file(source: Path, target: Path, progress: Progress) -> None:
    _refuse_present(target)
    try:
        with closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as opened:
            opened.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.Error as error:
        detail = f"it is no backup of a Tidegate database on SQLite: {error}"
        raise SettingsError(str(source), [Fault("", "no-backup", detail)]) from None
    part = target.with_name(f"{target.name}.part")
    part.unlink(missing_ok=True)
    try:
        _copy(source, part, progress)
        _settle_on_disk(part)
        _appear(part, target)
    except OSError as error:
        raise Unavailable("database", str(error)) from error
    finally:
        part.unlink(missing_ok=True)


def _refuse_present(target: Path) -> None:
    """A log that another database left behind would be played into the one that is restored."""
    present = [str(each) for each in (target, *(Path(f"{target}{end}") for end in _BESIDE)) if each.exists()]
    if present:
        detail = "it is there already; stop gateway and facade, and move it away with its -wal, -shm and -journal"
        raise SettingsError(present[0], [Fault("", "exists", detail)])


def _refuse_full(engine: Engine) -> None:
    with reading(engine) as connection:
        tables = inspect(connection).get_table_names()
    if tables:
        detail = f"it holds {len(tables)} tables already; make an empty one and name it in TIDEGATE_DATABASE_URL"
        raise SettingsError(f"database {engine.url.database}", [Fault("", "not-empty", detail)])


def _run(name: str, url: URL, *arguments: str) -> None:
    """PostgreSQL's own tool, which finds the server and our password in its environment."""
    done = subprocess.run(  # noqa: S603 # our own list of words, and no shell
        [_program(name), "--no-password", *arguments],
        env=os.environ | _libpq(url),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"{name} ended with {done.returncode}"]
        raise Unavailable("database", lines[0])


def _libpq(url: URL) -> Mapping[str, str]:
    parts = {name: getattr(url, part) for part, name in _LIBPQ.items()}
    queries = {f"PG{name.upper()}": value for name, value in url.query.items() if isinstance(value, str)}
    return queries | {name: str(value) for name, value in parts.items() if value is not None}


def _program(name: str) -> str:
    found = [path for pattern in _FOLDERS for path in sorted(Path("/").glob(f"{pattern}/{name}"))]
    path = str(found[-1]) if found else shutil.which(name)
    if path is None:
        detail = "it comes with PostgreSQL's client; with Debian: apt install postgresql-client"
        raise SettingsError(name, [Fault("", "missing", detail)])
    return path
