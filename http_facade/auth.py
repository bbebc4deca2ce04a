"""Who may ask: whoever has the one bearer token (RFC 6750, see ``token_file``).

The pages for people, ``/docs`` and ``/openapi.json``, take the token as the password of HTTP Basic too, because a
browser can ask for that. The health routes are open, for a load balancer has no token.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from typing import Final

from flask import Flask, g, request

from http_facade.refusals import Unauthorized

#: The name of the one token, and so the ``actor`` of what is asked with it.
TOKEN_NAME: Final = "http-token"  # noqa: S105 # a name, not a secret
OPEN_PATHS: Final = frozenset({"/healthz", "/readyz"})

_BEARER: Final = 'Bearer realm="tidegate"'
_BASIC: Final = 'Basic realm="tidegate (any user name, the token as password)", charset="UTF-8"'


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
