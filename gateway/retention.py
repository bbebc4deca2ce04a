"""What is old enough goes, a little at a time, so that nobody who writes waits for long.

Each kind has its own age. The audit is not among them. A command goes with its time line, and only once it is final:
what is still unknown stays, however old it is. A group goes before its commands, from which it knows what became of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import Column, ColumnElement, Engine, Table, and_, delete, exists, not_, or_, select

from gateway.ages import Ages
from gateway.database.engine import reading, writing
from gateway.database.event_tables import events
from gateway.database.group_tables import group_items, groups
from gateway.database.sample_tables import hours, minutes, samples, series, stale_hours
from gateway.database.tables import command_steps, commands, microseconds
from gateway.protocol.lifecycle import FINAL
from gateway.samples import HOUR_US

#: Rows of one transaction; others wait for its commit.
AT_ONCE: Final = 1_000
#: Series that one step looks at.
SERIES_AT_ONCE: Final = 64
#: Between two rounds over all series: what is too old may be so for a little longer, and then goes in one piece.
ROUND: Final = timedelta(minutes=10)


class Retention:
    """Several gateways may work at once: each row goes once, and who comes second finds nothing to do."""

    def __init__(self, engine: Engine, ages: Ages, *, now: Callable[[], datetime], at_once: int = AT_ONCE) -> None:
        self._engine = engine
        self._ages = ages
        self._now = now
        self._at_once = at_once
        #: The series that is looked at next; one after the other, for their rows lie apart.
        self._next_series: dict[str, int] = {}
        #: When the next round over a table's series begins.
        self._next_round: dict[str, datetime] = {}
        #: The last id of the page that was looked at, of tables in the order of their ids.
        self._after: dict[str, str] = {}

    def step(self) -> int:
        """One small transaction for each kind; how many rows went.

        Raises:
            Unavailable: what the last transaction was to remove may still be there.
        """
        ages = self._ages
        gone = 0
        for table, at, age in (
            (samples, samples.c.at_us, ages.samples),
            (minutes, minutes.c.start_us, ages.minutes),
            (hours, hours.c.start_us, ages.hours),
        ):
            if age is not None:
                gone += self._of_series(table, at, microseconds(self._now() - age))
        if ages.events is not None:
            gone += self._events(self._now() - ages.events)
        if ages.commands is not None:
            gone += self._groups(self._now() - ages.commands)
            gone += self._commands(self._now() - ages.commands)
        return gone

    def _of_series(self, table: Table, at: Column[int], before_us: int) -> int:
        """Of the first of the next few series that has any; 0 also between two rounds."""
        if self._now() < self._next_round.get(table.name, datetime.min.replace(tzinfo=UTC)):
            return 0
        after = self._next_series.get(table.name, 0)
        few = select(series.c.id).where(series.c.id >= after).order_by(series.c.id).limit(SERIES_AT_ONCE)
        with reading(self._engine) as connection:
            numbers: Sequence[int] = connection.execute(few).scalars().all()
            for number in numbers:
                old = select(at).where(_of(table, at, number), at < before_us).order_by(at).limit(self._at_once)
                found = connection.execute(old).scalars().all()
                if found:
                    break
            else:
                self._pass(table, numbers)
                return 0
        self._next_series[table.name] = number if len(found) == self._at_once else number + 1
        with writing(self._engine) as connection:
            # Up to the last one that was seen: they lie side by side.
            return connection.execute(delete(table).where(_of(table, at, number), at <= found[-1])).rowcount

    def _pass(self, table: Table, numbers: Sequence[int]) -> None:
        """On to the next series; behind the last one, the next round begins later."""
        if len(numbers) == SERIES_AT_ONCE:
            self._next_series[table.name] = numbers[-1] + 1
        else:
            self._next_series[table.name] = 0
            self._next_round[table.name] = self._now() + ROUND

    def _page(self, table: Table, old: ColumnElement[bool]) -> Sequence[str]:
        """Ids of what is old in the next page of a table; whatever an id may be, the whole table comes by in time."""
        key, after = table.c.id, self._after.get(table.name, "")
        with reading(self._engine) as connection:
            page = select(key, old.label("old")).where(key > after).order_by(key).limit(self._at_once)
            rows = connection.execute(page).all()
        self._after[table.name] = rows[-1].id if len(rows) == self._at_once else ""
        return [row.id for row in rows if row.old]

    def _events(self, before: datetime) -> int:
        ids = self._page(events, events.c.received_at < before)
        if ids:
            with writing(self._engine) as connection:
                connection.execute(delete(events).where(events.c.id.in_(ids)))
        return len(ids)

    def _groups(self, before: datetime) -> int:
        over = or_(groups.c.lease_until.is_(None), groups.c.lease_until < before)
        ids = self._page(groups, and_(groups.c.created_at < before, over))
        if ids:
            with writing(self._engine) as connection:
                connection.execute(delete(group_items).where(group_items.c.group_id.in_(ids)))
                connection.execute(delete(groups).where(groups.c.id.in_(ids)))
        return len(ids)

    def _commands(self, before: datetime) -> int:
        final = commands.c.state.in_([each.value for each in FINAL])
        ids = self._page(commands, and_(commands.c.updated_at < before, final))
        if ids:
            with writing(self._engine) as connection:
                connection.execute(delete(command_steps).where(command_steps.c.command_id.in_(ids)))
                connection.execute(delete(commands).where(commands.c.id.in_(ids)))
        return len(ids)


def _of(table: Table, at: Column[int], number: int) -> ColumnElement[bool]:
    """Rows of that series; samples only once their hour is worked out, for they may have come late."""
    mine = table.c.series_id == number
    if table is not samples:
        return mine
    stale = exists().where(stale_hours.c.series_id == number, stale_hours.c.start_us == at - at % HOUR_US)
    return and_(mine, not_(stale))
