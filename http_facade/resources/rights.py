"""``/v1/tokens`` and ``/v1/accounts``: who may use this interface, as what, and where. For administrators.

Nobody gives, sees or revokes rights that reach beyond the own ones.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final, Literal

from flask import Response, g, request
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictInt, StrictStr

from gateway.accounts import Account
from gateway.doers import Doer
from gateway.protocol.errors import Fault, InvalidInput
from gateway.protocol.ids import Id
from gateway.roles import Role
from gateway.tokens import DEFAULT_DAYS, LONGEST_NAME, MOST_DAYS, TOKEN_ID_PATTERN, TokenRecord, is_name
from http_facade import bodies
from http_facade.auth import caller
from http_facade.openapi import a_problem, blueprint, path_parameter, reads_itself, request_body
from http_facade.refusals import NotFound
from http_facade.representations import Json
from http_facade.services import services

api = blueprint("rights", "Who may use this interface, as what, and where.")

_MOST_SITES: Final = 1_000
_WRONG: Final[dict[str | int, Any]] = {status: a_problem() for status in (400, 413, 415)}


def _printable(name: str) -> str:
    if not is_name(name):
        raise ValueError(f"1 to {LONGEST_NAME} printable characters")
    return name


class TokenAsked(BaseModel):
    """What for, and where. Nobody can give more than the own role and sites."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[StrictStr, Field(min_length=1, max_length=LONGEST_NAME), AfterValidator(_printable)] = Field(
        description="whose it is, as lists and the audit show it"
    )
    role: Role
    sites: Annotated[list[Id], Field(min_length=1, max_length=_MOST_SITES)] | None = Field(
        description="only there; null: at every site, those to come as well"
    )
    days: Annotated[StrictInt, Field(ge=1, le=MOST_DAYS)] | None = Field(
        default=None, description=f"how long it is good for; {DEFAULT_DAYS} without a word"
    )


class Token(BaseModel):
    """What is known of a token; never the token itself."""

    id: str
    name: str
    role: Role
    sites: list[str] | None = Field(description="null: every site")
    state: Literal["good", "revoked", "expired"]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


class TokenMade(Token):
    """The token, shown this once."""

    token: str


class Tokens(BaseModel):
    """All that reach no further than the caller's own rights, oldest first."""

    items: list[Token]


class AccountOf(BaseModel):
    """Somebody who signs in with a browser."""

    name: str
    role: Role
    sites: list[str] | None = Field(description="null: every site")
    created_at: datetime
    changed_at: datetime


class Accounts(BaseModel):
    """All whose rights reach no further than the caller's own, by name."""

    items: list[AccountOf]


@api.get("/v1/tokens", responses={200: Tokens})
def list_tokens() -> Json:
    """List the tokens that were ever made, with whether they open anything still."""
    now = datetime.now(UTC)
    found = [each for each in services().tokens.all() if caller().has(each.role, each.sites)]
    return {"items": [Token(**_shown(each, now)).model_dump(mode="json") for each in found]}


@api.post(
    "/v1/tokens", responses={201: TokenMade, **_WRONG}, openapi_extensions={"requestBody": request_body(TokenAsked)}
)
@reads_itself
def make_token() -> Response:
    """Make a token; the answer's `token` is shown this once, and the database has only its hash."""
    asked = bodies.arguments_as(TokenAsked)
    sites = None if asked.sites is None else frozenset(asked.sites)
    _check_given(asked, sites)
    now = datetime.now(UTC)
    until = now + timedelta(days=asked.days or DEFAULT_DAYS)
    made, record = services().tokens.add(name=asked.name, role=asked.role, sites=sites, expires_at=until, by=_doer())
    body = TokenMade(**_shown(record, now), token=made)
    return Response(body.model_dump_json(), status=201, content_type="application/json")


@api.delete(
    "/v1/tokens/<id>",
    responses={204: {"description": "it opens nothing more", "content": {}}},
    openapi_extensions={"parameters": [path_parameter("id", TOKEN_ID_PATTERN)]},
)
@reads_itself
def revoke_token(id: str) -> Response:
    """Let a token open nothing more: calls within 2 s, open streams within 5 s."""
    record = services().tokens.get(id)
    seen = record is not None and caller().has(record.role, record.sites)
    if not seen or not services().tokens.revoke(id, _doer()):
        raise NotFound("token", id)
    return Response(status=204)


@api.get("/v1/accounts", responses={200: Accounts})
def list_accounts() -> Json:
    """List who signs in with a browser; they are changed by `tidegate account` alone."""
    found = [each for each in services().accounts.all() if caller().has(each.role, each.sites)]
    return {"items": [_account(each).model_dump(mode="json") for each in found]}


def _check_given(asked: TokenAsked, sites: frozenset[str] | None) -> None:
    """Whoever has only some sites can give only those; the others look as if there were none."""
    if caller().has(asked.role, sites):
        return
    if asked.sites is None:
        raise InvalidInput([Fault("/sites", "beyond-yours", "name sites of yours: you may not give what you have not")])
    foreign = [number for number, each in enumerate(asked.sites) if not caller().sees(each)]
    raise InvalidInput([Fault(f"/sites/{number}", "unknown-site", "no such site") for number in foreign])


def _doer() -> Doer:
    return services().audit_notes.doer(g.actor, request.remote_addr)


def _shown(record: TokenRecord, now: datetime) -> dict[str, Any]:
    return {
        "id": record.id,
        "name": record.name,
        "role": record.role,
        "sites": None if record.sites is None else sorted(record.sites),
        "state": record.state(now),
        "created_at": record.created_at,
        "expires_at": record.expires_at,
        "revoked_at": record.revoked_at,
    }


def _account(each: Account) -> AccountOf:
    return AccountOf(
        name=each.name,
        role=each.role,
        sites=None if each.sites is None else sorted(each.sites),
        created_at=each.created_at,
        changed_at=each.changed_at,
    )
