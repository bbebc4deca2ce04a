"""Passwords of broker users: made at random, kept in files, hashed as Mosquitto wants them.

Nothing here takes a password from a command line, where every user of the machine could read it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
import sys
import tempfile
from pathlib import Path
from typing import Final

from gateway.protocol.errors import Fault, SettingsError

#: The secrets have 256 random bits, so the rounds guard nothing; they cost the broker time at every connect.
ROUNDS: Final = 1_000
#: People may come to use a password elsewhere. More rounds would stop the broker's only thread for too long: these take
#: 15 ms, and whoever knows a user's name can ask for them.
ROUNDS_FOR_PEOPLE: Final = 20_000
MIN_SECRET_CHARS: Final = 16
_SALT_BYTES: Final = 12
_LEAST_VARIETY: Final = 6
_FROM_EXAMPLES: Final = (
    "changeme",
    "change-me",
    "change_me",
    "password",
    "passw0rd",
    "example",
    "12345678",
    "qwertz",
    "qwerty",
)


def new_secret() -> str:
    """256 random bits as text that needs no quoting in a shell or a URL."""
    return secrets.token_hex(32)


def hash_secret(secret: str, *, salt: bytes | None = None, rounds: int = ROUNDS) -> str:
    """The secret as a line of Mosquitto's password file wants it (PBKDF2-SHA512, its format ``$7$``)."""
    salt = salt if salt is not None else os.urandom(_SALT_BYTES)
    digest = hashlib.pbkdf2_hmac("sha512", secret.encode(), salt, rounds)
    return f"$7${rounds}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"


def matches(secret: str, hashed: str) -> bool:
    """Whether ``hashed`` was made from ``secret``; False for any other format than ours."""
    parts = hashed.split("$")
    if len(parts) != 5 or parts[:2] != ["", "7"] or not parts[2].isdigit():
        return False
    try:
        salt = base64.b64decode(parts[3], validate=True)
    except ValueError:
        return False
    return hmac.compare_digest(hash_secret(secret, salt=salt, rounds=max(1, int(parts[2]))), hashed)


def private_folder(folder: Path) -> Path:
    """Make a folder that only its owner can enter; an existing one keeps its rights."""
    if not folder.is_dir():
        folder.mkdir(mode=0o700, parents=True)
    return folder


def write_private(path: Path, text: str, *, mode: int = 0o600) -> None:
    """Put ``text`` into a file that was never readable by others, and never half written.

    Where root writes it, it belongs to the folder's owner: a service must be able to read what it is given.
    """
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(temporary).chmod(mode)
        _give_to_owner_of(path.parent, temporary)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _give_to_owner_of(folder: Path, path: str) -> None:
    if sys.platform != "win32" and os.geteuid() == 0:
        owner = folder.stat()
        os.chown(path, owner.st_uid, owner.st_gid)


def read_secret(path: Path) -> str:
    """The secret in a file.

    Raises:
        SettingsError: it cannot be read, or it is too short to be a random one.
    """
    try:
        secret = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(str(path), [Fault("", "unreadable", str(error))]) from error
    weakness = weakness_of(secret)
    if weakness is not None:
        raise SettingsError(str(path), [Fault("", "weak-secret", f"{weakness}; delete the file to get a random one")])
    return secret


def weakness_of(secret: str) -> str | None:
    """Why a secret would be guessed; None if it may be a random one (S2)."""
    if len(secret) < MIN_SECRET_CHARS:
        return f"a secret has at least {MIN_SECRET_CHARS} characters"
    if len(set(secret)) < _LEAST_VARIETY:
        return "a secret does not repeat the same few characters"
    if any(word in secret.lower() for word in _FROM_EXAMPLES):
        return "this secret is one that stands in examples"
    return None


def secret_in(path: Path) -> str:
    """The secret in a file, made at random if there is no such file yet.

    Raises:
        SettingsError: as :func:`read_secret`.
    """
    if not path.exists():
        private_folder(path.parent)
        write_private(path, new_secret() + "\n")
    return read_secret(path)
