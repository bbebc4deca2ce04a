"""``/v1/commands``: the ledger."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from gateway.protocol.ids import CommandId, Id, is_command_id
from gateway.protocol.lifecycle import State
from http_facade import bodies, schemas
from http_facade.openapi import blueprint, path_parameter, query_parameters, reads_itself
from http_facade.refusals import NotFound
from http_facade.representations import Json, recorded_command, time_line
from http_facade.services import services

api = blueprint("commands", "Every command that was ever asked for, and what became of it.")


class CommandsQuery(BaseModel):
    """Which commands to list."""

    model_config = ConfigDict(extra="forbid")

    site: Id | None = Field(default=None, description="only of this site")
    state: State | None = Field(default=None, description="only in this state")
    limit: Annotated[int, Field(ge=1, le=200)] = Field(default=50, description="the most to list")
    cursor: CommandId | None = Field(default=None, description="`next` of the page before")


@api.get(
    "/v1/commands",
    responses={200: schemas.Commands},
    openapi_extensions={"parameters": query_parameters(CommandsQuery)},
)
def list_commands() -> Json:
    """List commands, newest first."""
    asked = bodies.query(CommandsQuery)
    records, following = services().ledger.page(
        site=asked.site, state=asked.state, limit=asked.limit, before=asked.cursor
    )
    return {"items": [recorded_command(each) for each in records], "next": following}


@api.get(
    "/v1/commands/<id>",
    responses={200: schemas.CommandHistory},
    openapi_extensions={"parameters": [path_parameter("id")]},
)
@reads_itself
def read_command(id: str) -> Json:
    """Read one command with its full time line."""
    record = services().ledger.get(id) if is_command_id(id) else None
    if record is None:
        raise NotFound("command", id)
    return recorded_command(record) | {"steps": time_line(record)}
