"""The folder with who a site is: its key and certificate, the authority that it trusts, and where the centre is.

The key is made here and never leaves. Key and certificate stand in one file, so that a renewal replaces both at once.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from cryptography.x509.oid import NameOID

from gateway.protocol.enrolment import RENEWAL_CONTEXT, Enrolled
from gateway.protocol.errors import Fault, SettingsError
from gateway.tls import Tls

#: A certificate is renewed when this share of its time is left.
RENEWED_AT: Final = 1 / 3


class Identity:
    """What is in the folder; every method raises SettingsError if it is not as it should be."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def tls(self) -> Tls:
        """What a connection to the broker needs."""
        return Tls(authority=self.authority_file, certificate=self.certificate_file)

    @property
    def certificate_file(self) -> Path:
        """The site's key and certificate."""
        return self.folder / "identity.pem"

    @property
    def authority_file(self) -> Path:
        """Whom the site trusts."""
        return self.folder / "ca.pem"

    @property
    def _centre_file(self) -> Path:
        return self.folder / "centre"

    @property
    def _pending_file(self) -> Path:
        return self.folder / "pending.key"

    @property
    def centre(self) -> str:
        """Where the centre serves HTTPS."""
        return _read(self._centre_file).strip()

    def certificate(self) -> x509.Certificate:
        """The site's present certificate."""
        try:
            return x509.load_pem_x509_certificate(_read(self.certificate_file).encode())
        except ValueError as error:
            raise _wrong(self.certificate_file, str(error)) from None

    @property
    def site(self) -> str:
        """The name on the certificate."""
        names = self.certificate().subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        if len(names) != 1:
            raise _wrong(self.certificate_file, "the certificate has no common name, or several")
        return str(names[0].value)

    def wants_renewal(self, now: datetime) -> bool:
        """Whether so little of the certificate's time is left that it should be renewed."""
        present = self.certificate()
        lifetime = present.not_valid_after_utc - present.not_valid_before_utc
        return present.not_valid_after_utc - now < lifetime * RENEWED_AT

    def days_left(self, now: datetime | None = None) -> float:
        """Until the certificate ends; negative once it has."""
        left = self.certificate().not_valid_after_utc - (now or datetime.now(UTC))
        return left.total_seconds() / 86_400

    def request(self) -> x509.CertificateSigningRequest:
        """A request for the next key: the same one until :meth:`accept`, should an answer get lost."""
        with contextlib.suppress(FileExistsError):
            self.folder.mkdir(parents=True, mode=0o700)
        if not self._pending_file.exists():
            _write(self._pending_file, _key_text(ec.generate_private_key(ec.SECP256R1())))
        builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
        return builder.sign(_key(self._pending_file), SHA256())

    def sign(self, request: x509.CertificateSigningRequest) -> bytes:
        """The proof that whoever asks for a renewal has the present key."""
        content = RENEWAL_CONTEXT + request.public_bytes(Encoding.DER)
        return _key(self.certificate_file).sign(content, ec.ECDSA(SHA256()))

    def accept(self, enrolled: Enrolled, centre: str, *, replace: bool = False) -> None:
        """Take over what the centre gave: from the next connect on, this is who the site is.

        Another site's identity stays, unless ``replace``; the same code may then be tried again.
        """
        if not replace and self.certificate_file.exists() and self.site != enrolled.site:
            detail = f"this is {self.site} already, the code is for {enrolled.site}; say --folder, or --replace"
            raise _wrong(self.certificate_file, detail)
        key = _key(self._pending_file)
        try:
            made = x509.load_pem_x509_certificate(enrolled.certificate.encode())
        except ValueError as error:
            raise _wrong(self.certificate_file, f"the centre sent no certificate: {error}") from None
        if made.public_key() != key.public_key():
            raise _wrong(self.certificate_file, "the centre sent a certificate for another key")
        _write(self.authority_file, enrolled.authority)
        _write(self._centre_file, centre + "\n")
        _write(self.certificate_file, _key_text(key) + enrolled.certificate)
        self._pending_file.unlink()


def _key(path: Path) -> ec.EllipticCurvePrivateKey:
    try:
        found = load_pem_private_key(_read(path).encode(), password=None)
    except (ValueError, TypeError) as error:
        raise _wrong(path, str(error)) from None
    if not isinstance(found, ec.EllipticCurvePrivateKey):
        raise _wrong(path, "its key is not one of an elliptic curve")
    return found


def _key_text(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise _wrong(path, f"{error}; enrol the site: tidegate agent enrol CODE") from None


def _write(path: Path, text: str) -> None:
    """Never readable by others, never half written."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _wrong(path: Path, detail: str) -> SettingsError:
    return SettingsError(str(path), [Fault("", "unusable", detail)])
