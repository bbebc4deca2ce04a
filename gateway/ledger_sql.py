"""The ledger's statements on the hot path, compiled once per engine; see :mod:`gateway.database.driver`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    BigInteger,
    ClauseElement,
    Connection,
    Select,
    String,
    and_,
    bindparam,
    func,
    literal_column,
    select,
    text,
    update,
)

from gateway.database.driver import dialect_of, inserts_of, run, text_of
from gateway.database.tables import command_steps, commands
from gateway.ledger_rows import PUBLISHED, Columns

#: Commands per transaction of the sweep; others wait for the write lock meanwhile.
SWEEP: Final = 200

_OUTCOME: Final = ("code", "detail", "result", "epoch", "evidence")
_HEADS: Final[Select[Any]] = select(
    commands.c.id, commands.c.site, commands.c.requester, commands.c.state, commands.c.code
)
OVERDUE: Final = (
    # Spelt as in the index, which is used only then.
    _HEADS.where(text("state IN ('pending', 'accepted')"), commands.c.deadline_at < bindparam("cutoff"))
    .order_by(commands.c.deadline_at)
    .limit(SWEEP)
)
_ADVANCE: Final = (
    update(commands)
    .where(and_(commands.c.id == bindparam("b_id"), commands.c.state == bindparam("b_before")))
    .values({each: bindparam(f"b_{each}") for each in (*_OUTCOME, "state", "updated_at")})
)
_ASKED: Final = tuple(each.name for each in commands.c if each.name not in _OUTCOME)
_PUBLISHED: Final = select(
    commands.c.id,
    literal_column(f"'{PUBLISHED}'"),
    bindparam("at", type_=BigInteger),
    bindparam("recorded_at", type_=BigInteger),
    commands.c.requester,
).where(
    commands.c.id == bindparam("id"),
    commands.c.requester == func.coalesce(bindparam("requester", type_=String), commands.c.requester),
)
_OF_KEY: Final = select(commands.c.id, commands.c.fingerprint).where(
    commands.c.actor == bindparam("actor"), commands.c.key == bindparam("key")
)


class Head(NamedTuple):
    """What the ledger must know of a command to move it on; the columns of ``_HEADS``."""

    id: str
    site: str
    requester: str
    state: str
    code: str | None


class Statements:
    """SQL text with named parameters, for SQLite or PostgreSQL."""

    def __init__(self, dialect: str) -> None:
        self._dialect = dialect_of(dialect)
        insert: Any = inserts_of(dialect).insert
        self._add = self._text(insert(commands).on_conflict_do_nothing(), _ASKED)
        self._add_step = self._text(insert(command_steps).on_conflict_do_nothing())
        published = insert(command_steps).from_select(("command_id", "what", "at", "recorded_at", "source"), _PUBLISHED)
        self._add_published = self._text(published.on_conflict_do_nothing())
        self._advance = self._text(_ADVANCE)
        self._heads: dict[tuple[int, bool], str] = {}

    def _text(self, statement: ClauseElement, columns: Sequence[str] | None = None) -> str:
        return text_of(statement, self._dialect, columns)

    def add(self, connection: Connection, rows: list[Columns]) -> None:
        """Insert commands; those that are there stay as they are."""
        run(connection, self._add, rows)

    def add_steps(self, connection: Connection, rows: list[Columns]) -> None:
        """Insert steps; those that are there stay as they are."""
        run(connection, self._add_step, rows)

    def add_published(self, connection: Connection, rows: list[Columns]) -> None:
        """Insert that commands were published; those that are not there stay so."""
        run(connection, self._add_published, rows)

    def holder(self, connection: Connection, actor: str | None, key: str | None) -> tuple[str, str | None]:
        """Id and fingerprint of the command that has this key; there must be one."""
        row = connection.execute(_OF_KEY, {"actor": actor, "key": key}).one()
        return row.id, row.fingerprint

    def advance(self, connection: Connection, rows: list[Columns]) -> None:
        """Compare and set."""
        run(connection, self._advance, rows)

    def heads(self, connection: Connection, ids: Sequence[str], *, lock: bool) -> Sequence[Head]:
        """Those commands that are there."""
        # Padded to a power of two, so that there are few texts to make and for the database to prepare.
        places = 1 << (len(ids) - 1).bit_length()
        key = places, lock
        if key not in self._heads:
            query = _HEADS.where(commands.c.id.in_([bindparam(f"i{index}") for index in range(places)]))
            if lock:
                # Always in the same order, so that two processes cannot wait for each other; SQLite has one lock.
                query = query.order_by(commands.c.id).with_for_update()
            self._heads[key] = self._text(query)
        wanted = [*ids, *[ids[-1]] * (places - len(ids))]
        found = run(connection, self._heads[key], {f"i{index}": each for index, each in enumerate(wanted)})
        return [Head(*row) for row in found.fetchall()]
