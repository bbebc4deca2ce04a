"""``/v1/audit``: who asked for what, from where, and what came of it; for engineers and administrators."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Annotated, Any

from flask import Response
from pydantic import BaseModel, ConfigDict, Field

from gateway.audit import Audit
from gateway.audit_chain import Kind, Link
from gateway.protocol.ids import CommandId, Id
from gateway.protocol.messages import MAX_TEXT, Moment
from http_facade import bodies, comma_separated, file_rows
from http_facade.auth import caller
from http_facade.comma_separated import CSV
from http_facade.openapi import blueprint, query_parameters
from http_facade.representations import Json, audit_row
from http_facade.schemas import Scalar
from http_facade.services import services

api = blueprint("audit", "Who asked for what, from where, and what came of it.")

_Text = Annotated[str, Field(min_length=1, max_length=MAX_TEXT)]


class _Rows(BaseModel):
    model_config = ConfigDict(extra="forbid")

    site: Id | None = Field(default=None, description="only of this site")
    principal: _Text | None = Field(default=None, description="only of this program, as `@facade` or `@ana`")
    actor: _Text | None = Field(default=None, description="only of this caller of a facade")
    name: _Text | None = Field(default=None, description="only of this name: `write`, an action, `token-added`")
    kind: Kind | None = Field(default=None, description="only of this kind")
    start: Moment | None = Field(default=None, alias="from", description="only what was written down from then on")
    end: Moment | None = Field(default=None, alias="to", description="only what was written down before then")


class AuditQuery(_Rows):
    """Which rows to list."""

    limit: Annotated[int, Field(ge=1, le=200)] = Field(default=50, description="the most to list")
    cursor: Annotated[int, Field(ge=1, lt=2**63)] | None = Field(default=None, description="`next` of the page before")


class AuditFileQuery(_Rows):
    """Which rows to keep."""


class AuditRow(BaseModel):
    """A row; it never changes."""

    number: int = Field(description="its place in the chain")
    at: datetime
    kind: Kind = Field(description="`asked`, `refused`, `cancel` or `ended`; `done`: at the centre itself")
    site: str = Field(description="empty: about the centre alone")
    device: str
    name: str
    command: CommandId | None = Field(description="null for what was refused before it became one, or is none")
    principal: str = Field(description="who asked at the broker, proved by it")
    actor: str | None = Field(description="behind it, of a facade: the token's or account's name")
    source_address: str | None
    input: dict[str, Any] | None
    before: dict[str, Scalar | None] | None = Field(
        description="what the settings that were to be written were last reported to hold"
    )
    state: str | None = Field(description="of the end")
    code: str | None = Field(description="of the end, or of the refusal")
    detail: str | None
    result: dict[str, Scalar | None] | None = Field(description="what was read afterwards")
    hash: str = Field(description="of this row and the one before; see `tidegate audit verify`")


class AuditRows(BaseModel):
    """A page of rows, newest first."""

    items: list[AuditRow]
    next: int | None = Field(description="the `cursor` of the next page; null at the end")


@api.get(
    "/v1/audit",
    responses={200: AuditRows},
    openapi_extensions={"parameters": query_parameters(AuditQuery)},
)
def list_audit() -> Json:
    """List the audit, newest first; who has only some sites sees only their rows."""
    asked = bodies.query(AuditQuery)
    links, following = _page(services().audit, asked, asked.limit, asked.cursor, caller().sites)
    return {"items": [audit_row(each) for each in links], "next": following}


@api.get(
    "/v1/audit.csv",
    responses={200: {"description": "OK", "content": {CSV: {"schema": {"type": "string"}}}}},
    openapi_extensions={"parameters": query_parameters(AuditFileQuery)},
)
def read_audit() -> Response:
    """Read every row, newest first, as CSV (RFC 4180)."""
    asked, sites = bodies.query(AuditFileQuery), caller().sites
    rows = (file_rows.audit_row(each) for each in _every(services().audit, asked, sites))
    return comma_separated.response("audit.csv", file_rows.AUDIT_COLUMNS, rows)


def _every(audit: Audit, asked: AuditFileQuery, sites: frozenset[str] | None) -> Iterator[Link]:
    before: int | None = None
    while True:
        links, before = _page(audit, asked, comma_separated.PAGE, before, sites)
        yield from links
        if before is None:
            return


def _page(
    audit: Audit, asked: _Rows, limit: int, before: int | None, sites: frozenset[str] | None
) -> tuple[Sequence[Link], int | None]:
    return audit.page(
        site=asked.site,
        principal=asked.principal,
        actor=asked.actor,
        name=asked.name,
        kind=asked.kind,
        start=asked.start,
        end=asked.end,
        limit=limit,
        before=before,
        sites=sites,
    )
