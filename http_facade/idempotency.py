"""``Idempotency-Key``: one key of one actor names one command, however often it is sent.

The header is that of draft-ietf-httpapi-idempotency-key-header, a quoted string; the bare form that many clients send
is taken as equal.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any, Final

from http_facade.refusals import Malformed

LONGEST_KEY: Final = 128
#: As in the OpenAPI document: bare, or as a structured field's string (RFC 8941 section 3.3.3).
KEY_PATTERN: Final = r'^([!#-~][!-~]{0,127}|"([!#-\[\]-~]|\\["\\]){1,128}")$'

_KEY: Final = re.compile(KEY_PATTERN)
_ESCAPED: Final = re.compile(r'\\(["\\])')


def key(header: str | None) -> str | None:
    """The key in the header; None without one.

    Raises:
        Malformed: not 1 to 128 visible ASCII characters, or a quoted string that does not end.
    """
    if header is None:
        return None
    text = header.strip(" \t")
    if _KEY.fullmatch(text) is None:
        raise Malformed(f"Idempotency-Key must be 1 to {LONGEST_KEY} visible ASCII characters, quoted or not")
    return _ESCAPED.sub(r"\1", text[1:-1]) if text[0] == '"' else text


def fingerprint(
    *, site: str, device: str, name: str, input: Mapping[str, Any], revision: str | None, ttl_s: float
) -> str:
    """A hash of all that a key stands for; the caller's patience is no part of it."""
    asked = {"site": site, "device": device, "name": name, "input": input, "revision": revision, "ttl_s": float(ttl_s)}
    # Lone surrogates, which JSON text may name, stay escaped: they are refused later, not here.
    return hashlib.sha256(json.dumps(asked, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
