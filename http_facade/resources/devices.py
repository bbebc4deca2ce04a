"""``/v1/sites/{site}/devices``: what devices report, and the way to change their settings."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Final

from flask import Response, g, request
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat

from gateway.protocol.codec import encode
from http_facade import answers, bodies, prefer, representations, schemas
from http_facade.dispatch import Write
from http_facade.openapi import (
    a_problem,
    blueprint,
    header_parameter,
    path_parameter,
    query_parameters,
    reads_itself,
    settings_body,
)
from http_facade.refusals import NotFound
from http_facade.representations import Json
from http_facade.services import services

api = blueprint("devices", "Devices, their descriptions, and changes of their settings.")

DEFAULT_TTL_S: Final = 10.0
_DEVICE: Final = [path_parameter("site"), path_parameter("device")]


class WriteQuery(BaseModel):
    """How long the command may be on its way."""

    model_config = ConfigDict(extra="forbid")

    ttl_s: Annotated[FiniteFloat, Field(ge=1, le=60)] = Field(
        default=DEFAULT_TTL_S, description="seconds from now; nothing is written later than that"
    )


_DEFAULTS: Final = WriteQuery()


@api.get(
    "/v1/sites/<site>/devices",
    responses={200: schemas.Devices},
    openapi_extensions={"parameters": [path_parameter("site")]},
)
@reads_itself
def list_devices(site: str) -> Json:
    """List the devices of a site."""
    parts = services()
    parts.catalogue.site(site)
    records = parts.sites.devices(site)
    wishes = parts.desires.of_site(site, {each.device: representations.settings_of(each) for each in records})
    now = datetime.now(UTC)
    return {"items": [representations.device(each, wishes[each.device], now) for each in records]}


@api.get(
    "/v1/sites/<site>/devices/<device>",
    responses={200: schemas.Device},
    openapi_extensions={"parameters": _DEVICE},
)
@reads_itself
def read_device(site: str, device: str) -> tuple[Json, dict[str, str]]:
    """Read one device; the ETag is the revision of its settings."""
    parts = services()
    record = parts.sites.device(site, device)
    if record is None:
        parts.catalogue.site(site)
        raise NotFound("device", device)
    wishes = parts.desires.of_device(site, device, representations.settings_of(record))
    revision = None if record.state is None else record.state.revision
    headers = {} if revision is None else {"ETag": f'"{revision}"'}
    return representations.device(record, wishes, datetime.now(UTC)), headers


@api.get(
    "/v1/sites/<site>/devices/<device>/description",
    responses={200: {"description": "OK", "content": {"application/td+json": {"schema": {"type": "object"}}}}},
    openapi_extensions={"parameters": _DEVICE},
)
@reads_itself
def read_description(site: str, device: str) -> Response:
    """Read what a device has and can do: a W3C Thing Description."""
    found = services().catalogue.description(site, device)
    return Response(encode(found), content_type="application/td+json")


@api.patch(
    "/v1/sites/<site>/devices/<device>/settings",
    responses={
        200: schemas.Command,
        202: schemas.Command,
        **{status: a_problem() for status in (400, 409, 412, 413, 415, 502, 504)},
    },
    openapi_extensions={
        "parameters": [
            *_DEVICE,
            *query_parameters(WriteQuery),
            header_parameter("Prefer", "wait=N: seconds to wait for the outcome, default 5, at most 30 (RFC 7240)"),
            header_parameter("If-Match", "the revision of the settings that must still hold, as in the ETag"),
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
    values = bodies.settings()
    asked_wait_s = prefer.wait_s(request.headers.get("Prefer"))
    revision = prefer.expected_revision(request.headers.get("If-Match"))
    parts = services()
    outcome = parts.dispatch.write(
        Write(
            site=site,
            device=device,
            values=values,
            ttl_s=(bodies.query(WriteQuery) if request.args else _DEFAULTS).ttl_s,
            wait_s=prefer.DEFAULT_WAIT_S if asked_wait_s is None else asked_wait_s,
            revision=revision,
            actor=g.actor,
            source_address=request.remote_addr,
        )
    )
    response = answers.to_outcome(outcome, parts.ledger)
    if asked_wait_s is not None:
        response.headers["Preference-Applied"] = f"wait={asked_wait_s}"
    return response
