"""What people ask of devices: changes of settings, and actions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

from flask import Response, g, request
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat

from gateway.protocol.topics import WRITE
from http_facade import answers, bodies, idempotency, prefer, schemas
from http_facade.dispatch import Request
from http_facade.openapi import (
    Json,
    a_problem,
    arguments_body,
    blueprint,
    header_parameter,
    key_parameter,
    path_parameter,
    query_parameters,
    reads_itself,
    settings_body,
)
from http_facade.refusals import KeyRequired, Malformed, NotFound
from http_facade.services import services

api = blueprint("asking", "Changes of settings and actions: what becomes a command.")

DEFAULT_TTL_S: Final = 10.0
PREFER: Final = header_parameter("Prefer", "wait=N: seconds to wait for the outcome, default 5, at most 30 (RFC 7240)")


class AskQuery(BaseModel):
    """How long the command may be on its way."""

    model_config = ConfigDict(extra="forbid")

    ttl_s: Annotated[FiniteFloat, Field(ge=1, le=60)] = Field(
        default=DEFAULT_TTL_S, description="seconds from now; nothing is written later than that"
    )


_DEFAULTS: Final = AskQuery()
_ANSWERS: Final[dict[str | int, Any]] = {
    200: schemas.Command,
    202: schemas.Command,
    **{status: a_problem() for status in (400, 409, 412, 413, 415, 502, 504)},
}
_PLACE: Final[list[Json]] = [path_parameter("site"), path_parameter("device")]


@api.patch(
    "/v1/sites/<site>/devices/<device>/settings",
    responses=_ANSWERS,
    openapi_extensions={
        "parameters": [
            *_PLACE,
            *query_parameters(AskQuery),
            PREFER,
            header_parameter("If-Match", "the revision of the settings that must still hold, as in the ETag"),
            key_parameter(required=False),
        ],
        "requestBody": settings_body(),
    },
)
@reads_itself
def write_settings(site: str, device: str) -> Response:
    """Change settings of a device, and answer once the PLC was read equal.

    200: applied. 202: no outcome yet, look at `Location`; do not repeat it. 409, 412, 422, 502, 504: it came to
    another end, and `command` in the problem tells which.
    """
    key = idempotency.key(request.headers.get("Idempotency-Key"))
    values = g.asked = bodies.settings()
    revision = prefer.expected_revision(request.headers.get("If-Match"))
    return _ask(site, device, WRITE, values, revision=revision, key=key)


@api.post(
    "/v1/sites/<site>/devices/<device>/actions/<action>",
    responses=_ANSWERS,
    openapi_extensions={
        "parameters": [
            *_PLACE,
            path_parameter("action"),
            *query_parameters(AskQuery),
            PREFER,
            key_parameter(required=True),
        ],
        "requestBody": arguments_body(),
    },
)
@reads_itself
def ask_for_action(site: str, device: str, action: str) -> Response:
    """Let a device do something once, and answer once its end is known.

    The same `Idempotency-Key` with the same request leads to the same command, whatever became of it, with the header
    `Idempotency-Replayed`. 200: applied, or `partial`: a dose that was counted short.
    """
    key = idempotency.key(request.headers.get("Idempotency-Key"))
    if key is None:
        raise KeyRequired
    if prefer.expected_revision(request.headers.get("If-Match")) is not None:
        raise Malformed("If-Match makes a change of settings conditional; an action has no revision")
    arguments = g.asked = bodies.arguments()
    return _ask(site, device, _action(action), arguments, revision=None, key=key)


def _action(name: str) -> str:
    """The name as it stands in the path; ``write`` is no action, and is not taken for one here."""
    if name == WRITE:
        raise NotFound("action", name)
    return name


def _ask(
    site: str, device: str, name: str, values: Mapping[str, Any], *, revision: str | None, key: str | None
) -> Response:
    asked_wait_s = prefer.wait_s(request.headers.get("Prefer"))
    parts = services()
    outcome = parts.dispatch.command(
        Request(
            site=site,
            device=device,
            name=name,
            input=values,
            ttl_s=(bodies.query(AskQuery) if request.args else _DEFAULTS).ttl_s,
            wait_s=prefer.DEFAULT_WAIT_S if asked_wait_s is None else asked_wait_s,
            revision=revision,
            actor=g.actor,
            source_address=request.remote_addr,
            key=key,
        )
    )
    response = answers.to_outcome(outcome, parts.ledger)
    if asked_wait_s is not None:
        response.headers["Preference-Applied"] = f"wait={asked_wait_s}"
    return response
