"""The audit: every write that was asked for, accepted or refused, and its end (I14)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, fields, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import BigInteger, Connection, Engine, Row, bindparam, select, tuple_, type_coerce, update

from gateway.audit_chain import Break, Entry, Kind, Link, Verifier, chained
from gateway.database.audit_tables import audit, audit_head
from gateway.database.driver import dialect_of, inserts_of, run, text_of
from gateway.database.engine import reading
from gateway.database.tables import among, devices, storable, within
from gateway.ledger_rows import compact
from gateway.protocol.topics import WRITE

#: Rows that are read at once.
PAGE: Final = 1_000
_AT: Final = type_coerce(audit.c.at, BigInteger).label("at_us")


class AuditWriter:
    """Adds to the chain; the statements of one kind of database, safe from any thread."""

    def __init__(self, dialect: str) -> None:
        known = dialect_of(dialect)
        head = select(audit_head.c.number, audit_head.c.hash)
        self._head = text_of(head.with_for_update(), known)
        self._move = text_of(update(audit_head).values(number=bindparam("n"), hash=bindparam("h")), known)
        self._add = text_of(inserts_of(dialect).insert(audit), known)
        told = select(audit.c.number).where(audit.c.command == bindparam("c"), audit.c.kind == bindparam("k"))
        self._told = text_of(told, known)
        state = select(devices.c.state).where(devices.c.site == bindparam("s"), devices.c.device == bindparam("d"))
        self._state = text_of(state, known)

    def add(self, connection: Connection, entries: Sequence[Entry]) -> None:
        """Chain the rows of a transaction, at its end; of a command each kind of row is there once."""
        if not entries:
            return
        number, former = run(connection, self._head, {}).fetchone() or (0, "")
        rows = []
        for entry in self._fresh(connection, entries):
            whole = replace(entry, before=self._before(connection, entry))
            number += 1
            former = chained(former, number, whole)
            rows.append(_row(Link(number, whole, former)))
        if rows:
            run(connection, self._add, rows)
            run(connection, self._move, {"n": number, "h": former})

    def _fresh(self, connection: Connection, entries: Sequence[Entry]) -> Iterator[Entry]:
        seen = set[tuple[str, Kind]]()
        for entry in entries:
            if entry.command is not None:
                key = entry.command, entry.kind
                # One that was recorded after all, too late to be sent, tells of itself.
                rivals = (Kind.REFUSED, Kind.ASKED) if entry.kind is Kind.REFUSED else (entry.kind,)
                if any((key[0], each) in seen or self._is_told(connection, key[0], each) for each in rivals):
                    continue
                seen.add(key)
            yield entry

    def _is_told(self, connection: Connection, command: str, kind: Kind) -> bool:
        return run(connection, self._told, {"c": command, "k": kind.value}).fetchone() is not None

    def _before(self, connection: Connection, entry: Entry) -> str | None:
        """What the settings that are to be written were last reported to hold."""
        if entry.kind is Kind.ENDED or entry.name != WRITE or entry.input is None:
            return None
        row = run(connection, self._state, {"s": entry.site, "d": entry.device}).fetchone()
        if row is None or row[0] is None:
            return None
        held: Mapping[str, Any] = json.loads(row[0]).get("properties", {})
        return compact({name: held.get(name) for name in json.loads(entry.input)})


class Audit:
    """Reading; every method raises Unavailable if the database does not answer."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def links(self) -> Iterator[Link]:
        """All rows, in their order, page after page."""
        after = 0
        while True:
            query = select(audit, _AT).where(audit.c.number > after).order_by(audit.c.number).limit(PAGE)
            with reading(self._engine) as connection:
                rows = connection.execute(query).all()
            yield from map(_link, rows)
            if len(rows) < PAGE:
                return
            after = rows[-1].number

    def page(
        self,
        *,
        limit: int,
        before: int | None = None,
        site: str | None = None,
        principal: str | None = None,
        actor: str | None = None,
        name: str | None = None,
        kind: Kind | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
        sites: frozenset[str] | None = None,
    ) -> tuple[Sequence[Link], int | None]:
        """Rows, newest first; and the ``before`` of the next page, the number of the last row, None at the end."""
        wanted = {"site": site, "principal": principal, "actor": storable(actor), "name": name}
        wanted["kind"] = None if kind is None else kind.value
        query = select(audit, _AT).order_by(audit.c.at.desc(), audit.c.number.desc()).limit(limit + 1)
        query = query.where(*[audit.c[column] == value for column, value in wanted.items() if value is not None])
        query = query.where(*within(audit.c.at, start, end), *among(audit.c.site, sites))
        with reading(self._engine) as connection:
            if before is not None:
                # Rows stay as they are, so the last one of the page before still stands where it stood.
                last = connection.execute(select(audit.c.at).where(audit.c.number == before)).scalar_one_or_none()
                if last is None:
                    return [], None
                query = query.where(tuple_(audit.c.at, audit.c.number) < (last, before))
            rows = connection.execute(query).all()
        found = [_link(row) for row in rows[:limit]]
        return found, found[-1].number if len(rows) > limit else None

    def verify(self, noted: tuple[int, str] | None = None) -> tuple[Verifier, Break | None]:
        """Follow the whole chain; how far it holds, and where it breaks. ``noted`` is a row that must be there."""
        with reading(self._engine) as connection:
            number, last = connection.execute(select(audit_head.c.number, audit_head.c.hash)).one()
        verifier = Verifier(noted)
        # What is added meanwhile is left for the next time.
        found = verifier.take(each for each in self.links() if each.number <= number)
        return verifier, found or verifier.end(number, last)


_FIELDS: Final = tuple(each.name for each in fields(Entry))


def _row(link: Link) -> dict[str, Any]:
    columns = asdict(link.entry)
    columns["kind"] = link.entry.kind.value
    columns["at"] = columns.pop("at_us")
    return {"number": link.number, **columns, "hash": link.hash}


def _link(row: Row[Any]) -> Link:
    columns = {name: getattr(row, name) for name in _FIELDS}
    columns["kind"] = Kind(columns["kind"])
    return Link(row.number, Entry(**columns), row.hash)
