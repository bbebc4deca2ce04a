"""Samples, events, commands and the audit as lines of CSV."""

from __future__ import annotations

from typing import Final

from gateway.audit_chain import Link
from gateway.course import Sample
from gateway.database.tables import moment
from gateway.events import EventRecord
from gateway.ledger import CommandRecord
from http_facade import representations
from http_facade.comma_separated import harmless
from http_facade.representations import MISSING, event, instant, recorded_command, to_json

SAMPLE_COLUMNS: Final = ("at", "value", "quality")


def sample_row(each: Sample) -> tuple[str | None, str, str]:
    """As :data:`SAMPLE_COLUMNS`: numbers and booleans as JSON writes them, nothing for what could not be read."""
    value = each.value
    text = "" if value is None else harmless(value) if isinstance(value, str) else to_json(value)
    return instant(moment(each.at_us)), text, MISSING if each.quality is None else each.quality.value


EVENT_COLUMNS: Final = (
    "at", "site", "device", "name", "source", "active", "severity", "detail", "data", "id", "received_at"
)  # fmt: skip


def event_row(record: EventRecord) -> tuple[object, ...]:
    """As :data:`EVENT_COLUMNS`."""
    shown = event(record) | {"detail": harmless(record.detail), "data": to_json(dict(record.data))}
    return tuple(shown[name] for name in EVENT_COLUMNS)


COMMAND_COLUMNS: Final = (
    "issued_at", "site", "device", "name", "requester", "actor", "reason", "input", "state", "code", "detail", "result",
    "id", "deadline_at",
)  # fmt: skip


def command_row(record: CommandRecord) -> tuple[object, ...]:
    """As :data:`COMMAND_COLUMNS`."""
    shown = recorded_command(record)
    shown |= {name: harmless(shown[name]) for name in ("actor", "reason", "detail")}
    shown |= {name: to_json(shown[name]) for name in ("input", "result")}
    return tuple(shown[name] for name in COMMAND_COLUMNS)


AUDIT_COLUMNS: Final = (
    "number", "at", "kind", "site", "device", "name", "command", "principal", "actor", "source_address", "input",
    "before", "state", "code", "detail", "result", "hash",
)  # fmt: skip
#: What came from outside, whoever said it: sites and names of refused paths too.
_WORDS: Final = ("site", "device", "name", "principal", "actor", "detail")


def audit_row(link: Link) -> tuple[object, ...]:
    """As :data:`AUDIT_COLUMNS`."""
    shown = representations.audit_row(link)
    shown |= {name: harmless(shown[name]) for name in _WORDS}
    shown |= {name: "" if shown[name] is None else to_json(shown[name]) for name in ("input", "before", "result")}
    return tuple(shown[name] for name in AUDIT_COLUMNS)
