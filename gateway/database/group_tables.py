"""The tables of command groups: what was previewed for many devices at once, and how far its run has come."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, Index, String, Table, Text

from gateway.database.tables import Moment, metadata

#: A group: one write or action for many devices. Of its one-use token only a hash is kept.
groups = Table(
    "groups",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("actor", Text, nullable=False),
    Column("name", String(64), nullable=False),
    Column("input", Text, nullable=False),
    Column("rate_per_s", Float, nullable=False),
    Column("stop_share", Float, nullable=False),
    Column("ttl_s", Float, nullable=False),
    Column("token_hash", String(64), nullable=False),
    Column("targets", BigInteger, nullable=False),
    Column("summary", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("cause", String(16)),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("started_at", Moment),
    Column("ended_at", Moment),
    # Which process runs it, and until when that is believed without another word of it.
    Column("runner", String(32)),
    Column("lease_until", Moment),
    # Who ran it: of a large one somebody else than the actor, who previewed it.
    Column("run_by", Text),
)
Index(None, groups.c.state, groups.c.created_at)

#: A target of a group. What became of its command stands in the ledger, under ``key``.
group_items = Table(
    "group_items",
    metadata,
    Column("group_id", String(36), primary_key=True),
    Column("position", BigInteger, primary_key=True),
    Column("site", String(48), nullable=False),
    Column("device", String(48), nullable=False),
    Column("key", String(255), nullable=False),
    Column("preview", Text, nullable=False),
    # When its run took it on, before anything was recorded or sent.
    Column("begun_at", Moment),
    # Why the facade refused it, if no command was sent.
    Column("code", String(64)),
    Column("detail", Text),
    sqlite_with_rowid=False,
)
