"""``tidegate db``: the tables' version and soundness, and copies that are made while others write."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine, text

from gateway.audit import Audit
from gateway.database import open_engine, reading, writing
from gateway.database.backup import backup, restore
from gateway.database.survey import survey
from gateway.database_command import db
from gateway.ledger import Ledger
from gateway.ledger_writer import LedgerWriter
from gateway.protocol.errors import SettingsError, Unavailable
from tests.databases import each_database, only_sqlite
from tests.entries import NOON, asked
from tests.running_postgres import PostgresProcess

pytestmark = each_database


@pytest.fixture
def empty_url(database_url: str, postgres: PostgresProcess, tmp_path: Path) -> str:
    """A second database of the same kind, with nothing in it."""
    if database_url.startswith("sqlite"):
        return f"sqlite:///{tmp_path / 'second' / 'tidegate.db'}"
    return postgres.new_database().replace("postgresql://", "postgresql+psycopg://")


@contextmanager
def _writer(engine: Engine) -> Iterator[threading.Event]:
    """Somebody who asks for commands all the time; the event is set at every hundredth."""
    writer, stop, hundred = LedgerWriter(Ledger(engine, now=lambda: NOON)), threading.Event(), threading.Event()
    writer.start()

    def work() -> None:
        count = 0
        while not stop.is_set():
            writer.record(asked()).result(30)
            count += 1
            if count % 100 == 0:
                hundred.set()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        assert hundred.wait(30)
        hundred.clear()
        yield hundred
    finally:
        stop.set()
        thread.join()
        writer.stop()


def _commands(engine: Engine) -> int:
    with reading(engine) as connection:
        return int(connection.execute(text("SELECT count(*) FROM commands")).scalar_one())


def _nothing(_done: int, _all: int) -> None:
    """Nobody looks."""


def _run(url: str, *words: str) -> Result:
    return CliRunner(env={"TIDEGATE_DATABASE_URL": url}).invoke(db, words)


def test_copy_made_among_writers_is_one_whole_moment(engine: Engine, empty_url: str, tmp_path: Path) -> None:
    """Writers go on meanwhile, and what was asked before the copy is in it, with its audit unbroken."""
    target = tmp_path / "copy"
    with _writer(engine) as hundred:
        before = _commands(engine)
        backup(engine, target, _nothing)
        after = _commands(engine)
        assert hundred.wait(30), "the writer is still at work"
    restore(open_engine(empty_url).url, target, _nothing)
    copied = open_engine(empty_url)
    try:
        assert before <= _commands(copied) <= after
        verifier, broken = Audit(copied).verify(None)
        assert (verifier.number, broken) == (_commands(copied), None)
        assert survey(copied).faults == ()
    finally:
        copied.dispose()


@only_sqlite
def test_copy_of_a_file_ends_however_much_is_written_meanwhile(engine: Engine, tmp_path: Path) -> None:
    """Each step of it lets a writer in: without a view of its own it would begin anew each time."""
    with writing(engine) as connection:
        connection.exec_driver_sql("CREATE TABLE ballast (words TEXT)")
        connection.exec_driver_sql(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) "
            "INSERT INTO ballast SELECT hex(randomblob(1000)) FROM n"
        )
    steps: list[int] = []

    def write(done: int, _all: int) -> None:
        steps.append(done)
        with writing(engine) as connection:
            connection.exec_driver_sql("INSERT INTO ballast VALUES ('later')")

    backup(engine, tmp_path / "copy", write)
    assert len(steps) > 5
    assert steps == sorted(set(steps))


def test_backup_overwrites_nothing(engine: Engine, tmp_path: Path) -> None:
    """Whatever is there stays as it is."""
    target = tmp_path / "copy"
    target.write_text("the only copy of last year", encoding="utf-8")
    with pytest.raises(SettingsError, match="exists"):
        backup(engine, target, _nothing)
    assert target.read_text(encoding="utf-8") == "the only copy of last year"
    with pytest.raises(SettingsError, match="no-folder"):
        backup(engine, tmp_path / "nowhere" / "copy", _nothing)


def test_backup_is_for_its_owner_alone(engine: Engine, tmp_path: Path) -> None:
    """It holds all that the database does."""
    backup(engine, tmp_path / "copy", _nothing)
    assert (tmp_path / "copy").stat().st_mode & 0o077 == 0
    assert [path.name for path in tmp_path.glob("copy*")] == ["copy"]


def test_restore_fills_only_what_is_empty(engine: Engine, tmp_path: Path) -> None:
    """A database with anything in it is left alone."""
    backup(engine, tmp_path / "copy", _nothing)
    with pytest.raises(SettingsError, match=r"exists|not-empty"):
        restore(engine.url, tmp_path / "copy", _nothing)
    assert survey(engine).faults == ()


@only_sqlite
@pytest.mark.parametrize("ending", ["-wal", "-shm", "-journal"])
def test_restore_beside_another_database_s_log_is_refused(
    engine: Engine, empty_url: str, tmp_path: Path, ending: str
) -> None:
    """SQLite would play it into the restored one, silently."""
    backup(engine, tmp_path / "copy", _nothing)
    url = open_engine(empty_url).url
    left_over = Path(f"{url.database}{ending}")
    left_over.write_bytes(b"of another database")
    with pytest.raises(SettingsError, match=f"{ending} is not usable"):
        restore(url, tmp_path / "copy", _nothing)
    assert not Path(url.database or "").exists()


def test_restore_of_what_is_no_backup_leaves_no_database(empty_url: str, tmp_path: Path) -> None:
    """It says so, and the next try finds an empty place."""
    wrong = tmp_path / "wrong"
    wrong.write_text("no backup at all", encoding="utf-8")
    url = open_engine(empty_url).url
    for _ in range(2):
        with pytest.raises((SettingsError, Unavailable), match=r"backup|input file"):
            restore(url, wrong, _nothing)
    with pytest.raises(SettingsError, match="no such file"):
        restore(url, tmp_path / "nowhere", _nothing)


def test_check_of_a_sound_database_counts_its_rows(engine: Engine, database_url: str) -> None:
    """Exit code 0; the tables are exactly as this version makes them."""
    Ledger(engine, now=lambda: NOON).record([asked()])
    found = json.loads(_run(database_url, "check", "--json").output)
    assert (found["faults"], found["rows"]["commands"], found["version"]) == ([], 1, found["needed"])
    assert found["size_bytes"] > 10_000
    shown = _run(database_url, "check")
    assert shown.exit_code == 0
    assert "nothing is wrong" in shown.output


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("DROP TABLE sample_hours", "not as this version made them"),
        ("UPDATE alembic_version SET version_num = '0003'", "tidegate db upgrade"),
        ("UPDATE alembic_version SET version_num = '9999'", "install a newer Tidegate"),
        ("DELETE FROM alembic_version", "there are no tables"),
    ],
)
def test_check_tells_what_is_wrong_with_the_tables(engine: Engine, database_url: str, change: str, told: str) -> None:
    """Exit code 1, and what to do."""
    with writing(engine) as connection:
        connection.execute(text(change))
    shown = _run(database_url, "check")
    assert shown.exit_code == 1
    assert told in " ".join(shown.output.split())


@only_sqlite
def test_check_finds_a_damaged_page(engine: Engine, database_url: str) -> None:
    """What SQLite itself finds by looking at every page."""
    with writing(engine) as connection:
        connection.exec_driver_sql("CREATE TABLE ballast (words TEXT)")
        connection.exec_driver_sql("CREATE INDEX weight ON ballast (words)")
        connection.exec_driver_sql("INSERT INTO ballast VALUES ('ballast-a'), ('ballast-b')")
    engine.dispose()
    file = Path(engine.url.database or "")
    body = file.read_bytes()
    before, _, after = body.rpartition(b"ballast-b")  # once in the table and once in the index
    file.write_bytes(before + b"ballast-0" + after)
    shown = _run(database_url, "check")
    assert shown.exit_code == 1
    assert "weight" in shown.output


def test_upgrade_makes_the_tables_and_may_be_repeated(empty_url: str) -> None:
    """It tells the version."""
    for _ in range(2):
        done = _run(empty_url, "upgrade")
        assert (done.exit_code, done.output) == (
            0,
            f"the tables are of version {json.loads(_run(empty_url, 'check', '--json').output)['needed']}\n",
        )


@only_sqlite
def test_check_and_backup_make_no_database(tmp_path: Path) -> None:
    """A wrong folder is told, not filled."""
    url = f"sqlite:///{tmp_path / 'nowhere' / 'tidegate.db'}"
    for words in (("check",), ("backup", str(tmp_path / "copy"))):
        done = _run(url, *words)
        assert isinstance(done.exception, SettingsError)
    assert list(tmp_path.iterdir()) == []


def test_commands_take_a_backup_and_bring_it_back(
    engine: Engine, database_url: str, empty_url: str, tmp_path: Path
) -> None:
    """As an operator types them."""
    made = _run(database_url, "backup", str(tmp_path / "copy"))
    assert (made.exit_code, "bytes" in made.output) == (0, True)
    back = _run(empty_url, "restore", str(tmp_path / "copy"))
    assert (back.exit_code, "tidegate db check" in back.output) == (0, True)
    assert _run(empty_url, "check").exit_code == 0
    assert engine.dialect.name in database_url
