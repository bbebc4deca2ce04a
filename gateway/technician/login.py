"""Options that say where the broker is and who is asking; a password is never typed into a command line."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Final, ParamSpec

import click
from pydantic import SecretStr

from gateway.broker import Login
from gateway.protocol.errors import Fault, SettingsError
from gateway.protocol.ids import is_principal
from gateway.tls import Tls

P = ParamSpec("P")
#: The listener for people of our broker configuration; machines have their own.
PEOPLE_PORT: Final = 1883
PEOPLE_TLS_PORT: Final = 8883

LOGIN_HELP: Final = """\b
Login, from options or environment:
  --host           TIDEGATE_BROKER_HOST
  --port           TIDEGATE_BROKER_PORT
  --user           TIDEGATE_BROKER_USERNAME
  --password-file  TIDEGATE_BROKER_PASSWORD_FILE
  --ca-file        TIDEGATE_BROKER_CA_FILE"""


def login_options(command: Callable[P, None]) -> Callable[..., None]:
    """Give a click command the options of a login; it receives them as one ``login``."""

    @click.option("--host", envvar="TIDEGATE_BROKER_HOST", default="127.0.0.1", show_default=True, help="The broker.")
    @click.option(
        "--port",
        envvar="TIDEGATE_BROKER_PORT",
        type=click.IntRange(1, 65_535),
        help=f"Its port for people [default: {PEOPLE_PORT}; with --ca-file {PEOPLE_TLS_PORT}].",
    )
    @click.option("--user", envvar="TIDEGATE_BROKER_USERNAME", required=True, metavar="@NAME", help="Your name there.")
    @click.option(
        "--password-file",
        envvar="TIDEGATE_BROKER_PASSWORD_FILE",
        type=click.Path(path_type=Path),
        help="File that holds your password. Without it you are asked, on a terminal.",
    )
    @click.option(
        "--ca-file",
        envvar="TIDEGATE_BROKER_CA_FILE",
        type=click.Path(path_type=Path),
        help="File with the authority that vouches for the broker; then the connection is encrypted (TLS).",
    )
    @wraps(command)
    def with_login(
        host: str, port: int | None, user: str, password_file: Path | None, ca_file: Path | None, **others: object
    ) -> None:
        login = Login(
            host=host,
            port=port or (PEOPLE_PORT if ca_file is None else PEOPLE_TLS_PORT),
            username=_name(user),
            password=_password(password_file),
            tls=None if ca_file is None else Tls(authority=_readable(ca_file)),
        )
        command(login=login, **others)  # type: ignore[call-arg,arg-type]  # click passes by name

    return with_login


def _readable(path: Path) -> Path:
    try:
        path.read_bytes()
    except OSError as error:
        raise SettingsError(str(path), [Fault("", "unreadable", str(error))]) from error
    return path


def _name(user: str) -> str:
    if not is_principal(user):
        raise click.BadParameter("a person's name begins with @, such as @ana", param_hint="--user")
    return user


def _password(path: Path | None) -> SecretStr:
    if path is None:
        if not sys.stdin.isatty():
            raise click.UsageError("give --password-file, or set TIDEGATE_BROKER_PASSWORD_FILE")
        return SecretStr(click.prompt("Password", hide_input=True, err=True))
    try:
        secret = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(str(path), [Fault("", "unreadable", str(error))]) from error
    if not secret:
        raise SettingsError(str(path), [Fault("", "empty", "the file holds no password")])
    return SecretStr(secret)
