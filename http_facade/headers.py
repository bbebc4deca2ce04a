"""What every response tells a browser: run nothing, frame nothing, guess no types, keep no secrets."""

from __future__ import annotations

from typing import Final

from flask import Flask, Response, request

_ALWAYS: Final = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    # Pages bring a policy of their own; everything else is data.
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}
#: A year, in seconds: who came by TLS once comes by nothing else.
_STRICT: Final = "max-age=31536000"


def register(app: Flask) -> None:
    """Add the headers to every response of ``app`` that does not say otherwise."""
    app.after_request(_secured)


def _secured(response: Response) -> Response:
    for name, value in _ALWAYS.items():
        response.headers.setdefault(name, value)
    if request.is_secure:
        response.headers.setdefault("Strict-Transport-Security", _STRICT)
    return response
