"""The central database: SQLAlchemy Core over SQLite or PostgreSQL. The metadata is whole for whoever asks for it."""

from gateway.database import (
    account_tables,
    audit_tables,
    change_tables,
    enrolment_tables,
    event_tables,
    group_tables,
    sample_tables,
    silence_tables,
    token_tables,
)
from gateway.database.engine import open_engine, reading, try_write, upgrade, upgraded, writing

__all__ = [
    "account_tables",
    "audit_tables",
    "change_tables",
    "enrolment_tables",
    "event_tables",
    "group_tables",
    "open_engine",
    "reading",
    "sample_tables",
    "silence_tables",
    "token_tables",
    "try_write",
    "upgrade",
    "upgraded",
    "writing",
]
