"""The database user as docs/operations.md makes it: owns its one database, needs its password, and no more (S31)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Engine

from gateway.database import open_engine, upgrade
from gateway.identity.enrolments import Enrolments
from gateway.protocol.errors import Unavailable
from tests.documentation import fences
from tests.running_postgres import PostgresProcess

PASSWORD = "a-long-random-one"


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresProcess]:
    """A server that was set up by the page's lines, and wants passwords."""
    running = PostgresProcess()
    running.start()
    (lines,) = fences(Path("docs/operations.md"), "sql")
    running.administer(*(line for line in lines.text.splitlines() if line))
    running.administer("CREATE DATABASE somebody_elses", "REVOKE ALL ON DATABASE somebody_elses FROM PUBLIC")
    running.demand_passwords()
    yield running
    running.stop()


def _url(server: PostgresProcess, database: str = "tidegate") -> str:
    return f"postgresql://tidegate@127.0.0.1:{server.port}/{database}"


@pytest.fixture
def password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: PostgresProcess) -> None:
    """In libpq's own file."""
    path = tmp_path / "pgpass"
    path.write_text(f"127.0.0.1:{server.port}:*:tidegate:{PASSWORD}\n")
    path.chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(path))


@pytest.fixture
def engine(server: PostgresProcess, password: None) -> Iterator[Engine]:  # noqa: ARG001 # it sets the environment
    """As gateway and facade open it."""
    made = open_engine(_url(server).replace("postgresql://", "postgresql+psycopg://"))
    yield made
    made.dispose()


def test_user_makes_the_tables_and_works_with_them(engine: Engine) -> None:
    """Every migration, and a row."""
    upgrade(engine)
    Enrolments(engine).register("arava-1", timedelta(hours=1))
    assert [each.site for each in Enrolments(engine).all()] == ["arava-1"]


def test_user_without_the_password_is_kept_out(
    server: PostgresProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the error does not name any."""
    monkeypatch.setenv("PGPASSFILE", str(tmp_path / "none"))
    engine = open_engine(_url(server).replace("postgresql://", "postgresql+psycopg://"))
    with pytest.raises(Unavailable) as caught:
        upgrade(engine)
    engine.dispose()
    assert PASSWORD not in str(caught.value)


@pytest.mark.usefixtures("password")
@pytest.mark.parametrize(
    "statement",
    [
        "CREATE DATABASE another",
        "CREATE ROLE another",
        "ALTER ROLE tidegate SUPERUSER",
        "COPY (SELECT 1) TO PROGRAM 'true'",
        "SELECT pg_read_file('/etc/passwd')",
    ],
)
def test_user_may_do_nothing_beyond_its_database(server: PostgresProcess, statement: str) -> None:
    """No other database, no other user, no file, no program of the server."""
    with (
        psycopg.connect(_url(server), autocommit=True) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(statement.encode())


@pytest.mark.usefixtures("password")
def test_user_is_kept_out_of_other_databases(server: PostgresProcess) -> None:
    """Where somebody else works on the same server."""
    with pytest.raises(psycopg.OperationalError, match="permission denied"):
        psycopg.connect(_url(server, "somebody_elses"))
