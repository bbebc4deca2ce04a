"""What was last asked of each setting, as far as it may still hold: read from the ledger.

A command that was refused, failed or came too late changed nothing, so it wishes nothing either.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Engine, Row, bindparam, select

from gateway.database import reading
from gateway.database.tables import commands
from gateway.protocol.lifecycle import State
from gateway.protocol.messages import Value
from gateway.protocol.topics import WRITE

#: How many commands back a wish is looked for, per device asked about.
LOOK_BACK: Final = 100

#: Command, state, input, result.
_Asked = tuple[str, State, Mapping[str, Value], Mapping[str, Value | None]]

_STANDING: Final = (State.PENDING, State.ACCEPTED, State.APPLIED, State.UNKNOWN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """The value that ``command`` asked for; ``read_back`` is what the PLC held after it."""

    value: Value
    state: State
    command: str
    read_back: Value | None = None

    def met_by(self, reported: Value | None) -> bool:
        """Whether ``reported`` is the wish; a PLC's float32 is compared with its own read-back."""
        return reported is not None and reported in (self.value, self.read_back)


def fold(rows: Sequence[_Asked]) -> dict[str, Wish]:
    """The newest wish per setting, from commands that come newest first."""
    wishes: dict[str, Wish] = {}
    for command, state, asked, result in rows:
        for name, value in asked.items():
            if name not in wishes:
                wishes[name] = Wish(value=value, state=state, command=command, read_back=result.get(name))
    return wishes


class Desires:
    """Reads wishes from the ledger's table."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        columns = (commands.c.id, commands.c.device, commands.c.state, commands.c.input, commands.c.result)
        site: ColumnElement[bool] = commands.c.site == bindparam("site")
        newest = (
            select(*columns)
            .where(site, commands.c.name == WRITE, commands.c.state.in_(_STANDING))
            .order_by(commands.c.id.desc())
        )
        self._of_device = newest.where(commands.c.device == bindparam("device")).limit(LOOK_BACK)
        self._of_site = newest.limit(bindparam("most"))

    def of_device(self, site: str, device: str) -> Mapping[str, Wish]:
        """Setting -> what was last asked for; raises Unavailable."""
        with reading(self._engine) as connection:
            rows = connection.execute(self._of_device, {"site": site, "device": device}).all()
        return fold([_parsed(row) for row in rows])

    def of_site(self, site: str, devices: int) -> Mapping[str, Mapping[str, Wish]]:
        """Device -> setting -> what was last asked for, for a site of so many ``devices``; raises Unavailable."""
        most = LOOK_BACK * max(1, devices)
        with reading(self._engine) as connection:
            rows = connection.execute(self._of_site, {"site": site, "most": most}).all()
        by_device: dict[str, list[_Asked]] = {}
        for row in rows:
            by_device.setdefault(row.device, []).append(_parsed(row))
        return {device: fold(each) for device, each in by_device.items()}


def _parsed(row: Row[Any, Any, Any, Any, Any]) -> _Asked:
    return row.id, State(row.state), json.loads(row.input), json.loads(row.result or "{}")
