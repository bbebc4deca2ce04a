"""A real PostgreSQL of this machine's packages, as a child of the test run."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import psycopg

from gateway.demo.ports import free_port
from gateway.demo.process import Child
from tests.conditions import eventually
from tests.requirements import absent, program

_USER: Final = "postgres"
#: Debian keeps the server's programs off the PATH, a folder for each version.
_FOLDERS: Final = ("/usr/lib/postgresql/*/bin", "/opt/homebrew/opt/postgresql*/bin")


def _server_program(name: str) -> Path:
    found = [path for pattern in _FOLDERS for path in sorted(Path("/").glob(f"{pattern[1:]}/{name}"))]
    if found:
        return found[-1]
    if shutil.which(name):
        return program(name)
    return absent("PostgreSQL is not installed; 'make test' installs it if it can")


def _unprivileged() -> Sequence[str]:
    """PostgreSQL refuses to run as root; the package has made a user for it."""
    if os.geteuid() != 0:
        return ()
    return (str(program("setpriv")), f"--reuid={_USER}", f"--regid={_USER}", "--init-groups")


def has_extension(name: str) -> bool:
    """Whether this machine's PostgreSQL could load it."""
    share = subprocess.run([_server_program("pg_config"), "--sharedir"], check=True, capture_output=True, text=True)
    return (Path(share.stdout.strip()) / "extension" / f"{name}.control").exists()


class PostgresProcess:
    """A cluster in a folder of its own, with ``more`` settings; ``new_database`` makes an empty database in it."""

    def __init__(self, *more: str) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="postgres-"))
        self.port = free_port()
        self._data = self._folder / "data"
        sockets = f"unix_socket_directories={self._folder}"
        options = ["listen_addresses=127.0.0.1", sockets, "max_connections=200", *more]
        argv = [str(_server_program("postgres")), "-D", str(self._data), "-p", str(self.port)]
        argv += [word for option in options for word in ("-c", option)]
        # The log is ours, so that it can be written whoever the server runs as.
        self._child = Child("postgres", [*_unprivileged(), *argv], log=Path(f"{self._folder}.log"))
        self._count = 0

    def start(self) -> None:
        """Make the cluster if there is none, and return when it answers."""
        if not self._data.exists():
            if os.geteuid() == 0:
                shutil.chown(self._folder, _USER, _USER)
            initdb = [str(_server_program("initdb")), "-D", str(self._data), "-U", _USER, "-A", "trust", "-E", "UTF8"]
            subprocess.run([*_unprivileged(), *initdb, "--no-sync"], check=True, capture_output=True)
        self._child.start()
        eventually(self._answers, within_s=20, what="PostgreSQL")

    def new_database(self) -> str:
        """The URL of an empty database."""
        self._count += 1
        name = f"test_{self._count}"
        with psycopg.connect(self._url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return self._url(name)

    def stop(self) -> None:
        """End it at once, whoever is connected, and forget all of it."""
        self._child.signal(signal.SIGINT)
        self._child.stop()
        shutil.rmtree(self._folder, ignore_errors=True)
        Path(f"{self._folder}.log").unlink(missing_ok=True)

    def kill(self) -> None:
        """End it with SIGKILL; what it has confirmed is on disk."""
        self._child.kill()

    def administer(self, *statements: str) -> None:
        """Run statements as the server's administrator."""
        with psycopg.connect(self._url("postgres"), autocommit=True) as connection:
            for each in statements:
                connection.execute(each.encode())

    def demand_passwords(self) -> None:
        """From now on everybody but the administrator needs one."""
        rules = f"host all {_USER} 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n"
        (self._data / "pg_hba.conf").write_text(rules)
        self.administer("SELECT pg_reload_conf()")

    def _url(self, database: str) -> str:
        return f"postgresql://{_USER}@127.0.0.1:{self.port}/{database}"

    def _answers(self) -> bool:
        try:
            psycopg.connect(self._url("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True
