"""``python -m gateway.demo.containers FOLDER``: what compose.yaml's containers need, made once into their volumes.

Each container gets only its own folder; the users that the images run as own them. Existing secrets are kept.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Final

import click

from gateway.broker_files import BrokerFiles, Listening
from gateway.credentials import private_folder, secret_in, write_private
from gateway.demo import redis_server
from gateway.demo.site import Site, site_toml

#: The users of the images eclipse-mosquitto, redis, and ours.
_MOSQUITTO: Final = 1883
_REDIS: Final = 999
_TIDEGATE: Final = 10001
_EVERYWHERE: Final = "0.0.0.0"


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--site", default="arava-1", show_default=True)
@click.option("--person", default="ana", show_default=True)
def make(folder: Path, site: str, person: str) -> None:
    """Make FOLDER/broker, redis, servers, people and site."""
    people = private_folder(folder / "people")
    listening = Listening(
        machines_host=_EVERYWHERE, people_host=_EVERYWHERE, run_as="mosquitto", folder="/tidegate/broker"
    )
    files = BrokerFiles(folder / "broker", secrets=people, listening=listening)
    technician = f"@{person}"
    files.write([site, "@gateway", "@facade", technician])
    servers = private_folder(folder / "servers")
    for user in ("@gateway", "@facade"):
        shutil.copyfile(files.secret_file(user), servers / user)
    secret_in(servers / "http-token")
    _make_redis(folder, servers)
    _make_site(folder, site, files.secret_file(site))
    for name, owner in {"broker": _MOSQUITTO, "redis": _REDIS, "servers": _TIDEGATE, "site": _TIDEGATE}.items():
        _give(folder / name, owner)


def _make_redis(folder: Path, servers: Path) -> None:
    private_folder(folder / "redis")
    text = redis_server.configuration(
        host=_EVERYWHERE,
        port=6379,
        password=secret_in(folder / "redis" / "admin"),
        user_password=secret_in(servers / "redis"),
        folder="/data",
    )
    write_private(folder / "redis" / "redis.conf", text)


def _make_site(folder: Path, name: str, password: Path) -> None:
    home = private_folder(folder / "site")
    shutil.copyfile(password, home / "password")
    site = Site(
        name=name,
        broker_host="mosquitto",
        broker_port=1884,
        password_file=Path("password"),
        folder=Path("/data/agent"),
        modbus_host="farm",
        modbus_port=5020,
    )
    write_private(home / "site.toml", site_toml(site))


def _give(folder: Path, owner: int) -> None:
    for path in (folder, *folder.rglob("*")):
        os.chown(path, owner, owner)
        path.chmod(0o700 if path.is_dir() else 0o600)


if __name__ == "__main__":
    make()
