"""Every table. A change here needs a migration beside it; a test compares the two.

JSON is kept as compact text, as it came or as we encode it: nobody queries inside it, both engines take it, and
nothing is parsed twice. Times are whole microseconds since 1970 (UTC), which sort and compare alike everywhere.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import BigInteger, Column, ColumnElement, Dialect, Float, Index, MetaData, String, Table, Text, text
from sqlalchemy.types import TypeDecorator

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def microseconds(moment: datetime) -> int:
    """A point in time as the tables hold it, for statements that bypass SQLAlchemy's types."""
    return (moment - _EPOCH) // _MICROSECOND


def moment(microseconds: int) -> datetime:
    """What :func:`microseconds` was made of."""
    return _EPOCH + microseconds * _MICROSECOND


def within(column: Column[Any], start: datetime | None, end: datetime | None) -> list[ColumnElement[bool]]:
    """The condition that it lies there; ``end`` itself does not."""
    return [*([] if start is None else [column >= start]), *([] if end is None else [column < end])]


def among(column: Column[Any], sites: frozenset[str] | None) -> list[ColumnElement[bool]]:
    """The condition that it is one of them; None: any."""
    return [] if sites is None else [column.in_(sorted(sites))]


def storable(text: str | None) -> str | None:
    """Text as both engines take it: PostgreSQL has no NUL."""
    return text if text is None or "\x00" not in text else text.replace("\x00", "\N{REPLACEMENT CHARACTER}")


class Moment(TypeDecorator[datetime]):
    """An aware point in time, stored as whole microseconds since 1970 UTC."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002 # its signature
        """Python to database."""
        return None if value is None else microseconds(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 # its signature
        """Database to Python."""
        return None if value is None else _EPOCH + timedelta(microseconds=value)


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

#: What each site said last about itself.
sites = Table(
    "sites",
    metadata,
    Column("site", String(48), primary_key=True),
    # The highest epoch seen in any message; nothing lower is let in again.
    Column("epoch", BigInteger, nullable=False),
    Column("boot", String(32)),
    Column("state", String(16)),
    Column("since", Moment),
    Column("version", Text),
    Column("reason", Text),
    Column("last_beat_at", Moment),
    Column("last_beat_epoch", BigInteger),
    Column("last_beat_seq", BigInteger),
    Column("plcs", Text),
    Column("outbox", BigInteger),
    Column("updated_at", Moment, nullable=False),
)

#: What each device is and what its values were last.
devices = Table(
    "devices",
    metadata,
    Column("site", String(48), primary_key=True),
    Column("device", String(48), primary_key=True),
    Column("description", Text),
    Column("state", Text),
    Column("state_at", Moment),
    Column("epoch", BigInteger, nullable=False),
    Column("received_at", Moment, nullable=False),
)

#: The ledger: every command, whoever asked, and what became of it.
commands = Table(
    "commands",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("site", String(48), nullable=False),
    Column("device", String(48), nullable=False),
    Column("name", String(64), nullable=False),
    Column("requester", String(49), nullable=False),
    Column("actor", Text),
    Column("reason", Text),
    Column("input", Text, nullable=False),
    Column("expect_revision", String(64)),
    Column("issued_at", Moment),
    Column("ttl_s", Float),
    Column("deadline_at", Moment, nullable=False),
    Column("source_address", Text),
    Column("state", String(16), nullable=False),
    Column("code", String(64)),
    Column("detail", Text),
    Column("result", Text),
    Column("epoch", BigInteger),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    # The site's epoch when it was asked: only a journal that reaches back to it can know the command.
    Column("asked_epoch", BigInteger),
    # The caller's own name for the command, and a hash of all that it stands for.
    Column("key", String(255)),
    Column("fingerprint", String(64)),
    # By what the outcome is known.
    Column("evidence", String(16)),
)
Index(None, commands.c.created_at, commands.c.id)
Index(None, commands.c.site, commands.c.created_at)
Index(None, commands.c.site, commands.c.device, commands.c.created_at)
Index(None, commands.c.state, commands.c.created_at)
Index(None, commands.c.actor, commands.c.created_at)
_OPEN: Final = text("state IN ('pending', 'accepted')")
Index("ix_commands_open", commands.c.deadline_at, sqlite_where=_OPEN, postgresql_where=_OPEN)
_KEYED: Final = text("key IS NOT NULL")
Index("uq_commands_key", commands.c.actor, commands.c.key, unique=True, sqlite_where=_KEYED, postgresql_where=_KEYED)
#: Commands about which the site is asked again. Spelt as in the index, which is used only then.
UNRESOLVED: Final = text("state = 'unknown' AND code NOT IN ('no-evidence', 'no-confirmation', 'journal-lost')")
Index(
    "ix_commands_unresolved",
    commands.c.state,  # the same in all, but SQLite would not see that the other index is the worse one
    commands.c.site,
    commands.c.id,
    sqlite_where=UNRESOLVED,
    postgresql_where=UNRESOLVED,
)

#: A command's time line: what happened to it (``at``, by the clock of ``source``) and when we learned of it.
command_steps = Table(
    "command_steps",
    metadata,
    Column("command_id", String(36), primary_key=True),
    Column("what", String(16), primary_key=True),
    Column("at", Moment, nullable=False),
    Column("recorded_at", Moment, nullable=False),
    Column("source", String(49), nullable=False),
    Column("code", String(64)),
    Column("detail", Text),
    Column("evidence", String(16)),
    sqlite_with_rowid=False,
)
