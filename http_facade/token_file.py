"""The bearer token's file: made at first start, private, never weak."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path
from typing import Final

from gateway.credentials import weakness_of
from gateway.protocol.errors import Fault, SettingsError

TOKEN_BYTES: Final = 32
#: 128 bits in base64; shorter ones could be guessed.
SHORTEST_TOKEN: Final = 22


def ensure_token(path: Path) -> str:
    """The token in ``path``; made, with 256 random bits and mode 0600, if there is none yet.

    Safe when several processes start at once: all of them read the one that was first.

    Raises:
        SettingsError: the file cannot be read or made, or its token is too short.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            _make(path)
        token = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeError) as error:
        raise _unusable(path, str(error)) from error
    if len(token) < SHORTEST_TOKEN:
        raise _unusable(path, f"the token is shorter than {SHORTEST_TOKEN} characters; delete the file for a new one")
    weakness = weakness_of(token)
    if weakness is not None:
        raise _unusable(path, f"{weakness}; delete the file for a new one")
    return token


def _make(path: Path) -> None:
    """Write beside and link: the file is never seen half written, and never written twice."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(TOKEN_BYTES) + "\n")
        with contextlib.suppress(FileExistsError):  # another process was quicker
            os.link(draft, path)
    finally:
        draft.unlink()


def _unusable(path: Path, detail: str) -> SettingsError:
    return SettingsError("TIDEGATE_HTTP_TOKEN_FILE", [Fault(str(path), "unusable-token", detail)])
