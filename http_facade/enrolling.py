"""Lets sites in: codes for those who will enrol, identities for those who do."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta

import structlog

from gateway.identity.authority import Authority
from gateway.identity.certificates import fingerprint, read_certificate, read_request
from gateway.identity.enrolments import Enrolments, NotEnrolled, Registration
from gateway.protocol.enrolment import Enrolled, Enrolment, EnrolmentCode, Renewal
from gateway.protocol.errors import Fault, InvalidInput, SettingsError
from gateway.settings import EnrolmentSettings
from http_facade.attempts import Attempts
from http_facade.refusals import EnrolmentClosed, TooManyAttempts

log = structlog.get_logger(__name__)


class Enrolling:
    """Safe from any thread. Every method raises EnrolmentClosed where no authority is set up."""

    def __init__(self, enrolments: Enrolments, settings: EnrolmentSettings) -> None:
        self._enrolments = enrolments
        self._authority = Authority(settings.ca_folder)
        self._url = settings.public_url
        self._broker = settings.broker_address
        self._attempts = Attempts()

    def authority(self) -> str:
        """The authority's certificate and those above it, as PEM."""
        return self._ready().chain()

    def invite(self, site: str, lifetime: timedelta, by: str) -> tuple[EnrolmentCode, datetime]:
        """A code with which the site may enrol, once, until that moment; the log says who wanted it."""
        authority = self._ready()
        if not self._url:
            raise EnrolmentClosed("TIDEGATE_PUBLIC_URL does not say where sites reach this facade")
        found = fingerprint(authority.chain())
        secret, until = self._enrolments.register(site, lifetime)
        log.info("site-invited", site=site, by=by, until=until.isoformat())
        return EnrolmentCode(url=self._url, secret=secret, fingerprint=found), until

    def registrations(self) -> Sequence[Registration]:
        """Every site that was registered."""
        return self._enrolments.all()

    def enrol(self, asked: Enrolment, address: str | None) -> Enrolled:
        """The first identity; raises NotEnrolled, or TooManyAttempts, if the code does not let its bringer in."""
        authority = self._ready()
        request = read_request(asked.request)
        with self._counted(address):
            site, certificate = self._enrolments.redeem(bytes.fromhex(asked.secret), request, authority)
        log.info("site-enrolled", site=site, address=address)
        return self._enrolled(site, certificate, authority)

    def renew(self, asked: Renewal, address: str | None) -> Enrolled:
        """The next identity; raises NotEnrolled, or TooManyAttempts, if the present one is not good any more."""
        authority = self._ready()
        request, present = read_request(asked.request), read_certificate(asked.certificate)
        try:
            signature = base64.b64decode(asked.signature, validate=True)
        except ValueError:  # of base64, or of letters that are no ASCII
            raise InvalidInput([Fault("/signature", "unreadable", "must be base64")]) from None
        with self._counted(address):
            site, certificate = self._enrolments.renew(present, request, signature, authority)
        log.info("site-renewed", site=site, address=address)
        return self._enrolled(site, certificate, authority)

    def _enrolled(self, site: str, certificate: str, authority: Authority) -> Enrolled:
        assert self._broker is not None  # noqa: S101 # see _ready
        host, port = self._broker
        return Enrolled(
            site=site, certificate=certificate, authority=authority.chain(), broker_host=host, broker_port=port
        )

    @contextmanager
    def _counted(self, address: str | None) -> Iterator[None]:
        """Who brings wrong codes again and again is told to wait; a right one passes at any time."""
        try:
            yield
        except NotEnrolled:
            wait_s = self._attempts.failed(f"address {address}")
            if wait_s is not None:
                raise TooManyAttempts(wait_s) from None
            raise

    def _ready(self) -> Authority:
        if self._broker is None:
            raise EnrolmentClosed("TIDEGATE_PUBLIC_BROKER does not say where sites reach the broker")
        try:
            self._authority.signer()
        except (SettingsError, InvalidInput):
            raise EnrolmentClosed("there is no authority here; make one with: tidegate ca create") from None
        return self._authority
