"""Authorities and certificates for tests, good ones and such as nobody should take."""

from __future__ import annotations

import dataclasses
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import ExtendedKeyUsageOID

from gateway.broker import Login
from gateway.identity import certificates
from gateway.identity.authority import Authority
from gateway.tls import Tls
from tests.containers import BrokerContainer
from tests.running_broker import BrokerProcess, RunningBroker, connack

DAY: Final = timedelta(days=1)
#: The name in the broker's certificate.
HOST: Final = "localhost"


def new_authority(folder: Path, name: str = "for tests") -> Authority:
    """An authority of its own."""
    authority = Authority(folder)
    authority.create(name)
    return authority


def signing_request() -> tuple[str, x509.CertificateSigningRequest]:
    """A key as PEM, and a request for it that names nobody."""
    key = certificates.new_key()
    request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(key, SHA256())
    return certificates.key_text(key), request


def client_file(
    folder: Path, authority: Authority, name: str, *, made: datetime | None = None, lifetime: timedelta = DAY
) -> tuple[Path, x509.Certificate]:
    """A file with a key and its certificate, and the certificate."""
    key, request = signing_request()
    signed = certificates.sign_client(authority.signer(), request, name, made or datetime.now(UTC), lifetime)
    path = folder / f"{signed.serial_number}.pem"
    path.write_text(key + certificates.text_of(signed))
    return path, signed


def odd_client_file(folder: Path, authority: Authority, subject: x509.Name) -> Path:
    """A file with a key and a client's certificate of any subject, which our own code would not sign."""
    key, signer = certificates.new_key(), authority.signer()
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(signer.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - DAY)
        .not_valid_after(now + DAY)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .sign(signer.key, SHA256())
    )
    path = folder / f"{made.serial_number}.pem"
    path.write_text(certificates.key_text(key) + certificates.text_of(made))
    return path


def machine(broker: BrokerProcess, certificate: Path | None, name: str = "") -> Login:
    """A login at the machines' listener with TLS."""
    assert broker.authority is not None
    tls = Tls(authority=broker.authority.certificate_file, certificate=certificate)
    return Login(host=HOST, port=broker.tls_port, username=name, password=None, tls=tls)


class SecureBroker(RunningBroker):
    """As a running broker; but machines come by certificates, people over TLS, and nobody in clear."""

    def __init__(self, running: BrokerProcess | BrokerContainer, folder: Path) -> None:
        super().__init__(running.files, running)
        assert running.authority is not None
        self._running, self._folder = running, folder
        self._authority = running.authority

    def login(self, user: str, *, people: bool | None = None) -> Login:
        """As :meth:`RunningBroker.login`."""
        plain = super().login(user, people=people)
        if plain.port == self.people_port:
            tls = Tls(authority=self._authority.certificate_file)
            return dataclasses.replace(plain, host=HOST, port=self._running.people_tls_port, tls=tls)
        path, _ = client_file(self._folder, self._authority, user)
        tls = Tls(authority=self._authority.certificate_file, certificate=path)
        return Login(host=HOST, port=self._running.tls_port, username=user, password=None, tls=tls)


def refused(login: Login) -> bool:
    """Whether the broker ends such a connection, in the handshake or right after it, without a word of MQTT."""
    try:
        return connack(login) == -1
    except (ssl.SSLError, ConnectionError):
        return True
