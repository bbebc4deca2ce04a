"""Where a thing stands in a list that is told newest first: what pages of it go on from."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import Column, ColumnElement, UnaryExpression, tuple_

from gateway.database.tables import microseconds, moment
from gateway.protocol.ids import COMMAND_ID_PATTERN

#: Microseconds since 1970, until the year 9999; and an id.
PLACE_PATTERN: Final = rf"^[0-9]{{1,18}}\.{COMMAND_ID_PATTERN.removeprefix('^')}"
_PLACE: Final = re.compile(PLACE_PATTERN)


class Place(NamedTuple):
    """By time, and then by id: ids alone do not sort by time, for technicians make theirs as they like."""

    at: datetime
    id: str

    def __str__(self) -> str:
        """As a cursor, which :meth:`parse` understands."""
        return f"{microseconds(self.at)}.{self.id}"

    @classmethod
    def parse(cls, text: object) -> Place:
        """The place that a cursor names.

        Raises:
            ValueError: it is no cursor.
        """
        found = _PLACE.fullmatch(text) if isinstance(text, str) else None
        if found is None:
            raise ValueError("must be the `next` of the page before, as it was")
        microsecond, _, id = found[0].partition(".")
        try:
            return cls(moment(int(microsecond)), id)
        except OverflowError:
            raise ValueError("must be the `next` of the page before, as it was") from None


def newest_first(at: Column[datetime], id: Column[str]) -> tuple[UnaryExpression[datetime], UnaryExpression[str]]:
    """To order by."""
    return at.desc(), id.desc()


def behind(at: Column[datetime], id: Column[str], place: Place | None) -> list[ColumnElement[bool]]:
    """The condition to stand behind that place; None: anywhere."""
    return [] if place is None else [tuple_(at, id) < (place.at, place.id)]
