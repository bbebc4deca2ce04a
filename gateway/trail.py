"""What a transaction leaves behind for others: rows of the audit, and what has changed.

Both are noted while it runs and written at its end. Only then are the heads of the chain and of the order held, always
in this sequence, as the last locks that a transaction takes: so those who write at once wait for one another there, and
never crosswise.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import Connection

from gateway.audit import AuditWriter
from gateway.audit_chain import Entry
from gateway.changes import ChangeWriter, Thing


@dataclass(slots=True)
class Trail:
    """Of one transaction."""

    entries: list[Entry] = field(default_factory=list)
    things: list[Thing] = field(default_factory=list)


class TrailWriter:
    """The statements of one kind of database; safe from any thread."""

    def __init__(self, dialect: str) -> None:
        self._audit = AuditWriter(dialect)
        self._changes = ChangeWriter(dialect)

    def close(self, connection: Connection, trail: Trail) -> None:
        """Write what was noted, as the last thing that the transaction does."""
        self._audit.add(connection, trail.entries)
        self._changes.add(connection, trail.things)
