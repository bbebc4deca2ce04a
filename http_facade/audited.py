"""Requests for a write: what is refused, by whatever part of the facade, is audited before its caller hears.

A command that was recorded has its rows already. Who asks without a valid token leaves none: nobody knows who it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from flask import g, request
from werkzeug.exceptions import HTTPException

from gateway.protocol.errors import TidegateError
from gateway.protocol.topics import WRITE
from http_facade import bodies
from http_facade.permissions import ASKING, RUN_GROUP, route_of
from http_facade.refusals import Ended, LedgerUnavailable
from http_facade.services import services

#: What a refused run of a group is called; its targets have names of their own.
GROUP: Final = "group"


def note(error: TidegateError | HTTPException) -> None:
    """Write down that the present request ends with this, if it asked for a write."""
    if route_of(request) not in ASKING or isinstance(error, Ended) or "actor" not in g:
        return
    place = request.view_args or {}
    services().audit_notes.refusal(
        site=str(place.get("site", "")),
        device=str(place.get("device", "")),
        name=GROUP if "id" in place else str(place.get("action", WRITE)),
        actor=g.actor,
        source_address=request.remote_addr,
        input=_input(),
        code=error.code if isinstance(error, TidegateError) else f"http-{error.code}",
        detail=str(error),
        command=error.command if isinstance(error, LedgerUnavailable) else None,
    )


def _input() -> Mapping[str, Any] | None:
    if route_of(request) == RUN_GROUP:
        return dict(request.view_args or {})  # its body is the preview's token, which is nobody's business
    if "asked" in g:
        found: Mapping[str, Any] = g.asked
        return found
    try:
        return bodies.settings()
    except (TidegateError, HTTPException):
        return None  # it was refused before anybody looked at it, and it is nothing that could be told
