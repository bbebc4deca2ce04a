"""``/v1/sites/{site}/devices``: what devices are and report."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from flask import Response

from gateway.protocol.codec import encode
from http_facade import representations, schemas
from http_facade.openapi import blueprint, path_parameter, reads_itself
from http_facade.refusals import NotFound
from http_facade.representations import Json
from http_facade.services import services

api = blueprint("devices", "Devices, and what they have and can do.")

_DEVICE: Final = [path_parameter("site"), path_parameter("device")]


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


@api.get(
    "/v1/sites/<site>/devices/<device>/actions/<action>/allowance",
    responses={200: schemas.AllowanceOf},
    openapi_extensions={"parameters": [*_DEVICE, path_parameter("action")]},
)
@reads_itself
def read_allowance(site: str, device: str, action: str) -> Json:
    """Read what the limits of an action allow now, as far as the centre knows; the site decides.

    A site that is silent may have done more than the centre has heard. Interlocks are not looked at.
    """
    parts = services()
    about = parts.catalogue.description(site, device).actions.get(action)
    if about is None:
        raise NotFound("action", action)
    now = datetime.now(UTC)
    if not about.limits:
        return representations.allowance(None, None, now)
    found = parts.allowances.of(site, device, action, about, now)
    next_at = now + timedelta(seconds=found.wait_s) if found.wait_s else None
    return representations.allowance(found, next_at, now)
