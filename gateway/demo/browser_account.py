"""The account with which somebody opens the demo's web console."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Final

from gateway.accounts import Accounts
from gateway.credentials import private_folder, read_secret, write_private
from gateway.database import upgraded
from gateway.roles import Role

NAME: Final = "dana"
#: 96 random bits, and still short enough to be typed on a phone.
_PASSWORD_BYTES: Final = 12


def password_file(secrets_folder: Path) -> Path:
    """Where the password is kept."""
    return secrets_folder / f"console-{NAME}"


def ensure(secrets_folder: Path, database_url: str) -> str:
    """Let :data:`NAME` sign in as an administrator, with the password of the file, which is made at first.

    Sessions that are open go on, unless the password had to be changed.

    Raises:
        SettingsError: the file holds no good password.
        Unavailable: the database does not answer.
    """
    path = password_file(secrets_folder)
    if not path.exists():
        private_folder(secrets_folder)
        write_private(path, secrets.token_urlsafe(_PASSWORD_BYTES) + "\n")
    password = read_secret(path)
    with upgraded(database_url) as engine:
        accounts = Accounts(engine)
        if accounts.add(NAME, password, Role.ADMIN, None):
            return password
        session = accounts.sign_in(NAME, password)
        if session is None:
            accounts.change(NAME, password=password, rights=(Role.ADMIN, None))
        else:
            accounts.sign_out(session)
    return password
