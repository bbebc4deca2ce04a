"""``python -m gateway.demo.health``: whether a gateway or an agent is online, for container health checks.

Both say so in a retained status at the broker, so the check sees what everybody else sees, with their own login.
"""

from __future__ import annotations

import sys
from pathlib import Path

import click
from pydantic import SecretStr

from gateway.broker import Login
from gateway.credentials import read_secret
from gateway.demo.readiness import is_online


@click.command()
@click.option("--host", required=True)
@click.option("--port", type=int, default=1883, show_default=True, help="The listener for people: it evicts nobody.")
@click.option("--user", required=True, help="A site, or @gateway.")
@click.option("--password-file", type=click.Path(path_type=Path), required=True)
def health(host: str, port: int, user: str, password_file: Path) -> None:
    """Exit with 0 if USER's retained status says online, else with 1."""
    login = Login(host=host, port=port, username=user, password=SecretStr(read_secret(password_file)))
    sys.exit(0 if is_online(login) else 1)


if __name__ == "__main__":
    health()
