"""What was last asked of each setting, as far as it may still hold: read from the ledger.

A command that was refused, failed or came too late changed nothing, so it wishes nothing either.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any, Final

from sqlalchemy import Engine, Select, String, bindparam, cast, func, select

from gateway.database import reading
from gateway.database.tables import commands
from gateway.place import newest_first
from gateway.protocol.lifecycle import State
from gateway.protocol.messages import Value
from gateway.protocol.topics import WRITE

#: How many commands back a wish is looked for, per device asked about.
LOOK_BACK: Final = 100

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


class Desires:
    """Reads wishes from the ledger's table.

    All rows come as one text: SQLite's driver gives up the interpreter's lock at every row, and under load each time
    costs a wait for it. Rows end at newlines and columns at tabs, neither of which compact JSON contains.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        columns = (
            commands.c.created_at,
            commands.c.id,
            commands.c.device,
            commands.c.state,
            commands.c.input,
            commands.c.result,
        )
        newest = (
            select(*columns)
            .where(commands.c.site == bindparam("site"), commands.c.name == WRITE, commands.c.state.in_(_STANDING))
            .order_by(*newest_first(commands.c.created_at, commands.c.id))
        )
        self._of_device = _as_text(newest.where(commands.c.device == bindparam("device")).limit(LOOK_BACK))
        self._of_site = _as_text(newest.limit(bindparam("most")))

    def of_device(self, site: str, device: str, settings: Collection[str]) -> Mapping[str, Wish]:
        """What was last asked for each of ``settings``, as far as it was; raises Unavailable."""
        with reading(self._engine) as connection:
            text = connection.execute(self._of_device, {"site": site, "device": device}).scalar_one()
        return fold(text or "", {device: settings})[device]

    def of_site(self, site: str, settings: Mapping[str, Collection[str]]) -> Mapping[str, Mapping[str, Wish]]:
        """The same for each device in ``settings``."""
        most = LOOK_BACK * max(1, len(settings))
        with reading(self._engine) as connection:
            text = connection.execute(self._of_site, {"site": site, "most": most}).scalar_one()
        return fold(text or "", settings)


def _as_text(newest: Select[Any, Any, Any, Any, Any]) -> Select[str | None]:
    row = newest.subquery().c
    # As many digits for every time from 2001 to 2286, so that lines sort by it.
    parts = (cast(row.created_at, String), row.id, row.device, row.state, row.input, func.coalesce(row.result, "{}"))
    line = reduce(lambda done, part: done + "\t" + part, parts)
    return select(func.aggregate_strings(line, "\n"))


def fold(text: str, settings: Mapping[str, Collection[str]]) -> dict[str, dict[str, Wish]]:
    """The newest wish of each setting of each device, from lines in any order."""
    found: dict[str, dict[str, Wish]] = {device: {} for device in settings}
    missing = {(device, name) for device, names in settings.items() for name in names}
    for line in sorted(filter(None, text.split("\n")), reverse=True):  # their times lead
        if not missing:
            break
        _, command, device, state, asked, result = line.split("\t")
        for name, value in json.loads(asked).items():
            if (device, name) in missing:
                missing.discard((device, name))
                read_back = json.loads(result).get(name)
                found[device][name] = Wish(value=value, state=State(state), command=command, read_back=read_back)
    return found
