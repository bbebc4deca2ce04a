"""What has changed, in one order that every reader sees alike: by it streams go on where they broke off.

A change is a number beside the name of what has changed; what it is now stands in its own table. A thing that changes
again moves to the end, so whoever reads on from any number sees the last state of each thing once, and misses none.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Final, NamedTuple

from sqlalchemy import Connection, Engine, bindparam, case, delete, select, update

from gateway.database.change_tables import change_head, changes
from gateway.database.driver import dialect_of, inserts_of, run, text_of
from gateway.database.engine import reading, writing

#: After a power cut the last changes of what agents repeat anyway may be lost, though readers have seen their numbers.
#: Every process that writes begins so much further on, so that no number is ever given twice.
SKIP: Final = 1_000_000
#: Changes that are kept; who broke off before them has to read everything anew.
KEPT: Final = 500_000
#: Rows that go at once.
_AT_ONCE: Final = 2_000


class Kind(StrEnum):
    """What can change."""

    STATUS = "status"
    DEVICE = "device"
    COMMAND = "command"
    EVENT = "event"
    ALARM = "alarm"


class Thing(NamedTuple):
    """What has changed; ``key`` is empty for a site, else the device, an id, or ``device/name/source``."""

    kind: Kind
    site: str
    key: str


class Change(NamedTuple):
    """A thing with the number of its last change."""

    number: int
    thing: Thing


class Span(NamedTuple):
    """The numbers that can be read on from: above ``forgotten``, up to ``last``."""

    forgotten: int
    last: int


class ChangeWriter:
    """The statements of one kind of database; safe from any thread."""

    def __init__(self, dialect: str) -> None:
        known = dialect_of(dialect)
        self._move = text_of(update(change_head).values(number=change_head.c.number + bindparam("count")), known)
        self._head = text_of(select(change_head.c.number), known)
        new = inserts_of(dialect).insert(changes)
        keys = [each.name for each in changes.primary_key]
        add = new.on_conflict_do_update(index_elements=keys, set_={"number": new.excluded.number})
        self._add = text_of(add, known)

    def add(self, connection: Connection, things: Sequence[Thing]) -> None:
        """Number them, as the last thing that a transaction does: whoever comes next waits for its commit."""
        unique = list(dict.fromkeys(things))
        if not unique:
            return
        run(connection, self._move, {"count": len(unique)})
        (last,) = run(connection, self._head, {}).fetchone() or (0,)
        first = last - len(unique) + 1
        rows = [
            {"kind": each.kind.value, "site": each.site, "key": each.key, "number": number}
            for number, each in enumerate(unique, start=first)
        ]
        # By key, as every writer does, though the head is held: rows of others may be locked for a moment yet.
        run(connection, self._add, sorted(rows, key=lambda row: (row["kind"], row["site"], row["key"])))


class Changes:
    """Reading, and what has to be done now and then; every method raises Unavailable."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def span(self) -> Span:
        """What can be read now."""
        with reading(self._engine) as connection:
            row = connection.execute(select(change_head.c.forgotten, change_head.c.number)).one()
        return Span(row.forgotten, row.number)

    def after(self, number: int, *, limit: int, sites: frozenset[str] | None = None) -> Sequence[Change]:
        """The next changes behind that number, in their order; of these sites alone, if they are named."""
        query = select(changes).where(changes.c.number > number).order_by(changes.c.number).limit(limit)
        if sites is not None:
            query = query.where(changes.c.site.in_(sites))
        with reading(self._engine) as connection:
            rows = connection.execute(query).all()
        return [Change(row.number, Thing(Kind(row.kind), row.site, row.key)) for row in rows]

    def skip(self) -> None:
        """Leave numbers out that a process may have given before a power cut; once at the start of each."""
        with writing(self._engine) as connection:
            connection.execute(update(change_head).values(number=change_head.c.number + SKIP))

    def forget(self, kept: int = KEPT) -> int:
        """Let the oldest go if there are too many; how many went. What they are about stays."""
        with reading(self._engine) as connection:
            first_kept = select(changes.c.number).order_by(changes.c.number.desc()).offset(kept).limit(1)
            upto = connection.execute(first_kept).scalar_one_or_none()
            if upto is None:
                return 0
            oldest = select(changes.c.number).where(changes.c.number <= upto).order_by(changes.c.number)
            gone = connection.execute(oldest.limit(_AT_ONCE)).scalars().all()
        with writing(self._engine) as connection:
            # The head first, as who writes does; and of two gateways the slower one takes nothing back.
            former = change_head.c.forgotten
            connection.execute(update(change_head).values(forgotten=case((former > gone[-1], former), else_=gone[-1])))
            connection.execute(delete(changes).where(changes.c.number <= gone[-1]))
        return len(gone)
