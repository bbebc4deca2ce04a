"""``/v1/enrolment`` for agents, which prove themselves by a code or a signature; ``/v1/registrations`` for admins."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final

from flask import Response, request
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat

from gateway.protocol.enrolment import Enrolled, Enrolment, Renewal
from gateway.protocol.ids import Id
from http_facade import bodies
from http_facade.auth import caller
from http_facade.openapi import a_problem, blueprint, reads_itself, request_body
from http_facade.refusals import NotFound
from http_facade.representations import Json
from http_facade.services import services

api = blueprint("enrolment", "How a site gets its identity.", secured=False)
registrations = blueprint("registrations", "Which sites may have an identity.")

_WRONG: Final[dict[str | int, Any]] = {status: a_problem() for status in (400, 403, 413, 415, 429, 503)}


_PEM: Final[Json] = {
    "description": "the authority, and those above it",
    "content": {"application/x-pem-file": {"schema": {"type": "string"}}},
}


class Asked(BaseModel):
    """Which site is to enrol, and how long its code is good."""

    model_config = ConfigDict(extra="forbid")

    site: Id
    hours: Annotated[FiniteFloat, Field(gt=0, le=168)] = 1.0


class Registered(BaseModel):
    """A site, and where it stands: ``waiting``, ``enrolled``, ``expired``, ``revoked`` or ``removed``."""

    site: str
    state: str
    registered_at: datetime
    certificate_ends_at: datetime | None
    revoked_at: datetime | None


class Registrations(BaseModel):
    """All of them, by name."""

    items: list[Registered]


class Invited(BaseModel):
    """The code, shown this once, and when it ends."""

    site: str
    code: str
    expires_at: datetime


@api.get("/v1/enrolment/authority", responses={200: _PEM, **_WRONG})
def read_authority() -> Response:
    """Read the authority's certificate, as PEM; who has a code compares its fingerprint."""
    return Response(services().enrolling.authority(), content_type="application/x-pem-file")


@api.post(
    "/v1/enrolment", responses={200: Enrolled, **_WRONG}, openapi_extensions={"requestBody": request_body(Enrolment)}
)
@reads_itself
def enrol() -> Response:
    """Exchange a code's secret and a certificate signing request for a site's certificate.

    The same key may ask again with the same code, should the answer have got lost.
    """
    body = bodies.arguments_as(Enrolment)
    return _private(services().enrolling.enrol(body, request.remote_addr))


@api.post(
    "/v1/enrolment/renewal",
    responses={200: Enrolled, **_WRONG},
    openapi_extensions={"requestBody": request_body(Renewal)},
)
@reads_itself
def renew() -> Response:
    """Exchange a good certificate for its successor; the request is signed with the present key."""
    body = bodies.arguments_as(Renewal)
    return _private(services().enrolling.renew(body, request.remote_addr))


@registrations.post(
    "/v1/registrations",
    responses={201: Invited, **{status: a_problem() for status in (400, 413, 415)}},
    openapi_extensions={"requestBody": request_body(Asked)},
)
@reads_itself
def register() -> Response:
    """Let a site enrol, or enrol anew: the answer's `code` is for `tidegate agent enrol`, and is shown this once."""
    body = bodies.arguments_as(Asked)
    if not caller().sees(body.site):
        raise NotFound("site", body.site)
    code, until = services().enrolling.invite(body.site, timedelta(hours=body.hours), caller().name)
    return _private(Invited(site=body.site, code=str(code), expires_at=until), 201)


@registrations.get("/v1/registrations", responses={200: Registrations})
def list_registrations() -> Json:
    """List the sites that were registered, and until when their certificates are good."""
    now = datetime.now(UTC)
    items = [
        Registered(
            site=each.site,
            state=each.state(now),
            registered_at=each.registered_at,
            certificate_ends_at=each.expires_at,
            revoked_at=each.revoked_at,
        ).model_dump(mode="json")
        for each in services().enrolling.registrations()
        if caller().sees(each.site)
    ]
    return {"items": items}


def _private(body: BaseModel, status: int = 200) -> Response:
    response = Response(body.model_dump_json(), status=status, content_type="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response
