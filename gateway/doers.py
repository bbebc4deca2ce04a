"""Who does something at the centre itself, and the row of the audit that it leaves in the same transaction."""

from __future__ import annotations

import getpass
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from gateway.audit_chain import Entry, Kind
from gateway.database.tables import storable

#: Whoever has a shell at the centre; requesters at the broker begin with @.
COMMAND_LINE: Final = "command-line"


@dataclass(frozen=True, slots=True, kw_only=True)
class Doer:
    """``principal`` is the program, ``actor`` who used it, from ``source_address``."""

    principal: str
    actor: str | None
    source_address: str | None

    def did(self, name: str, input: Mapping[str, Any], *, site: str = "", device: str = "") -> Entry:
        """The row that says so; without a site it is about the centre alone."""
        return Entry(
            at_us=time.time_ns() // 1_000,
            kind=Kind.DONE,
            site=site,
            device=device,
            name=name,
            principal=self.principal,
            actor=storable(self.actor),
            source_address=self.source_address,
            input=storable(json.dumps(input, separators=(",", ":"), ensure_ascii=False)),
        )


def at_the_command_line() -> Doer:
    """The user of this machine; without a name where the machine has none for it."""
    try:
        actor = getpass.getuser()
    except (ImportError, KeyError, OSError):  # a container's user without an entry
        actor = None
    return Doer(principal=COMMAND_LINE, actor=actor, source_address=None)
