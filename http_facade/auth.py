"""Who asks, and whether they may: a bearer token (RFC 6750), the role that the route needs, and the sites of the token.

A browser that signed in brings a cookie instead, and with everything that changes something also a header that no other
site can send: see ``signing_in``.

The facade's own token (see ``token_file``) stands for an administrator of all sites; others come from ``tidegate
token``. The pages for people, ``/docs`` and ``/openapi.json``, take a token as the password of HTTP Basic too, because
a browser can ask for that. What has no entry in ``permissions`` is denied.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import Final

from flask import Flask, Request, g, request

from gateway.accounts import SESSION_START, csrf_of
from gateway.protocol.errors import Unavailable
from gateway.roles import Caller, Role
from gateway.tokens import id_of
from http_facade.attempts import Attempts
from http_facade.permissions import NEEDED, OPEN, method_of, route_of
from http_facade.refusals import CsrfMissing, Forbidden, NotFound, TooManyAttempts, Unauthorized

#: The name of the facade's own token, and so the ``actor`` of what is asked with it.
TOKEN_NAME: Final = "http-token"  # noqa: S105 # a name, not a secret
#: A token that was found is not looked up again for this long; what is revoked is refused after it.
REMEMBERED_S: Final = 2.0
_REMEMBERED: Final = 10_000

#: The header that a page sends beside its cookie, with what it got when it signed in.
CSRF: Final = "X-CSRF-Token"
#: Of a browser in which nobody else can see the cookie; the prefix makes it keep to that.
COOKIE: Final = "__Host-tidegate"
COOKIE_IN_CLEAR: Final = "tidegate"
_HARMLESS: Final = frozenset({"GET", "OPTIONS"})
_BEARER: Final = 'Bearer realm="tidegate"'
_BASIC: Final = 'Basic realm="tidegate (any user name, the token as password)", charset="UTF-8"'


class Auth:
    """Checks every request of an application; ``find`` knows whom a token stands for, and may raise Unavailable."""

    def __init__(self, own_token: str, find: Callable[[str], Caller | None]) -> None:
        self._own = _digest(own_token)
        self._find = find
        self._attempts = Attempts()
        self._lock = threading.Lock()
        #: Hash of a token -> its caller, and until when that holds.
        self._known: OrderedDict[bytes, tuple[Caller, float]] = OrderedDict()

    def register(self, app: Flask) -> None:
        """Check every request of ``app``, those for unknown paths too."""
        app.before_request(self.check)

    def check(self) -> None:
        """Let the request pass, and name its caller in ``g.caller``.

        Raises:
            Unauthorized, TooManyAttempts: no token, or one that opens nothing.
            Forbidden: the caller's role does not cover this.
            NotFound: it is about a site that is not one of the caller's, which looks as if there were none.
            Unavailable: the database does not answer.
        """
        route = route_of(request)
        if route in OPEN:
            return
        g.caller = found = self._authenticated()
        g.actor = found.name
        if route is not None:
            _authorize(found, NEEDED.get(route))

    def _authenticated(self) -> Caller:
        token, for_people = _token()
        cookie = "" if token or "Authorization" in request.headers else session_of(request)
        if cookie and (signed_in := self.caller_of(cookie)) is not None:
            if method_of(request) not in _HARMLESS and not _same(request.headers.get(CSRF, ""), csrf_of(cookie)):
                g.actor = signed_in.name  # whose browser it was is known, and stands in the audit
                raise CsrfMissing
            g.still_good = partial(self._still_good, cookie)
            return signed_in
        found = self.caller_of(token) if token and not token.startswith(SESSION_START) else None
        if found is not None:
            g.still_good = partial(self._still_good, token)
            return found
        id = id_of(token)
        who = [f"address {request.remote_addr}", *([] if id is None else [f"id {id}"])]
        wait_s = self._attempts.failed(*who) if token or cookie else None
        if wait_s is not None:
            raise TooManyAttempts(wait_s)
        raise Unauthorized(f"{_BEARER}, {_BASIC}" if for_people else _BEARER)

    def caller_of(self, token: str) -> Caller | None:
        """Whom a token stands for, now or at most :data:`REMEMBERED_S` ago."""
        digest = _digest(token)
        if hmac.compare_digest(digest, self._own):
            return Caller(TOKEN_NAME, Role.ADMIN)
        now_s = time.monotonic()
        with self._lock:
            known = self._known.get(digest)
        if known is not None and now_s < known[1]:
            return known[0]
        found = self._find(token)
        with self._lock:
            self._known.pop(digest, None)
            if found is not None:
                self._known[digest] = found, now_s + REMEMBERED_S
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return found

    def _still_good(self, token: str) -> bool:
        try:
            return self.caller_of(token) is not None
        except Unavailable:
            return True  # nobody can tell; what needs the database does not pass anyway


def session_of(asked: Request) -> str:
    """The session's secret that the request brings; empty if none. A token in a cookie is none."""
    found = asked.cookies.get(COOKIE if asked.is_secure else COOKIE_IN_CLEAR, "")
    return found if found.startswith(SESSION_START) else ""


def _same(told: str, wanted: str) -> bool:
    # As bytes: text that is no ASCII cannot be compared in constant time.
    return hmac.compare_digest(told.encode("utf-8", "surrogateescape"), wanted.encode())


def caller() -> Caller:
    """Who asks, in a request that passed."""
    found = g.caller
    assert isinstance(found, Caller)  # noqa: S101 # set above, before any view
    return found


def still_good() -> Callable[[], bool]:
    """Asks, also after the request's end, whether its token opens anything still."""
    found: Callable[[], bool] = g.still_good
    return found


def _authorize(found: Caller, needed: Role | None) -> None:
    site = (request.view_args or {}).get("site")
    if needed is None or not found.role.covers(needed):
        raise Forbidden(found.role, needed)
    if site is not None and not found.sees(site):
        raise NotFound("site", site)


def _token() -> tuple[str, bool]:
    """What the request brings, empty if nothing; and whether it is for one of the pages for people."""
    scheme, _, credentials = request.headers.get("Authorization", "").partition(" ")
    for_people = request.path == "/openapi.json" or request.path.split("/", 2)[1] == "docs"
    if for_people and scheme.lower() == "basic":
        return _password(credentials.strip()), for_people
    return credentials.strip() if scheme.lower() == "bearer" else "", for_people


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()


def _password(credentials: str) -> str:
    try:
        return base64.b64decode(credentials, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return ""
