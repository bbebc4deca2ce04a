"""The chain of the audit: what a row's hash covers, and how a changed or missing row shows. Pure.

Whoever can write to the database can also make a chain of its own from the row it changed on. Against that helps only
a hash that somebody else has: keep the last line of ``tidegate audit verify``, or exports, out of its reach.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import astuple, dataclass
from enum import StrEnum
from typing import Final

#: Before the first row.
ROOT: Final = "0" * 64


class Kind(StrEnum):
    """What a row tells."""

    #: A command was recorded; it is published after that, and not before.
    ASKED = "asked"
    #: A write was asked for, and nothing was or will be sent.
    REFUSED = "refused"
    #: Somebody wanted a command cancelled; whether it was shows its end.
    CANCEL = "cancel"
    #: A command came to its end.
    ENDED = "ended"
    #: Somebody changed something of the centre itself: a token, the acknowledgement of an alarm.
    DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What a row tells; ``input``, ``before`` and ``result`` are JSON as it is stored, times microseconds."""

    at_us: int
    kind: Kind
    site: str
    device: str
    name: str
    principal: str
    command: str | None = None
    actor: str | None = None
    source_address: str | None = None
    input: str | None = None
    before: str | None = None
    state: str | None = None
    code: str | None = None
    detail: str | None = None
    result: str | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """A row: an entry with its place in the chain."""

    number: int
    entry: Entry
    hash: str


@dataclass(frozen=True, slots=True)
class Break:
    """Where the chain does not hold, and why."""

    number: int
    reason: str


def chained(former: str, number: int, entry: Entry) -> str:
    """The hash of a row behind the one with the hash ``former``."""
    content = json.dumps([former, number, *astuple(entry)], separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(content.encode("ascii")).hexdigest()


class Verifier:
    """Takes rows in their order; ``noted`` is the number and hash of a row that must be among them."""

    def __init__(self, noted: tuple[int, str] | None = None) -> None:
        self._noted = noted
        self.number = 0
        self.hash = ROOT

    def take(self, links: Iterable[Link]) -> Break | None:
        """Go on along the chain; where it breaks first, if it does."""
        for each in links:
            if each.number != self.number + 1:
                return Break(self.number + 1, f"missing: row {each.number} follows on row {self.number}")
            if chained(self.hash, each.number, each.entry) != each.hash:
                return Break(each.number, "changed: its hash does not fit its contents and the row before")
            if self._noted is not None and each.number == self._noted[0] and each.hash != self._noted[1]:
                return Break(each.number, "changed: its hash is not the one that was noted")
            self.number, self.hash = each.number, each.hash
        return None

    def end(self, number: int, hash: str) -> Break | None:
        """Compare with the head, which the database keeps beside; None if that is where the chain ends."""
        if self._noted is not None and self.number < self._noted[0]:
            return Break(self.number + 1, f"missing: row {self._noted[0]} was noted")
        if self.number < number:
            return Break(self.number + 1, f"missing: the chain should go on to row {number}")
        if (self.number, self.hash) != (number, hash):
            return Break(number, "changed: the last row's hash is not the one that was noted beside the chain")
        return None
