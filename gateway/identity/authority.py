"""The authority's folder: its certificate, its key, and the list of what it revoked.

``ca.pem`` is for everybody, ``ca.key`` for its owner alone: whoever has it can be any site. An outside authority may
stand behind ours: then ``ca.pem`` holds ours first, and those above it after it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509

from gateway.credentials import private_folder, write_private
from gateway.identity import certificates
from gateway.identity.certificates import Signer
from gateway.protocol.errors import Fault, SettingsError

#: Of a site; its agent asks for the next one when a third of it is left.
SITE_LIFETIME: Final = timedelta(days=90)
SERVER_LIFETIME: Final = timedelta(days=730)


class Authority:
    """What is in the folder; read when it is used. Every method raises SettingsError if the folder is not right."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()

    @property
    def certificate_file(self) -> Path:
        """The authority's certificate, for all who are to trust it."""
        return self.folder / "ca.pem"

    @property
    def key_file(self) -> Path:
        """The key that signs."""
        return self.folder / "ca.key"

    @property
    def revocations_file(self) -> Path:
        """The list of revoked certificates, as the broker reads it."""
        return self.folder / "revoked.pem"

    @property
    def exists(self) -> bool:
        """Whether there is one."""
        return self.key_file.exists()

    def create(self, name: str, *, now: datetime | None = None) -> None:
        """Make a new authority, with an empty list; one that is there stays."""
        if self.exists:
            raise SettingsError(str(self.folder), [Fault("", "exists", "there is an authority already; it was kept")])
        signer = certificates.new_authority(name, now or _now())
        self._put(signer, certificates.text_of(signer.certificate))

    def adopt(self, chain: str, key: str) -> None:
        """Take over an authority that was made elsewhere: its certificate first, then those above it.

        Raises:
            SettingsError: they do not belong together, or the certificate may not sign others.
            InvalidInput: one of them cannot be read.
        """
        if self.exists:
            raise SettingsError(str(self.folder), [Fault("", "exists", "there is an authority already; it was kept")])
        signer = Signer(certificates.read_certificate(chain), certificates.read_key(key))
        if signer.certificate.public_key() != signer.key.public_key():
            raise SettingsError("the authority", [Fault("", "mismatch", "the key is not that of the certificate")])
        if not _may_sign(signer.certificate):
            raise SettingsError("the authority", [Fault("", "no-authority", "its certificate may not sign others")])
        self._put(signer, chain)

    def chain(self) -> str:
        """The authority's certificate and those above it, as PEM."""
        return self._read(self.certificate_file)

    def certificate(self) -> x509.Certificate:
        """The authority's own."""
        return certificates.read_certificate(self.chain())

    def signer(self) -> Signer:
        """The authority as it signs."""
        return Signer(self.certificate(), certificates.read_key(self._read(self.key_file)))

    def server(self, names: Sequence[str], *, now: datetime | None = None) -> tuple[str, str]:
        """Key and certificate, as PEM, for a server of these names; the certificate's text brings the chain."""
        key = certificates.new_key()
        made = certificates.sign_server(self.signer(), key.public_key(), names, now or _now(), SERVER_LIFETIME)
        return certificates.key_text(key), certificates.text_of(made) + self.chain()

    def revoke(self, revoked: Iterable[tuple[int, datetime]], *, now: datetime | None = None) -> str:
        """Write the list of revoked certificates, all that there ever were; it is returned as well."""
        text = certificates.revocations(self.signer(), revoked, now or _now())
        write_private(self.revocations_file, text, mode=0o644)
        return text

    def _put(self, signer: Signer, chain: str) -> None:
        private_folder(self.folder)
        write_private(self.key_file, certificates.key_text(signer.key))
        write_private(self.certificate_file, chain, mode=0o644)
        self.revoke(())

    def _read(self, path: Path) -> str:
        try:
            return path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            detail = f"{error}; make an authority with: tidegate ca create"
            raise SettingsError(str(path), [Fault("", "unreadable", detail)]) from None


def _may_sign(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _now() -> datetime:
    return datetime.now(UTC)
