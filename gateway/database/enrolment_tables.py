"""Sites that were registered, the codes with which they enrol, and the certificates that they got."""

from __future__ import annotations

from sqlalchemy import Column, Index, String, Table, Text

from gateway.database.tables import Moment, metadata

#: ``revoked_at``: nothing that the site had opens anything any more. ``removed_at``: and it is shown no more.
registrations = Table(
    "registrations",
    metadata,
    Column("site", String(48), primary_key=True),
    Column("registered_at", Moment, nullable=False),
    Column("revoked_at", Moment),
    Column("removed_at", Moment),
)

#: ``hash`` is the SHA-256 of the code's secret. ``key_hash`` is that of the public key that used it: should the answer
#: get lost, the same agent may ask again.
enrolments = Table(
    "enrolments",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("site", String(48), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("used_at", Moment),
    Column("key_hash", String(64)),
    Index(None, "site"),
)

#: ``serial`` in hexadecimal digits; ``pem`` the certificate itself.
certificates = Table(
    "certificates",
    metadata,
    Column("serial", String(40), primary_key=True),
    Column("site", String(48), nullable=False),
    Column("key_hash", String(64), nullable=False),
    Column("issued_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("revoked_at", Moment),
    Column("pem", Text, nullable=False),
    Index(None, "site"),
)
