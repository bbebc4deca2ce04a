"""What was last asked of each setting, as far as it may still hold: read from the ledger.

A command that was refused, failed or came too late changed nothing, so it wishes nothing either.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Engine, Row, Select, bindparam, select

from gateway.database import reading
from gateway.database.tables import commands
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
    """Reads wishes from the ledger's table, newest first, and no further back than it takes to find them all."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        columns = (commands.c.id, commands.c.device, commands.c.state, commands.c.input, commands.c.result)
        newest = (
            select(*columns)
            .where(commands.c.site == bindparam("site"), commands.c.name == WRITE, commands.c.state.in_(_STANDING))
            .order_by(commands.c.id.desc())
        )
        self._of_device = newest.where(commands.c.device == bindparam("device")).limit(LOOK_BACK)
        self._of_site = newest.limit(bindparam("most"))

    def of_device(self, site: str, device: str, settings: Collection[str]) -> Mapping[str, Wish]:
        """What was last asked for each of ``settings``, as far as it was; raises Unavailable."""
        query = self._of_device.params(site=site, device=device)
        return self._find(query, {device: settings})[device]

    def of_site(self, site: str, settings: Mapping[str, Collection[str]]) -> Mapping[str, Mapping[str, Wish]]:
        """The same for each device in ``settings``."""
        query = self._of_site.params(site=site, most=LOOK_BACK * max(1, len(settings)))
        return self._find(query, settings)

    def _find(
        self, query: Select[Any, Any, Any, Any, Any], settings: Mapping[str, Collection[str]]
    ) -> dict[str, dict[str, Wish]]:
        found: dict[str, dict[str, Wish]] = {device: {} for device in settings}
        missing = {(device, name) for device, names in settings.items() for name in names}
        if not missing:
            return found
        with reading(self._engine) as connection, connection.execute(query) as rows:
            for row in rows:
                for name, wish in _wishes(row):
                    if (row.device, name) in missing:
                        missing.discard((row.device, name))
                        found[row.device][name] = wish
                if not missing:
                    break
        return found


def _wishes(row: Row[Any, Any, Any, Any, Any]) -> Iterator[tuple[str, Wish]]:
    result = json.loads(row.result or "{}")
    for name, value in json.loads(row.input).items():
        yield name, Wish(value=value, state=State(row.state), command=row.id, read_back=result.get(name))
