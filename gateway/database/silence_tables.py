"""The table of when gates were closed: a row for each silence that has ended."""

from __future__ import annotations

from sqlalchemy import Column, Index, String, Table

from gateway.database.tables import Moment, metadata

#: ``cause`` is one of :class:`gateway.silences.Cause`. What is still silent has no row yet.
silences = Table(
    "silences",
    metadata,
    Column("site", String(48), primary_key=True),
    Column("began_at", Moment, primary_key=True),
    Column("ended_at", Moment, nullable=False),
    Column("cause", String(8), nullable=False),
    sqlite_with_rowid=False,
)
Index(None, silences.c.site, silences.c.ended_at)
