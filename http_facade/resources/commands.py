"""``/v1/commands``: the ledger."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from flask import Response, g, request
from pydantic import BaseModel, ConfigDict, Field

from gateway.ledger import CommandRecord, Ledger
from gateway.place import Place
from gateway.protocol.ids import Id, Name, is_command_id
from gateway.protocol.lifecycle import State
from gateway.protocol.messages import MAX_TEXT, Moment
from http_facade import answers, bodies, comma_separated, file_rows, prefer, schemas
from http_facade.auth import caller
from http_facade.comma_separated import CSV
from http_facade.cursor import Cursor, next_of
from http_facade.openapi import (
    a_problem,
    blueprint,
    header_parameter,
    path_parameter,
    query_parameters,
    reads_itself,
)
from http_facade.refusals import NotFound
from http_facade.representations import Json, recorded_command, time_line
from http_facade.services import services

api = blueprint("commands", "Every command that was ever asked for, and what became of it.")


class _Commands(BaseModel):
    model_config = ConfigDict(extra="forbid")

    site: Id | None = Field(default=None, description="only of this site")
    device: Id | None = Field(default=None, description="only of devices with this id")
    name: Name | None = Field(default=None, description="only of this name: `write`, or an action")
    actor: Annotated[str, Field(min_length=1, max_length=MAX_TEXT)] | None = Field(
        default=None, description="only of this caller: a token's or account's name, or what a program said"
    )
    state: State | None = Field(default=None, description="only in this state")
    start: Moment | None = Field(default=None, alias="from", description="only what was recorded from then on")
    end: Moment | None = Field(default=None, alias="to", description="only what was recorded before then")


class CommandsFileQuery(_Commands):
    """Which commands to keep."""


class CommandsQuery(_Commands):
    """Which commands to list."""

    limit: Annotated[int, Field(ge=1, le=200)] = Field(default=50, description="the most to list")
    cursor: Cursor | None = Field(default=None, description="`next` of the page before")


@api.get(
    "/v1/commands",
    responses={200: schemas.Commands},
    openapi_extensions={"parameters": query_parameters(CommandsQuery)},
)
def list_commands() -> Json:
    """List commands, newest first."""
    asked = bodies.query(CommandsQuery)
    records, following = services().ledger.page(
        site=asked.site,
        device=asked.device,
        name=asked.name,
        actor=asked.actor,
        state=asked.state,
        limit=asked.limit,
        before=asked.cursor,
        start=asked.start,
        end=asked.end,
        sites=caller().sites,
    )
    return {"items": [recorded_command(each) for each in records], "next": next_of(following)}


@api.get(
    "/v1/commands.csv",
    responses={200: {"description": "OK", "content": {CSV: {"schema": {"type": "string"}}}}},
    openapi_extensions={"parameters": query_parameters(CommandsFileQuery)},
)
def read_commands() -> Response:
    """Read every command, newest first, as CSV (RFC 4180)."""
    asked, ledger = bodies.query(CommandsFileQuery), services().ledger
    rows = (file_rows.command_row(each) for each in _every(ledger, asked, caller().sites))
    return comma_separated.response("commands.csv", file_rows.COMMAND_COLUMNS, rows)


def _every(ledger: Ledger, asked: CommandsFileQuery, sites: frozenset[str] | None) -> Iterator[CommandRecord]:
    before: Place | None = None
    while True:
        records, before = ledger.page(
            site=asked.site,
            device=asked.device,
            name=asked.name,
            actor=asked.actor,
            state=asked.state,
            limit=comma_separated.PAGE,
            before=before,
            start=asked.start,
            end=asked.end,
            sites=sites,
        )
        yield from records
        if before is None:
            return


@api.get(
    "/v1/commands/<id>",
    responses={200: schemas.CommandHistory},
    openapi_extensions={"parameters": [path_parameter("id")]},
)
@reads_itself
def read_command(id: str) -> Json:
    """Read one command with its full time line."""
    record = services().ledger.get(id) if is_command_id(id) else None
    if record is None or not caller().sees(record.site):
        raise NotFound("command", id)
    return recorded_command(record) | {"steps": time_line(record)}


@api.post(
    "/v1/commands/<id>/cancel",
    responses={
        200: schemas.Command,
        202: schemas.Command,
        **{status: a_problem() for status in (400, 409, 413)},
    },
    openapi_extensions={
        "parameters": [
            path_parameter("id"),
            header_parameter("Prefer", "wait=N: seconds to wait for the site's word, default 5, at most 30 (RFC 7240)"),
        ]
    },
)
@reads_itself
def cancel_command(id: str) -> Response:
    """Cancel a command that nobody has begun; the site decides.

    200: it is cancelled, now or before. 202: nothing is known yet. 409: it is under way, or came to another end.
    """
    bodies.nothing()
    asked_wait_s = prefer.wait_s(request.headers.get("Prefer"))
    patience_s = prefer.DEFAULT_WAIT_S if asked_wait_s is None else asked_wait_s
    response = answers.to_cancel(_cancel(id, patience_s))
    if asked_wait_s is not None:
        response.headers["Preference-Applied"] = f"wait={asked_wait_s}"
    return response


def _cancel(id: str, wait_s: float) -> CommandRecord:
    if caller().sites is not None:
        record = services().ledger.get(id) if is_command_id(id) else None
        if record is None or not caller().sees(record.site):
            raise NotFound("command", id)
    return services().cancelling.cancel(id, actor=g.actor, source_address=request.remote_addr, wait_s=wait_s)
