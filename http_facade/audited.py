"""Views that ask for a write: what they refuse is in the audit before the caller hears of it."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

from flask import Response, g, request
from werkzeug.exceptions import HTTPException

from gateway.protocol.errors import TidegateError
from gateway.protocol.topics import WRITE
from http_facade.refusals import Ended
from http_facade.services import services

P = ParamSpec("P")


def audited(view: Callable[P, Response]) -> Callable[P, Response]:
    """A view that asks for a write: what it refuses is noted. A command that was recorded has its rows already."""

    @wraps(view)
    def noting(*args: P.args, **kwargs: P.kwargs) -> Response:
        try:
            return view(*args, **kwargs)
        except Ended:
            raise
        except (TidegateError, HTTPException) as error:
            place = request.view_args or {}
            code = error.code if isinstance(error, TidegateError) else f"http-{error.code}"
            services().audit_notes.refusal(
                site=str(place.get("site", "")),
                device=str(place.get("device", "")),
                name=str(place.get("action", WRITE)),
                actor=g.actor,
                source_address=request.remote_addr,
                input=g.get("asked"),
                code=code,
                detail=str(error),
            )
            raise

    return noting
