"""Text from peers, made safe for a terminal: nothing that a site sends can move the cursor or hide a word."""

from __future__ import annotations

import json
from typing import Final

from gateway.protocol.messages import Value


def printable(text: str) -> str:
    """``text`` with every control, bidirectional and other invisible character written out."""
    return "".join(each if each.isprintable() else _escape(each) for each in text)


def _escape(character: str) -> str:
    number = ord(character)
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


#: Codes of UCUM that nobody reads, as people write them.
_WRITTEN: Final = {"Cel": "°C", "[pH]": "pH", "1": ""}


def shown(value: Value | None, unit: str | None = None) -> str:
    """A value as a person reads it, with its unit; ``-`` if there is none."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "true" if value else "false"
    text = f"{value:.7g}" if isinstance(value, float) else f'"{value}"' if isinstance(value, str) else str(value)
    written = _WRITTEN.get(unit or "", unit)
    return printable(f"{text} {written}" if written else text)


def json_line(document: object) -> str:
    """``document`` as one line of JSON in printable ASCII."""
    return json.dumps(document).replace("\x7f", "\\u007f")  # the one control character that JSON lets pass
