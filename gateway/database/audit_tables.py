"""The audit's tables: what was asked for, refused and done, each row chained to the one before by its hash."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table, Text

from gateway.database.tables import Moment, metadata

#: Rows are only ever added; triggers of the migration refuse everything else. ``hash`` covers all other columns and the
#: hash of the row before.
audit = Table(
    "audit",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("at", Moment, nullable=False),
    Column("kind", String(8), nullable=False),
    Column("site", String(48), nullable=False),
    Column("device", String(48), nullable=False),
    Column("name", String(64), nullable=False),
    # The command's id; null for what was refused before it became one.
    Column("command", String(36)),
    Column("principal", String(49), nullable=False),
    Column("actor", Text),
    Column("source_address", Text),
    Column("input", Text),
    Column("before", Text),
    Column("state", String(16)),
    Column("code", String(64)),
    Column("detail", Text),
    Column("result", Text),
    Column("hash", String(64), nullable=False),
)
Index(None, audit.c.command, audit.c.kind, unique=True)
Index(None, audit.c.at, audit.c.number)
Index(None, audit.c.site, audit.c.at, audit.c.number)
Index(None, audit.c.actor, audit.c.at, audit.c.number)

#: One row: the last number and hash. Whoever adds to the chain holds it, so that numbers follow one another.
audit_head = Table(
    "audit_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("number", BigInteger, nullable=False),
    Column("hash", String(64), nullable=False),
)
