"""What an action's limits allow now, as far as the centre knows: by the site's own rule, from the ledger."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Engine, Row, Select, and_, select

from gateway.database.engine import reading
from gateway.database.tables import command_steps, commands
from gateway.protocol.allowance import Allowance, Given, allowance, counted_of, remembered_s
from gateway.protocol.description import ActionAffordance
from gateway.protocol.lifecycle import State
from gateway.protocol.messages import Deed

#: A command may wait for its turn before the PLC is asked for it.
_WAITING: Final = timedelta(minutes=10)
_WRITTEN: Final = and_(command_steps.c.command_id == commands.c.id, command_steps.c.what == Deed.WRITTEN.value)
_DOSES: Final[Select[Any]] = select(
    commands.c.state,
    commands.c.input,
    commands.c.result,
    commands.c.issued_at,
    commands.c.created_at,
    command_steps.c.at,
    command_steps.c.recorded_at,
).join_from(commands, command_steps, _WRITTEN, isouter=True)


class Allowances:
    """Safe from any thread; raises Unavailable if the database does not answer."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def of(self, site: str, device: str, action: str, about: ActionAffordance, now: datetime) -> Allowance:
        """Of one action, after the doses of all requesters.

        What is open or unknown counts with all that was asked for. A dose is as old as the site says, or as the
        command, where that is younger; so clocks that differ make it rather too young than too old.
        """
        since = now - timedelta(seconds=remembered_s(about.limits)) - _WAITING
        this = and_(commands.c.site == site, commands.c.device == device, commands.c.name == action)
        with reading(self._engine) as connection:
            rows = connection.execute(_DOSES.where(this, commands.c.created_at >= since)).all()
        return allowance(about.limits, _given(rows, about, now))


def _given(rows: Iterable[Row[Any]], about: ActionAffordance, now: datetime) -> Iterator[Given]:
    for row in rows:
        amount = counted_of(State(row.state), json.loads(row.result or "{}"))
        if amount is None:
            asked = None if about.argument is None else json.loads(row.input).get(about.argument)
            amount = asked if isinstance(asked, int | float) else 0.0
        elif not amount:
            continue  # nothing was given: it holds up neither the gap nor the day
        yield Given(float(amount), max(0.0, (now - _at(row)).total_seconds()))


def _at(row: Row[Any]) -> datetime:
    """When the PLC was asked for it."""
    created_at: datetime = row.created_at
    if row.at is None:
        return created_at
    at: datetime = min(row.at, row.recorded_at)
    # Of a command of which only the ack was seen, the row may be much younger than the dose.
    return at if row.issued_at is None else max(at, created_at)
