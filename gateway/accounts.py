"""People who sign in with a browser: a name, a password known by its scrypt hash, a role and sites; and their sessions.

A session's secret has 256 random bits and begins with ``ts_``. It is good for half a day, or until its account
changes.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Engine, Row, delete, insert, select, update

from gateway.database.account_tables import accounts, sessions
from gateway.database.engine import reading, writing
from gateway.protocol.errors import Fault, InvalidInput
from gateway.roles import Caller, Role

SESSION_START: Final = "ts_"
SESSION_LIFETIME: Final = timedelta(hours=12)
#: Sessions of one person at a time; the oldest goes (I15).
MOST_SESSIONS: Final = 16
SHORTEST: Final = 12
LONGEST: Final = 256
_LEAST_VARIETY: Final = 5
_SECRET_BYTES: Final = 32
#: 32 MiB and some 80 ms a password (RFC 7914; OWASP's floor is a fourth of the memory).
_COST, _BLOCK, _PARALLEL = 2**15, 8, 1
_SALT_BYTES: Final = 16
_MEMORY: Final = 128 * _BLOCK * (_COST + 64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A person; ``sites`` None stands for all of them."""

    name: str
    role: Role
    sites: frozenset[str] | None
    created_at: datetime
    changed_at: datetime

    @property
    def caller(self) -> Caller:
        """Who that is to the facade."""
        return Caller(self.name, self.role, self.sites)


def check_password(password: str, name: str) -> None:
    """Refuse what would be guessed.

    Raises:
        InvalidInput: too short or too long, the same few characters again and again, or the person's own name.
    """
    faults = []
    if not SHORTEST <= len(password) <= LONGEST:
        detail = f"has {len(password)} characters; {SHORTEST} to {LONGEST} are right"
        faults.append(Fault("/password", "length", detail))
    if len(set(password)) < _LEAST_VARIETY:
        faults.append(Fault("/password", "monotonous", "repeats the same few characters"))
    if name in password.lower():
        faults.append(Fault("/password", "own-name", "holds the name"))
    if faults:
        raise InvalidInput(faults)


def hash_password(password: str, salt: bytes | None = None) -> str:
    """The password as the table keeps it."""
    salt = os.urandom(_SALT_BYTES) if salt is None else salt
    digest = hashlib.scrypt(
        password.encode("utf-8", "surrogatepass"), salt=salt, n=_COST, r=_BLOCK, p=_PARALLEL, maxmem=_MEMORY
    )
    return f"scrypt${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"


#: Compared with where there is no such account: how long the answer takes tells nothing.
_NOBODY: Final = f"scrypt${base64.b64encode(bytes(_SALT_BYTES)).decode()}${'A' * 88}"


class Accounts:
    """The tables; safe from any thread. Every method raises Unavailable."""

    def __init__(self, engine: Engine, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._engine = engine
        self._now = now

    def add(self, name: str, password: str, role: Role, sites: frozenset[str] | None) -> bool:
        """Enter a person; False if there is one of that name. Raises InvalidInput for a weak password."""
        check_password(password, name)
        now, hashed = self._now(), hash_password(password)
        row = {"name": name, "password": hashed, "role": role.value, "sites": _text(sites)}
        with writing(self._engine) as connection:
            if connection.execute(select(accounts.c.name).where(accounts.c.name == name)).one_or_none() is not None:
                return False
            connection.execute(insert(accounts).values(**row, created_at=now, changed_at=now))
        return True

    def change(
        self, name: str, *, password: str | None = None, rights: tuple[Role, frozenset[str] | None] | None = None
    ) -> bool:
        """Another password, or other rights; all sessions end. False if there is no such person."""
        values: dict[str, Any] = {"changed_at": self._now()}
        if password is not None:
            check_password(password, name)
            values["password"] = hash_password(password)
        if rights is not None:
            values |= {"role": rights[0].value, "sites": _text(rights[1])}
        with writing(self._engine) as connection:
            known = connection.execute(update(accounts).where(accounts.c.name == name).values(values)).rowcount > 0
            connection.execute(delete(sessions).where(sessions.c.name == name))
        return known

    def remove(self, name: str) -> bool:
        """Let the person in no more; all sessions end. False if there is no such person."""
        with writing(self._engine) as connection:
            known = connection.execute(delete(accounts).where(accounts.c.name == name)).rowcount > 0
            # Afterwards: one that began meanwhile would be that of the next person of this name.
            connection.execute(delete(sessions).where(sessions.c.name == name))
        return known

    def all(self) -> Sequence[Account]:
        """Everybody, by name."""
        with reading(self._engine) as connection:
            return [_account(row) for row in connection.execute(select(accounts).order_by(accounts.c.name))]

    def sign_in(self, name: str, password: str) -> str | None:
        """A new session's secret; None if name and password do not fit. Takes as long either way."""
        with reading(self._engine) as connection:
            query = select(accounts.c.password).where(accounts.c.name == name)
            stored = connection.execute(query).scalar_one_or_none()
        if not _fits(password[: LONGEST + 1], stored or _NOBODY) or stored is None:
            return None
        secret, now = SESSION_START + secrets.token_urlsafe(_SECRET_BYTES), self._now()
        with writing(self._engine) as connection:
            # Held, so that whoever changes it this very moment finds the session and ends it.
            still = select(accounts.c.name).where(accounts.c.name == name, accounts.c.password == stored)
            if connection.execute(still.with_for_update()).one_or_none() is None:
                return None  # it was changed this very moment
            mine = sessions.c.name == name
            kept = select(sessions.c.hash).where(mine).order_by(sessions.c.created_at.desc()).limit(MOST_SESSIONS - 1)
            gone = (sessions.c.expires_at <= now) | (mine & sessions.c.hash.not_in(kept))
            connection.execute(delete(sessions).where(gone))
            row = {"hash": _hash(secret), "name": name, "created_at": now, "expires_at": now + SESSION_LIFETIME}
            connection.execute(insert(sessions).values(row))
        return secret

    def sign_out(self, secret: str) -> None:
        """End a session."""
        with writing(self._engine) as connection:
            connection.execute(delete(sessions).where(sessions.c.hash == _hash(secret)))

    def caller_of(self, secret: str) -> Caller | None:
        """Whom a session stands for; None if it ended, or never was."""
        query = (
            select(accounts)
            .join(sessions, sessions.c.name == accounts.c.name)
            .where(sessions.c.hash == _hash(secret), sessions.c.expires_at > self._now())
        )
        with reading(self._engine) as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else _account(row).caller


def csrf_of(secret: str) -> str:
    """What a page must send beside the cookie: known to whoever may read our answers, and to nobody else."""
    return hashlib.sha256(b"csrf\n" + secret.encode()).hexdigest()


def _fits(password: str, stored: str) -> bool:
    salt = base64.b64decode(stored.split("$")[1])
    return hmac.compare_digest(hash_password(password, salt), stored)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _text(sites: frozenset[str] | None) -> str | None:
    return None if sites is None else json.dumps(sorted(sites))


def _account(row: Row[Any]) -> Account:
    return Account(
        name=row.name,
        role=Role(row.role),
        sites=None if row.sites is None else frozenset(json.loads(row.sites)),
        created_at=row.created_at,
        changed_at=row.changed_at,
    )
