"""Answers as CSV (RFC 4180), sent line by line while they are read."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from flask import Response

CSV: Final = "text/csv"
#: Rows that are read from the database at once.
PAGE: Final = 1_000
#: Lines that leave at once.
_LINES: Final = 1_000
#: With one of these a spreadsheet takes a text for a formula, and runs what somebody has written elsewhere.
_FORMULAS: Final = ("=", "+", "-", "@", "\t", "\r")


def response(name: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Response:
    """A file to keep, of that name; ``rows`` are read while it is sent."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    content_type = f"{CSV}; charset=utf-8; header=present"
    return Response(_lines(columns, rows), content_type=content_type, headers=headers)


def harmless(text: str | None) -> str:
    """Somebody's words, so that no spreadsheet runs them; nothing for None."""
    return f"'{text}" if text and text.startswith(_FORMULAS) else text or ""


def _lines(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    for number, row in enumerate(rows, start=1):
        writer.writerow(row)
        if number % _LINES == 0:
            yield text.getvalue()
            text.seek(0)
            text.truncate()
    yield text.getvalue()
