"""The log files of all children as one stream that a person can read."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from rich.markup import escape

_COLOURS: Final = {
    "broker": "magenta",
    "redis": "red",
    "gateway": "cyan",
    "facade": "green",
    "farm": "blue",
    "agent": "yellow",
}
_LEVELS: Final = {"warning": "yellow", "error": "bold red", "critical": "bold red"}
_OURS: Final = ("gateway", "site_agent", "http_facade")
#: What the line says elsewhere, or what a person does not ask for.
_HIDDEN: Final = frozenset({"timestamp", "level", "event", "logger", "process"})
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_MAX_CHARS: Final = 400


def readable(role: str, line: str) -> str | None:
    """One log line for the screen, as rich markup: who, when, what; control characters are shown, not obeyed.

    None for what a person need not see: empty lines, and what libraries say without a warning.
    """
    record = _structured(line)
    if not line.strip() or (record is not None and _is_chatter(record)):
        return None
    body = _text(line) if record is None else _record(record)
    return f"[{_COLOURS.get(role, 'white')}]{role:>7}[/] {body}"


def _text(line: str) -> str:
    return escape(_CONTROL.sub(_shown, line)[:_MAX_CHARS])


def _shown(match: re.Match[str]) -> str:
    return repr(match[0])[1:-1]


def _structured(line: str) -> dict[str, Any] | None:
    try:
        record = json.loads(line)
    except ValueError:
        return None
    return record if isinstance(record, dict) and "event" in record else None


def _is_chatter(record: Mapping[str, Any]) -> bool:
    ours = str(record.get("logger", "")).startswith(_OURS)
    return not ours and str(record.get("level", "")) not in _LEVELS


def _record(record: Mapping[str, Any]) -> str:
    level = str(record.get("level", ""))
    event = _text(str(record["event"]))
    rest = " ".join(f"{name}={_plain(value)}" for name, value in record.items() if name not in _HIDDEN)
    style = _LEVELS.get(level)
    shown = f"[{style}]{event}[/]" if style else f"[bold]{event}[/]"
    return " ".join(part for part in (_clock(record.get("timestamp")), shown, _text(rest)) if part)


def _plain(value: object) -> str:
    return "; ".join(map(str, value)) if isinstance(value, list) else str(value)


def _clock(stamp: object) -> str:
    try:
        return f"[dim]{datetime.fromisoformat(str(stamp)).astimezone():%H:%M:%S}[/]"
    except ValueError:
        return ""


class LogTail:
    """Follows files that grow; each call of :meth:`lines` gives what came since the last."""

    def __init__(self, files: Mapping[str, Path]) -> None:
        self._files = dict(files)
        self._read = dict.fromkeys(files, 0)
        self._rest = dict.fromkeys(files, b"")

    def skip(self, role: str) -> None:
        """Leave out what a role has said so far."""
        with contextlib.suppress(FileNotFoundError):
            self._read[role] = self._files[role].stat().st_size

    def lines(self) -> Iterator[tuple[str, str]]:
        """Role and line, for every line that is whole by now."""
        for role, path in self._files.items():
            try:
                with path.open("rb") as file:
                    file.seek(self._read[role])
                    new = file.read()
            except FileNotFoundError:
                continue
            self._read[role] += len(new)
            *whole, self._rest[role] = (self._rest[role] + new).split(b"\n")
            for line in whole:
                yield role, line.decode("utf-8", errors="replace").rstrip("\r")
