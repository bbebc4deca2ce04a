"""API tokens: made once, shown once, known by a hash, and of use until they expire or are revoked.

A token reads ``tg_ID_SECRET``. The secret has 256 random bits, so one round of SHA-256 is all that its hash needs:
there is nothing to guess that slow hashing would protect.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Engine, Row, insert, or_, select, update

from gateway.database.engine import reading, writing
from gateway.database.token_tables import tokens
from gateway.doers import Doer, at_the_command_line
from gateway.roles import Caller, Role
from gateway.trail import Trail, TrailWriter

SECRET_BYTES: Final = 32
#: Of a name.
LONGEST_NAME: Final = 64
#: A token is good for so many days at most, and for a year if nothing else is said.
MOST_DAYS: Final = 3_650
DEFAULT_DAYS: Final = 365
#: Names of rows in the audit.
ADDED: Final = "token-added"
REVOKED: Final = "token-revoked"
_ID_ALPHABET: Final = "abcdefghijkmnpqrstuvwxyz23456789"
_ID_LENGTH: Final = 12
TOKEN_ID_PATTERN: Final = rf"^[{_ID_ALPHABET}]{{{_ID_LENGTH}}}$"
_TOKEN: Final = re.compile(rf"tg_([{_ID_ALPHABET}]{{{_ID_LENGTH}}})_([A-Za-z0-9_-]{{43}})")


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRecord:
    """What is known of a token."""

    id: str
    name: str
    role: Role
    sites: frozenset[str] | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None

    def valid(self, now: datetime) -> bool:
        """Whether it still opens anything."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)

    def state(self, now: datetime) -> str:
        """``good``, ``revoked`` or ``expired``."""
        if self.revoked_at is not None:
            return "revoked"
        return "good" if self.valid(now) else "expired"

    @property
    def caller(self) -> Caller:
        """Whom it stands for."""
        return Caller(self.name, self.role, self.sites)


def is_name(text: str) -> bool:
    """Whether a token may have that name; it stands in lists, logs and the audit."""
    return text.isprintable() and 1 <= len(text) <= LONGEST_NAME


def id_of(token: str) -> str | None:
    """The part that may be shown; None if this is no token of ours."""
    found = _TOKEN.fullmatch(token)
    return None if found is None else found[1]


class Tokens:
    """The table; safe from any thread. Every method raises Unavailable."""

    def __init__(self, engine: Engine, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._engine = engine
        self._now = now
        self._trails = TrailWriter(engine.dialect.name)

    def add(
        self,
        *,
        name: str,
        role: Role,
        sites: frozenset[str] | None,
        expires_at: datetime | None,
        by: Doer | None = None,
    ) -> tuple[str, TokenRecord]:
        """Make one; the token itself is known to nobody but the caller of this. ``by``: not at the command line."""
        id = "".join(secrets.choice(_ID_ALPHABET) for _ in range(_ID_LENGTH))
        secret = secrets.token_urlsafe(SECRET_BYTES)
        row = {
            "id": id,
            "hash": _hash(secret),
            "name": name,
            "role": role.value,
            "sites": None if sites is None else json.dumps(sorted(sites)),
            "created_at": self._now(),
            "expires_at": expires_at,
        }
        given = {"id": id, "name": name, "role": role.value, "sites": None if sites is None else sorted(sites)}
        until = None if expires_at is None else expires_at.isoformat().replace("+00:00", "Z")
        entry = (by or at_the_command_line()).did(ADDED, {**given, "expires_at": until})
        with writing(self._engine) as connection:
            connection.execute(insert(tokens).values(row))
            self._trails.close(connection, Trail(entries=[entry]))
            made = connection.execute(select(tokens).where(tokens.c.id == id)).one()
        return f"tg_{id}_{secret}", _record(made)

    def caller_of(self, token: str) -> Caller | None:
        """Whom the token stands for; None if it is none, was revoked, or is too old."""
        found = _TOKEN.fullmatch(token)
        if found is None:
            return None
        with reading(self._engine) as connection:
            row = connection.execute(select(tokens).where(tokens.c.id == found[1])).one_or_none()
        # Compared even if there is no such id: how long the answer takes tells nothing.
        equal = hmac.compare_digest(_hash(found[2]), "" if row is None else row.hash)
        if row is None or not equal:
            return None
        record = _record(row)
        return record.caller if record.valid(self._now()) else None

    def revoke(self, id: str, by: Doer | None = None) -> bool:
        """Let it open nothing more; False if there is none that did. ``by``: not at the command line."""
        now = self._now()
        good = (tokens.c.id == id) & tokens.c.revoked_at.is_(None)
        good &= or_(tokens.c.expires_at.is_(None), tokens.c.expires_at > now)
        entry = (by or at_the_command_line()).did(REVOKED, {"id": id})
        with writing(self._engine) as connection:
            if not connection.execute(update(tokens).where(good).values(revoked_at=now)).rowcount:
                return False
            self._trails.close(connection, Trail(entries=[entry]))
        return True

    def get(self, id: str) -> TokenRecord | None:
        """One of them, whatever it opens."""
        with reading(self._engine) as connection:
            row = connection.execute(select(tokens).where(tokens.c.id == id)).one_or_none()
        return None if row is None else _record(row)

    def all(self) -> Sequence[TokenRecord]:
        """Every one that was ever made, oldest first."""
        with reading(self._engine) as connection:
            rows = connection.execute(select(tokens).order_by(tokens.c.created_at, tokens.c.id)).all()
        return [_record(row) for row in rows]


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _record(row: Row[Any]) -> TokenRecord:
    columns = dict(row._mapping)
    del columns["hash"]
    columns["role"] = Role(columns["role"])
    columns["sites"] = None if columns["sites"] is None else frozenset(json.loads(columns["sites"]))
    return TokenRecord(**columns)
