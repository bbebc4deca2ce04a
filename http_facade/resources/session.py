"""``/v1/session``: sign in and out with a browser."""

from __future__ import annotations

from typing import Annotated, Any, Final

from flask import Response, request
from pydantic import BaseModel, ConfigDict, Field, StrictStr

from gateway.accounts import LONGEST, SESSION_LIFETIME, csrf_of
from gateway.protocol.ids import Id
from gateway.roles import Caller, Role
from http_facade import bodies
from http_facade.auth import COOKIE, COOKIE_IN_CLEAR, caller, session_of
from http_facade.openapi import a_problem, blueprint, reads_itself, request_body
from http_facade.representations import Json
from http_facade.services import services

api = blueprint("session", "Sign in and out with a browser.")

_WRONG: Final[dict[str | int, Any]] = {status: a_problem() for status in (400, 401, 413, 415, 429, 503)}


class Credentials(BaseModel):
    """Who signs in."""

    model_config = ConfigDict(extra="forbid")

    name: Id
    password: Annotated[StrictStr, Field(min_length=1, max_length=LONGEST)]


class Session(BaseModel):
    """Who is signed in. ``csrf`` goes into the header X-CSRF-Token of whatever changes something; null for a token."""

    name: str
    role: Role
    sites: list[str] | None
    csrf: str | None


@api.post(
    "/v1/session",
    responses={200: Session, **_WRONG},
    security=[],
    openapi_extensions={"requestBody": request_body(Credentials)},
)
@reads_itself
def sign_in() -> Response:
    """Exchange name and password for a cookie that is good for twelve hours."""
    asked = bodies.arguments_as(Credentials)
    parts = services()
    secret = parts.signing_in.sign_in(asked.name, asked.password, request.remote_addr)
    found = parts.accounts.caller_of(secret)
    assert found is not None  # noqa: S101 # it was made a moment ago
    response = Response(_session(found, secret).model_dump_json(), content_type="application/json")
    response.set_cookie(
        _cookie(),
        secret,
        max_age=int(SESSION_LIFETIME.total_seconds()),
        secure=request.is_secure,
        httponly=True,
        samesite="Strict",
    )
    return response


@api.get("/v1/session", responses={200: Session})
def read_session() -> Json:
    """Read who is signed in, or whose token this is."""
    secret = "" if "Authorization" in request.headers else session_of(request)
    return _session(caller(), secret or None).model_dump(mode="json")


@api.delete("/v1/session", responses={204: {"description": "signed out", "content": {}}})
def sign_out() -> Response:
    """Sign out: the session ends, and the cookie goes."""
    services().accounts.sign_out(session_of(request))
    response = Response(status=204)
    response.delete_cookie(_cookie(), secure=request.is_secure, httponly=True, samesite="Strict")
    return response


def _session(found: Caller, secret: str | None) -> Session:
    return Session(
        name=found.name,
        role=found.role,
        sites=None if found.sites is None else sorted(found.sites),
        csrf=None if secret is None else csrf_of(secret),
    )


def _cookie() -> str:
    return COOKIE if request.is_secure else COOKIE_IN_CLEAR
