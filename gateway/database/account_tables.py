"""People who sign in with a browser, and where they are signed in: never a password or a session's secret itself."""

from __future__ import annotations

from sqlalchemy import Column, Index, String, Table, Text

from gateway.database.tables import Moment, metadata

#: ``password`` is the scrypt hash with its salt and its cost. ``sites`` is a JSON list, or null for all of them.
accounts = Table(
    "accounts",
    metadata,
    Column("name", String(48), primary_key=True),
    Column("password", Text, nullable=False),
    Column("role", String(16), nullable=False),
    Column("sites", Text),
    Column("created_at", Moment, nullable=False),
    Column("changed_at", Moment, nullable=False),
)

#: ``hash`` is the SHA-256 of the session's secret.
sessions = Table(
    "sessions",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("name", String(48), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Index(None, "name"),
    Index(None, "expires_at"),
)
