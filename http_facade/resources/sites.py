"""``/v1/sites``: who is there. Reads need the database alone; without Redis ``online`` is null and says why."""

from __future__ import annotations

from datetime import UTC, datetime

from http_facade import representations, schemas
from http_facade.auth import caller
from http_facade.openapi import blueprint, path_parameter, reads_itself
from http_facade.refusals import NotFound
from http_facade.representations import Json
from http_facade.services import services

api = blueprint("sites", "Sites as last reported, and whether they are online now.")


@api.get("/v1/sites", responses={200: schemas.Sites})
def list_sites() -> Json:
    """List all sites."""
    parts = services()
    records = [each for each in parts.sites.all() if caller().sees(each.site)]
    beats, cause = parts.beats([record.site for record in records])
    now, expiry_s = datetime.now(UTC), parts.liveness.expiry_s
    return {
        "items": [
            representations.site(each, beats.get(each.site), cause, now, alive_expiry_s=expiry_s) for each in records
        ]
    }


@api.get(
    "/v1/sites/<site>",
    responses={200: schemas.Site},
    openapi_extensions={"parameters": [path_parameter("site")]},
)
@reads_itself
def read_site(site: str) -> Json:
    """Read one site."""
    parts = services()
    record = parts.sites.get(site)
    if record is None:
        raise NotFound("site", site)
    beats, cause = parts.beats([site])
    expiry_s = parts.liveness.expiry_s
    return representations.site(record, beats.get(site), cause, datetime.now(UTC), alive_expiry_s=expiry_s)
