"""What the gateway must ask the sites about: commands in ``unknown``, as the ledger holds them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Engine, Row, Select, bindparam, select

from gateway.database.engine import reading
from gateway.database.tables import UNRESOLVED, commands
from gateway.protocol.messages import After, Command
from gateway.protocol.topics import HOST, CommandTopic

_SITES: Final = select(commands.c.site).where(UNRESOLVED).distinct()
_PAGE: Final[Select[Any]] = (
    select(
        commands.c.id,
        commands.c.site,
        commands.c.device,
        commands.c.name,
        commands.c.requester,
        commands.c.input,
        commands.c.issued_at,
        commands.c.asked_epoch,
    )
    .where(UNRESOLVED, commands.c.site == bindparam("site"), commands.c.id > bindparam("after"))
    .order_by(commands.c.id)
    .limit(bindparam("limit"))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What became of ``id``? Ready to be published."""

    id: str
    topic: CommandTopic
    command: Command


class Unresolved:
    """Reads commands without evidence; those that only a person can resolve are left out.

    Every method raises Unavailable if the database does not answer.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def sites(self) -> frozenset[str]:
        """The sites that have such commands."""
        with reading(self._engine) as connection:
            return frozenset(connection.execute(_SITES).scalars())

    def page(self, site: str, *, after: str, limit: int) -> list[Question]:
        """Questions about the next of them in the order of their ids."""
        with reading(self._engine) as connection:
            rows = connection.execute(_PAGE, {"site": site, "after": after, "limit": limit}).all()
        return [_question(row) for row in rows]


def _question(row: Row[Any]) -> Question:
    issued_at: datetime | None = row.issued_at
    return Question(
        id=row.id,
        topic=CommandTopic(site=row.site, requester=HOST, device=row.device, name=row.name),
        command=Command(
            id=row.id,
            input=json.loads(row.input),
            issued_at=issued_at,
            ttl_s=0,
            after=None if row.asked_epoch is None else After(epoch=row.asked_epoch, seq=0, age_s=0),
            asked_by=row.requester,
        ),
    )
