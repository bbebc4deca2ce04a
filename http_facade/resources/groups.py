"""``/v1/groups``: one write or action for many devices, in two steps."""

from __future__ import annotations

from typing import Annotated, Any, Final

from flask import Response, g, request
from pydantic import BaseModel, ConfigDict, Field

from gateway.protocol.errors import Fault, InvalidInput
from gateway.protocol.ids import CommandId
from http_facade import bodies
from http_facade.auth import caller
from http_facade.groups import asked, representations, schemas
from http_facade.groups.rows import GroupRecord
from http_facade.openapi import a_problem, blueprint, path_parameter, query_parameters, reads_itself, request_body
from http_facade.refusals import NotFound
from http_facade.representations import Json, to_json
from http_facade.services import services

api = blueprint("groups", "One write or action for many devices: preview first, then run once with its token.")

_ID: Final = [path_parameter("id")]
_WRONG: Final[dict[str | int, Any]] = {status: a_problem() for status in (400, 413, 415)}


class GroupsQuery(BaseModel):
    """Which groups to list."""

    model_config = ConfigDict(extra="forbid")

    limit: Annotated[int, Field(ge=1, le=100)] = Field(default=20, description="the most to list")
    cursor: CommandId | None = Field(default=None, description="`next` of the page before")


@api.post(
    "/v1/groups",
    responses={201: schemas.GroupPreviewed, **_WRONG, 429: a_problem("too many open previews")},
    openapi_extensions={"requestBody": request_body(asked.GroupAsked)},
)
@reads_itself
def preview_group() -> Response:
    """Show what a write or an action would do to many devices; nothing is sent.

    The answer's `token` is good for one run within five minutes, by the same caller.
    """
    wanted = asked.read(bodies.arguments())
    for number, target in enumerate(wanted.targets):
        if not caller().sees(target.site):
            raise InvalidInput([Fault(f"/targets/{number}/site", "unknown-site", "no such site")])
    made = services().groups.preview(wanted, actor=g.actor, address=request.remote_addr)
    body = representations.in_full(made.group, made.items) | {"token": made.token}
    response = Response(to_json(body), status=201, content_type="application/json")
    response.headers["Location"] = f"/v1/groups/{made.group.id}"
    response.headers["Cache-Control"] = "no-store"
    return response


@api.post(
    "/v1/groups/<id>/run",
    responses={202: schemas.Group, **_WRONG, **{status: a_problem() for status in (403, 409, 410)}},
    openapi_extensions={"parameters": _ID, "requestBody": request_body(schemas.RunAsked)},
)
@reads_itself
def run_group(id: str) -> Response:
    """Begin to run a previewed group, once; look at `Location` for how far it is."""
    token = bodies.arguments_as(schemas.RunAsked).token
    _seen(id)
    record = services().groups.run(id, token, actor=g.actor, address=request.remote_addr)
    response = Response(to_json(representations.group(record)), status=202, content_type="application/json")
    response.headers["Location"] = f"/v1/groups/{record.id}"
    return response


@api.post(
    "/v1/groups/<id>/stop",
    responses={200: schemas.Group, **{status: a_problem() for status in (400, 413)}},
    openapi_extensions={"parameters": _ID},
)
@reads_itself
def stop_group(id: str) -> Json:
    """Let nothing more of a group begin; what was begun comes to its own end."""
    bodies.nothing()
    _seen(id)
    return representations.group(services().groups.stop(id))


@api.get("/v1/groups/<id>", responses={200: schemas.GroupInFull}, openapi_extensions={"parameters": _ID})
@reads_itself
def read_group(id: str) -> Json:
    """Read one group, with what became of each target."""
    record = _seen(id)
    return representations.in_full(record, services().groups.items(record))


@api.get(
    "/v1/groups",
    responses={200: schemas.Groups},
    openapi_extensions={"parameters": query_parameters(GroupsQuery)},
)
def list_groups() -> Json:
    """List groups, newest first."""
    wanted = bodies.query(GroupsQuery)
    records, following = services().groups.page(limit=wanted.limit, before=wanted.cursor)
    return {"items": [representations.group(each) for each in records if _is_seen(each)], "next": following}


def _seen(id: str) -> GroupRecord:
    record = services().groups.get(id)
    if not _is_seen(record):
        raise NotFound("group", id)
    return record


def _is_seen(record: GroupRecord) -> bool:
    """Whether all of its targets are at sites of the caller."""
    return caller().sites is None or all(caller().sees(each.site) for each in services().groups.items(record))
