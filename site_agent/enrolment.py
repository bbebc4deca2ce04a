"""The agent's side of enrolment: a code becomes an identity, and an identity the next one, over HTTPS.

The code's fingerprint says which authority is the centre's. Before anything secret is sent, the centre has shown that
authority, and then a certificate of it (or one that this machine trusts anyway).
"""

from __future__ import annotations

import base64
import hashlib
import json
import ssl
from collections.abc import Mapping
from http.client import HTTPException
from typing import Final
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, HTTPSHandler, Request, build_opener

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from pydantic import BaseModel, ValidationError

from gateway.protocol.codec import faults_of
from gateway.protocol.enrolment import Enrolled, Enrolment, EnrolmentCode, Renewal
from gateway.protocol.errors import Fault, SettingsError, TidegateError, Unavailable
from gateway.tls import LOOPBACK
from site_agent.identity import Identity

TIMEOUT_S: Final = 10.0
_LARGEST: Final = 256 * 1024


class EnrolmentRefused(TidegateError):
    """The centre will not have us: the code is used or too old, or the certificate was revoked."""

    code = "enrolment-refused"

    def __init__(self, status: int, detail: str) -> None:
        self.status = status
        self.detail = detail
        super().__init__(status, detail)

    def __str__(self) -> str:
        return f"the centre refused ({self.status}): {self.detail}"


def enrol(code: EnrolmentCode, identity: Identity, *, replace: bool = False) -> Enrolled:
    """Get the first identity; the same code may be tried again if the centre's answer got lost.

    ``replace``: also in place of another site's.

    Raises:
        EnrolmentRefused: the centre does not take the code.
        Unavailable: the centre does not answer, or is not the one that the code is about.
        SettingsError: the identity's folder cannot be written.
    """
    _check_address(code.url)
    authority = _authority_of(code)
    body = Enrolment(secret=code.secret.hex(), request=_pem(identity.request()))
    enrolled = _enrolled(_send(code.url, "/v1/enrolment", body, _context(code.url, authority)))
    _check_vouched(enrolled, authority, enrolled.site)
    identity.accept(enrolled, code.url, replace=replace)
    return enrolled


def renew(identity: Identity) -> Enrolled:
    """Get the next identity with the present one; raises as :func:`enrol`."""
    request, centre = identity.request(), identity.centre
    _check_address(centre)
    present = identity.certificate().public_bytes(Encoding.PEM).decode()
    body = Renewal(
        certificate=present, request=_pem(request), signature=base64.b64encode(identity.sign(request)).decode()
    )
    authority = identity.authority_file.read_text(encoding="utf-8")
    enrolled = _enrolled(_send(centre, "/v1/enrolment/renewal", body, _context(centre, authority)))
    _check_vouched(enrolled, authority, identity.site)
    identity.accept(enrolled, centre)
    return enrolled


def _authority_of(code: EnrolmentCode) -> str:
    """The centre's authority, whoever hands it to us: its fingerprint tells that it is the right one."""
    blind = None
    if code.url.startswith("https://"):
        blind = ssl.create_default_context()
        blind.check_hostname = False
        blind.verify_mode = ssl.CERT_NONE
    text = _send(code.url, "/v1/enrolment/authority", None, blind).decode("utf-8", "replace")
    try:
        shown = x509.load_pem_x509_certificates(text.encode())
    except ValueError:
        raise Unavailable("centre", f"{code.url} shows no authority; is that address right?") from None
    # All of them: whoever sits in between could show the right one, and one of its own after it.
    if hashlib.sha256(b"".join(each.public_bytes(Encoding.DER) for each in shown)).digest() != code.fingerprint:
        detail = f"{code.url} shows an authority that is not the one of this code: somebody may sit in between"
        raise Unavailable("centre", f"{detail}; nothing secret was sent")
    return "".join(each.public_bytes(Encoding.PEM).decode() for each in shown)


def _check_vouched(enrolled: Enrolled, authority: str, site: str) -> None:
    """Whoever answers, by a certificate that this machine trusts anyway, makes nobody else the site's authority."""
    try:
        known, shown = (x509.load_pem_x509_certificates(each.encode()) for each in (authority, enrolled.authority))
        made = x509.load_pem_x509_certificate(enrolled.certificate.encode())
        made.verify_directly_issued_by(known[0])
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm, x509.InvalidVersion):
        raise Unavailable("centre", "it sent a certificate that is not of the authority that we know") from None
    names = [each.value for each in made.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    if shown != known or names != [site]:
        detail = "it sent another authority, or another site's certificate; nothing was changed"
        raise Unavailable("centre", detail)


def _context(url: str, authority: str) -> ssl.SSLContext | None:
    if not url.startswith("https://"):
        return None
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_verify_locations(cadata=authority)
    return context


def _check_address(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme != "https" and parts.hostname not in LOOPBACK:
        detail = f"{url} is not encrypted; that is only for a centre on this machine"
        raise SettingsError("the enrolment code", [Fault("", "not-encrypted", detail)])


class _NoRedirect(HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        """What is secret goes nowhere but to the address of the code."""


def _send(url: str, path: str, body: BaseModel | None, context: ssl.SSLContext | None) -> bytes:
    data = None if body is None else body.model_dump_json().encode()
    request = Request(url + path, data=data, headers={"Content-Type": "application/json"})  # noqa: S310 # checked above
    opener = build_opener(_NoRedirect, HTTPSHandler(context=context))
    try:
        with opener.open(request, timeout=TIMEOUT_S) as answer:
            content: bytes = answer.read(_LARGEST)
            return content
    except HTTPError as error:
        with error:
            raise EnrolmentRefused(error.code, _detail(error.read(_LARGEST)) or str(error.reason)) from None
    except (OSError, HTTPException) as error:
        raise Unavailable("centre", f"{url}: {error}") from None


def _detail(content: bytes) -> str:
    try:
        problem = json.loads(content)
    except ValueError:
        return ""
    return str(problem.get("detail", "")) if isinstance(problem, Mapping) else ""


def _enrolled(content: bytes) -> Enrolled:
    try:
        return Enrolled.model_validate_json(content)
    except ValidationError as error:
        faults = "; ".join(map(str, faults_of(error)))
        raise Unavailable("centre", f"it answered something else than an identity: {faults}") from None


def _pem(request: x509.CertificateSigningRequest) -> str:
    return request.public_bytes(Encoding.PEM).decode()
