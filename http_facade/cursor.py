"""The ``cursor`` of lists that are told newest first: a page goes on behind it."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import PlainValidator, WithJsonSchema

from gateway.place import PLACE_PATTERN, Place

_SCHEMA: Final = {"type": "string", "pattern": PLACE_PATTERN}

#: Clients hand it back as they got it; what is in it is ours alone.
Cursor = Annotated[Place, PlainValidator(Place.parse), WithJsonSchema(_SCHEMA)]


def next_of(place: Place | None) -> str | None:
    """What a list tells as its ``next``; None at the end."""
    return None if place is None else str(place)
