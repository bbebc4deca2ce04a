"""X.509 as we use it: an authority, the certificates that it gives to sites and servers, and the list of revoked ones.

Keys are EC P-256. A site's certificate is good for clients only and a server's for servers only, so that no site can
pass for the broker.
"""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from gateway.protocol.errors import Fault, InvalidInput

AUTHORITY_LIFETIME: Final = timedelta(days=7_300)
#: Clocks of sites run behind; a certificate is good from a little before it was made.
_BACKDATED: Final = timedelta(hours=1)
#: A list that has expired locks everybody out. Ours is a file that is written anew at each revocation, never fetched.
_LIST_LIFETIME: Final = AUTHORITY_LIFETIME
#: What the library raises of bytes that are not what they seem. Strangers send them.
_WRONG: Final = (ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion)


@dataclass(frozen=True, slots=True)
class Signer:
    """An authority: its certificate, and the key that signs."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def new_key() -> ec.EllipticCurvePrivateKey:
    """A private key of EC P-256."""
    return ec.generate_private_key(ec.SECP256R1())


def key_text(key: ec.EllipticCurvePrivateKey) -> str:
    """The key as PEM, without a pass phrase: whoever can read the file has it."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def read_key(text: str) -> ec.EllipticCurvePrivateKey:
    """The opposite of :func:`key_text`; raises InvalidInput."""
    try:
        key = load_pem_private_key(text.encode(), password=None)
    except (ValueError, TypeError) as error:
        raise _unreadable("private key", error) from None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise _unreadable("private key", "it is not one of an elliptic curve")
    return key


def text_of(certificate: x509.Certificate | x509.CertificateRevocationList) -> str:
    """As PEM."""
    return certificate.public_bytes(Encoding.PEM).decode()


def read_certificate(text: str) -> x509.Certificate:
    """The first certificate of a PEM text; raises InvalidInput."""
    try:
        found = x509.load_pem_x509_certificate(text.encode())
        serial = found.serial_number
    except _WRONG as error:
        raise _unreadable("certificate", error) from None
    if serial <= 0:  # RFC 5280 section 4.1.2.2; the library only warns of it, yet
        raise _unreadable("certificate", "its serial number is not positive")
    return found


def read_request(text: str) -> x509.CertificateSigningRequest:
    """A signing request whose key is of P-256, and whose sender has that key; raises InvalidInput."""
    try:
        request = x509.load_pem_x509_csr(text.encode())
        key, proven = request.public_key(), request.is_signature_valid
    except _WRONG as error:
        raise _unreadable("certificate signing request", error) from None
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise _unreadable("certificate signing request", "its key is not of EC P-256")
    if not proven:
        raise _unreadable("certificate signing request", "it is not signed by its own key")
    return request


def request_bytes(request: x509.CertificateSigningRequest) -> bytes:
    """The request as its sender signs it for a renewal: its DER bytes."""
    return request.public_bytes(Encoding.DER)


def new_authority(name: str, now: datetime) -> Signer:
    """An authority of our own, which answers to nobody."""
    key = new_key()
    subject = _subject(name)
    builder = _builder(subject, subject, now, now + AUTHORITY_LIFETIME)
    certificate = (
        builder.public_key(key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(authority=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, SHA256())
    )
    return Signer(certificate, key)


def sign_client(
    signer: Signer, request: x509.CertificateSigningRequest, common_name: str, now: datetime, lifetime: timedelta
) -> x509.Certificate:
    """A certificate for the request's key; whatever name the request claims, the certificate says ``common_name``."""
    key = request.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)  # noqa: S101 # read_request saw to it
    return _signed(signer, _subject(common_name), key, now, lifetime, ExtendedKeyUsageOID.CLIENT_AUTH, ())


def sign_server(
    signer: Signer, key: ec.EllipticCurvePublicKey, names: Sequence[str], now: datetime, lifetime: timedelta
) -> x509.Certificate:
    """A certificate for a server that clients know by these host names and addresses."""
    usage = ExtendedKeyUsageOID.SERVER_AUTH
    return _signed(signer, _subject(names[0][:64]), key, now, lifetime, usage, [_name(each) for each in names])


def revocations(signer: Signer, revoked: Iterable[tuple[int, datetime]], now: datetime) -> str:
    """The list of revoked certificates, each by its serial number, as PEM."""
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(signer.certificate.subject)
        .last_update(now)
        .next_update(now + _LIST_LIFETIME)
    )
    for serial, at in revoked:
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(at).build()
        builder = builder.add_revoked_certificate(entry)
    return text_of(builder.sign(signer.key, SHA256()))


def issued_by(signer: Signer, certificate: x509.Certificate) -> bool:
    """Whether the authority signed it; says nothing of its dates."""
    try:
        certificate.verify_directly_issued_by(signer.certificate)
    except (*_WRONG, InvalidSignature):
        return False
    return True


def signed_by(certificate: x509.Certificate, signature: bytes, content: bytes) -> bool:
    """Whether the holder of the certificate's key signed that."""
    try:
        key = certificate.public_key()
        if not isinstance(key, ec.EllipticCurvePublicKey):  # an authority that we adopted may have signed others
            return False
        key.verify(signature, content, ec.ECDSA(SHA256()))
    except (*_WRONG, InvalidSignature):
        return False
    return True


def fingerprint(chain: str) -> bytes:
    """SHA-256 of all certificates of a PEM text, in order: nobody can add one to whom this is known.

    Raises:
        InvalidInput: it is no such text.
    """
    try:
        found = x509.load_pem_x509_certificates(chain.encode())
    except ValueError as error:
        raise _unreadable("certificate", error) from None
    return hashlib.sha256(b"".join(each.public_bytes(Encoding.DER) for each in found)).digest()


def _signed(
    signer: Signer,
    subject: x509.Name,
    key: ec.EllipticCurvePublicKey,
    now: datetime,
    lifetime: timedelta,
    usage: x509.ObjectIdentifier,
    names: Sequence[x509.GeneralName],
) -> x509.Certificate:
    end = min(now + lifetime, signer.certificate.not_valid_after_utc)
    builder = (
        _builder(subject, signer.certificate.subject, now, end)
        .public_key(key)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(authority=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.key.public_key()), critical=False)
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(signer.key, SHA256())


def _builder(subject: x509.Name, issuer: x509.Name, now: datetime, end: datetime) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(end)
    )


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


def _subject(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _name(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)


def _unreadable(what: str, why: object) -> InvalidInput:
    return InvalidInput([Fault("", "unreadable", f"this is no {what} as PEM: {why}")])
