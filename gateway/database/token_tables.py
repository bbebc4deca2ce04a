"""The table of API tokens: never a token itself, only what one can be known by."""

from __future__ import annotations

from sqlalchemy import Column, String, Table, Text

from gateway.database.tables import Moment, metadata

#: ``id`` is the part of a token that may be shown, ``hash`` the SHA-256 of its secret part. ``sites`` is a JSON list,
#: or null for all of them.
tokens = Table(
    "tokens",
    metadata,
    Column("id", String(12), primary_key=True),
    Column("hash", String(64), nullable=False),
    Column("name", String(64), nullable=False),
    Column("role", String(16), nullable=False),
    Column("sites", Text),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment),
    Column("revoked_at", Moment),
)
