"""Registered sites, their codes and their certificates: who may come in, and who may not any more.

A code is of use once: what redeems it, marks it. The key that got a certificate gets the same one again, should the
answer have been lost on its way. Whoever changes what a site may do holds its registration first, so that nothing is
issued behind a revocation where several may write at once.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import Connection, Engine, Row, func, insert, select, update

from gateway.database.engine import reading, writing
from gateway.database.enrolment_tables import certificates, enrolments, registrations
from gateway.identity import certificates as x509_certificates
from gateway.identity.authority import SITE_LIFETIME, Authority
from gateway.protocol.enrolment import RENEWAL_CONTEXT, SECRET_BYTES
from gateway.protocol.errors import TidegateError

CODE_LIFETIME: Final = timedelta(hours=1)
#: Certificates of one site at a time: it renews every two months, and nobody fills the table (I15).
MOST_GOOD: Final = 24


class NotEnrolled(TidegateError):
    """Whoever asks has nothing that would let it in: the code is used, expired or made up, or the site was revoked."""

    code: ClassVar[str] = "not-enrolled"

    def __init__(self, detail: str) -> None:
        self.detail = detail
        super().__init__(detail)


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """A site; ``expires_at`` is the end of its last certificate, None if it never enrolled."""

    site: str
    registered_at: datetime
    revoked_at: datetime | None
    removed_at: datetime | None
    expires_at: datetime | None

    def state(self, now: datetime) -> str:
        """In one word: ``removed``, ``revoked``, ``waiting`` for its agent, ``expired`` or ``enrolled``."""
        if self.removed_at is not None:
            return "removed"
        if self.revoked_at is not None:
            return "revoked"
        if self.expires_at is None:
            return "waiting"
        return "enrolled" if now < self.expires_at else "expired"


class Enrolments:
    """The tables; safe from any thread. Every method raises Unavailable if the database does not answer."""

    def __init__(self, engine: Engine, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._engine = engine
        self._now = now

    def register(self, site: str, lifetime: timedelta = CODE_LIFETIME) -> tuple[bytes, datetime]:
        """Let a site in, once: the secret of a new code, and when it ends. Codes that it had before are void.

        A site that was revoked may come back like that; its old certificates may not.
        """
        secret, now = secrets.token_bytes(SECRET_BYTES), self._now()
        with writing(self._engine) as connection:
            known = connection.execute(
                update(registrations).where(registrations.c.site == site).values(revoked_at=None, removed_at=None)
            )
            if not known.rowcount:
                connection.execute(insert(registrations).values(site=site, registered_at=now))
            self._void(connection, site, now)
            row = {"hash": _hash(secret), "site": site, "created_at": now, "expires_at": now + lifetime}
            connection.execute(insert(enrolments).values(row))
        return secret, now + lifetime

    def redeem(self, secret: bytes, request: x509.CertificateSigningRequest, authority: Authority) -> tuple[str, str]:
        """The site that the secret lets in, and its certificate as PEM.

        Raises:
            NotEnrolled: the secret is none, was used by another key, or is too old.
        """
        now, key_hash = self._now(), _key_hash(request)
        with writing(self._engine) as connection:
            query = select(enrolments).where(enrolments.c.hash == _hash(secret))
            row = connection.execute(query).one_or_none()
            if row is not None:
                self._hold(connection, row.site)
                row = connection.execute(query).one_or_none()
            if row is None or now >= row.expires_at or row.key_hash not in {None, key_hash}:
                raise NotEnrolled("the code is used, too old, or none at all; ask for a new one: tidegate site add")
            if row.used_at is not None:
                return row.site, self._issued(connection, row.site, key_hash)
            mine = update(enrolments).where(enrolments.c.hash == row.hash, enrolments.c.used_at.is_(None))
            if not connection.execute(mine.values(used_at=now, key_hash=key_hash)).rowcount:
                raise NotEnrolled("the code was used a moment ago")
            return row.site, self._issue(connection, row.site, request, authority, now)

    def renew(
        self, present: x509.Certificate, request: x509.CertificateSigningRequest, signature: bytes, authority: Authority
    ) -> tuple[str, str]:
        """The next certificate of whoever has the key of the present one, which must be good still.

        Raises:
            NotEnrolled: the present one is not ours, has ended, or was revoked; or the signature is not of its key.
        """
        now, signer = self._now(), authority.signer()
        request_text = x509_certificates.request_bytes(request)
        if not x509_certificates.issued_by(signer, present) or now >= present.not_valid_after_utc:
            raise NotEnrolled("the certificate is not of this authority, or has ended; enrol anew: tidegate site add")
        if not x509_certificates.signed_by(present, signature, RENEWAL_CONTEXT + request_text):
            raise NotEnrolled("the request is not signed with the present certificate's key")
        with writing(self._engine) as connection:
            query = select(certificates).where(certificates.c.serial == _serial(present))
            row = connection.execute(query).one_or_none()
            if row is not None:
                self._hold(connection, row.site)
                row = connection.execute(query).one_or_none()
            if row is None or row.revoked_at is not None:
                raise NotEnrolled("the certificate was revoked; enrol anew: tidegate site add")
            again = self._next_of(connection, row, _key_hash(request), now)
            if again is not None:
                return row.site, again
            if self._good(connection, row.site, now) >= MOST_GOOD:
                raise NotEnrolled(f"{MOST_GOOD} certificates of this site are good already; one ends by itself")
            return row.site, self._issue(connection, row.site, request, authority, now)

    def revoke(self, site: str) -> bool:
        """Let nothing that the site has open anything any more; False if there is no such site."""
        now = self._now()
        with writing(self._engine) as connection:
            row = self._hold(connection, site)
            if row is None:
                return False
            if row.revoked_at is None:
                mine = update(registrations).where(registrations.c.site == site)
                connection.execute(mine.values(revoked_at=now))
            self._void(connection, site, now)
            held = update(certificates).where(certificates.c.site == site, certificates.c.revoked_at.is_(None))
            connection.execute(held.values(revoked_at=now))
        return True

    def remove(self, site: str) -> None:
        """Show it no more; it was revoked before, or never enrolled."""
        now = self._now()
        with writing(self._engine) as connection:
            mine = update(registrations).where(registrations.c.site == site)
            if not connection.execute(mine.values(removed_at=now)).rowcount:
                row = {"site": site, "registered_at": now, "revoked_at": now, "removed_at": now}
                connection.execute(insert(registrations).values(row))

    def revoked(self) -> Sequence[tuple[int, datetime]]:
        """Serial number and time of every certificate that was revoked and has not ended by itself."""
        alive = certificates.c.revoked_at.is_not(None) & (certificates.c.expires_at > self._now())
        query = select(certificates.c.serial, certificates.c.revoked_at).where(alive).order_by(certificates.c.serial)
        with reading(self._engine) as connection:
            return [(int(row.serial, 16), row.revoked_at) for row in connection.execute(query)]

    def all(self) -> Sequence[Registration]:
        """Every site that was ever registered, by name."""
        last = (
            select(certificates.c.site, func.max(certificates.c.expires_at).label("expires_at"))
            .group_by(certificates.c.site)
            .subquery()
        )
        query = (
            select(registrations, last.c.expires_at)
            .join(last, last.c.site == registrations.c.site, isouter=True)
            .order_by(registrations.c.site)
        )
        with reading(self._engine) as connection:
            return [_registration(row) for row in connection.execute(query)]

    def _hold(self, connection: Connection, site: str) -> Row[Any] | None:
        """Its registration, which nobody else changes before the end of the transaction."""
        mine = select(registrations).where(registrations.c.site == site).with_for_update()
        return connection.execute(mine).one_or_none()

    def _next_of(self, connection: Connection, present: Row[Any], key_hash: str, now: datetime) -> str | None:
        """What the key got already in place of the present one, if that is good."""
        mine = (certificates.c.site == present.site) & (certificates.c.key_hash == key_hash)
        good = mine & certificates.c.revoked_at.is_(None) & (certificates.c.issued_at >= present.issued_at)
        query = select(certificates.c.pem).where(good, certificates.c.serial != present.serial)
        newest = query.order_by(certificates.c.issued_at.desc()).limit(1)
        found = connection.execute(newest.where(certificates.c.expires_at > now)).scalar_one_or_none()
        return None if found is None else str(found)

    def _good(self, connection: Connection, site: str, now: datetime) -> int:
        good = (certificates.c.site == site) & certificates.c.revoked_at.is_(None) & (certificates.c.expires_at > now)
        return connection.execute(select(func.count()).select_from(certificates).where(good)).scalar_one()

    def _void(self, connection: Connection, site: str, now: datetime) -> None:
        unused = update(enrolments).where(enrolments.c.site == site, enrolments.c.expires_at > now)
        connection.execute(unused.values(expires_at=now))

    def _issue(
        self,
        connection: Connection,
        site: str,
        request: x509.CertificateSigningRequest,
        authority: Authority,
        now: datetime,
    ) -> str:
        made = x509_certificates.sign_client(authority.signer(), request, site, now, SITE_LIFETIME)
        row = {
            "serial": _serial(made),
            "site": site,
            "key_hash": _key_hash(request),
            "issued_at": now,
            "expires_at": made.not_valid_after_utc,
            "pem": x509_certificates.text_of(made),
        }
        connection.execute(insert(certificates).values(row))
        return x509_certificates.text_of(made)

    def _issued(self, connection: Connection, site: str, key_hash: str) -> str:
        mine = (certificates.c.site == site) & (certificates.c.key_hash == key_hash)
        query = select(certificates.c.pem).where(mine).order_by(certificates.c.issued_at.desc()).limit(1)
        return str(connection.execute(query).scalar_one())


def _hash(secret: bytes) -> str:
    return hashlib.sha256(secret).hexdigest()


def _key_hash(request: x509.CertificateSigningRequest) -> str:
    key = request.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(key).hexdigest()


def _serial(certificate: x509.Certificate) -> str:
    return f"{certificate.serial_number:x}"


def _registration(row: Row[Any]) -> Registration:
    return Registration(**row._mapping)
