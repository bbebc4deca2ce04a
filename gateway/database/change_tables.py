"""What has changed, in one order for everybody: each thing once, at the place of its last change."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table

from gateway.database.tables import metadata

changes = Table(
    "changes",
    metadata,
    Column("kind", String(8), primary_key=True),
    Column("site", String(48), primary_key=True),
    # The device, the command's or event's id, or device/name/source of an alarm; empty for the site itself.
    Column("key", String(128), primary_key=True),
    Column("number", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
Index(None, changes.c.number, unique=True)

#: One row: the last number, which whoever writes holds until its commit, so that numbers appear in their order; and up
#: to which number rows may be missing, for they are not kept for ever.
change_head = Table(
    "change_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("number", BigInteger, nullable=False),
    Column("forgotten", BigInteger, nullable=False),
)
