"""How long each kind of row is kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Ages:
    """None: for ever."""

    samples: timedelta | None = None
    minutes: timedelta | None = None
    hours: timedelta | None = None
    events: timedelta | None = None
    commands: timedelta | None = None


FOR_EVER: Final = Ages()
