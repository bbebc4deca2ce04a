"""Names on the wire: sites, devices, principals, properties and command ids.

Principals that are not sites start with ``@`` so that no site can ever collide with one.
"""

from __future__ import annotations

import re
from typing import Annotated, Final
from uuid import UUID

from pydantic import StringConstraints

ID_PATTERN: Final = r"^[a-z0-9]([a-z0-9-]{0,46}[a-z0-9])?$"
PRINCIPAL_PATTERN: Final = r"^@[a-z0-9]([a-z0-9-]{0,46}[a-z0-9])?$"
#: MQTT client ids begin with it. No user name can, so where the broker takes the user name as a service's client id,
#: an id that a client chose never is one of those.
CLIENT_ID_PREFIX: Final = "tidegate:"
NAME_PATTERN: Final = r"^[a-z][a-z0-9_-]{0,62}$"
COMMAND_ID_PATTERN: Final = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"

#: A site or a device: lower-case letters, digits and inner dashes, 48 characters at most.
Id = Annotated[str, StringConstraints(pattern=ID_PATTERN)]
#: A requester that is not a site: ``@facade``, ``@gateway``, ``@ana``.
Principal = Annotated[str, StringConstraints(pattern=PRINCIPAL_PATTERN)]
#: A property, an action, an event or a PLC.
Name = Annotated[str, StringConstraints(pattern=NAME_PATTERN)]
#: Any RFC 9562 UUID in its canonical lower-case form; ours are version 7, ``uuidgen``'s are welcome too.
CommandId = Annotated[str, StringConstraints(pattern=COMMAND_ID_PATTERN)]

_ID = re.compile(ID_PATTERN)
_PRINCIPAL = re.compile(PRINCIPAL_PATTERN)
_NAME = re.compile(NAME_PATTERN)
_COMMAND_ID = re.compile(COMMAND_ID_PATTERN)


def is_id(text: str) -> bool:
    """Whether ``text`` may name a site or a device."""
    return _ID.fullmatch(text) is not None


def is_principal(text: str) -> bool:
    """Whether ``text`` may name a requester that is not a site."""
    return _PRINCIPAL.fullmatch(text) is not None


def is_facade(principal: str) -> bool:
    """Whether the principal is one of our facades: only their word about the ``actor`` is believed."""
    return principal == "@facade" or principal.startswith("@facade-")


def is_name(text: str) -> bool:
    """Whether ``text`` may name a property, an action or an event."""
    return _NAME.fullmatch(text) is not None


def is_command_id(text: str) -> bool:
    """Whether ``text`` is a canonical lower-case UUID."""
    return _COMMAND_ID.fullmatch(text) is not None


def command_id(unix_ms: int, random_bits: int) -> str:
    """Build a UUIDv7 (RFC 9562 section 5.7), so that ids sort by the time they were made.

    ``unix_ms``: milliseconds since 1970 (48 bits); ``random_bits``: at least 74 random bits. Both are
    arguments because this package owns neither clock nor dice.
    """
    value = (unix_ms & (1 << 48) - 1) << 80
    value |= 0x7 << 76 | (random_bits >> 62 & 0xFFF) << 64
    value |= 0b10 << 62 | random_bits & (1 << 62) - 1
    return str(UUID(int=value))
