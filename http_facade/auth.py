"""Who may ask: one bearer token (RFC 6750), made at first start and kept in a private file.

The pages for people, ``/docs`` and ``/openapi.json``, take the token as the password of HTTP Basic too, because a
browser can ask for that. The health routes are open, for a load balancer has no token.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import hmac
import os
import secrets
from pathlib import Path
from typing import Final

from flask import Flask, g, request

from gateway.protocol.errors import Fault, SettingsError
from http_facade.refusals import Unauthorized

#: The name of the one token, and so the ``actor`` of what is asked with it.
TOKEN_NAME: Final = "http-token"  # noqa: S105 # a name, not a secret
TOKEN_BYTES: Final = 32
#: 128 bits in base64; shorter ones could be guessed.
SHORTEST_TOKEN: Final = 22
OPEN_PATHS: Final = frozenset({"/healthz", "/readyz"})

_BEARER: Final = 'Bearer realm="tidegate"'
_BASIC: Final = 'Basic realm="tidegate (any user name, the token as password)", charset="UTF-8"'


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


class Auth:
    """Checks the token of every request but those to the health routes; compares hashes, in constant time."""

    def __init__(self, token: str) -> None:
        self._digest = _digest(token)

    def check(self) -> None:
        """Let the request pass, and name its caller in ``g.actor``; raises Unauthorized."""
        if request.path in OPEN_PATHS:
            return
        scheme, _, credentials = request.headers.get("Authorization", "").partition(" ")
        token = credentials.strip()
        for_people = request.path == "/openapi.json" or request.path.split("/", 2)[1] == "docs"
        if for_people and scheme.lower() == "basic":
            token = _password(token)
        elif scheme.lower() != "bearer":
            token = ""
        if not hmac.compare_digest(_digest(token), self._digest):
            raise Unauthorized(f"{_BEARER}, {_BASIC}" if for_people else _BEARER)
        g.actor = TOKEN_NAME

    def register(self, app: Flask) -> None:
        """Check every request of ``app``, those for unknown paths too."""
        app.before_request(self.check)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()


def _password(credentials: str) -> str:
    try:
        return base64.b64decode(credentials, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return ""
