"""``Prefer: wait=N`` (RFC 7240) and ``If-Match`` (RFC 9110): pure text to values."""

from __future__ import annotations

import re
from typing import Final

from http_facade.refusals import Malformed, RevisionDiffers

DEFAULT_WAIT_S: Final = 5
LONGEST_WAIT_S: Final = 30

_WAIT: Final = re.compile(r'(?:^|,)\s*wait\s*=\s*("?)(\d{1,9})\1\s*(?=$|[,;])', re.ASCII | re.IGNORECASE)
_TAGS: Final = re.compile(r'\s*(?P<weak>W/)?"(?P<tag>[\x21\x23-\x7e\x80-\xff]*)"\s*(?:,|$)')
_REVISION: Final = re.compile(r"^[0-9a-f]{8,64}$")


def wait_s(prefer: str | None) -> int | None:
    """Seconds that the caller wants to wait, 30 at most; None if it says nothing that can be understood.

    RFC 7240 section 2: a preference that cannot be understood is ignored; of several the first counts.
    """
    found = None if prefer is None else _WAIT.search(prefer)
    return None if found is None else min(int(found.group(2)), LONGEST_WAIT_S)


def expected_revision(if_match: str | None) -> str | None:
    """The revision that ``If-Match`` demands; None if any will do.

    Raises:
        Malformed: not a list of entity tags.
        RevisionDiffers: no tag that a device's settings could have, so the condition cannot hold.
    """
    if if_match is None or if_match.strip() == "*":
        return None
    position, tags = 0, []
    while position < len(if_match):
        found = _TAGS.match(if_match, position)
        if found is None:
            raise Malformed('If-Match must be * or quoted entity tags, as in "0123abcd"')
        if found["weak"] is None and _REVISION.match(found["tag"]):
            tags.append(found["tag"])
        position = found.end()
    if len(tags) > 1:
        raise Malformed("If-Match may name one revision here, since the site compares with one")
    if not tags:
        raise RevisionDiffers("If-Match names no revision of settings; read the device for its ETag")
    return tags[0]
