"""What our authority signs, for whom, and what it does not take."""

from __future__ import annotations

import base64
import contextlib
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.identity import certificates
from gateway.identity.certificates import Signer
from gateway.protocol.errors import InvalidInput

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def signer() -> Signer:
    """An authority."""
    return certificates.new_authority("for tests", NOW)


def _request(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, name: str = "somebody else") -> str:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    request = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, SHA256())
    return request.public_bytes(Encoding.PEM).decode()


def _client(signer: Signer, lifetime: timedelta = 90 * DAY) -> x509.Certificate:
    request = certificates.read_request(_request(certificates.new_key()))
    return certificates.sign_client(signer, request, "arava-1", NOW, lifetime)


def _uses(certificate: x509.Certificate) -> list[x509.ObjectIdentifier]:
    return list(certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)


def test_client_certificate_has_the_name_it_was_given(signer: Signer) -> None:
    """Not the one that the request claims."""
    names = _client(signer).subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    assert [each.value for each in names] == ["arava-1"]


def test_client_certificate_is_for_clients_only(signer: Signer) -> None:
    """A site can never pass for the broker, nor sign for others."""
    made = _client(signer)
    assert _uses(made) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    assert not made.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def test_client_certificate_ends_after_its_lifetime(signer: Signer) -> None:
    """And begins a little earlier, for clocks that run behind."""
    made = _client(signer)
    assert made.not_valid_after_utc == NOW + 90 * DAY
    assert made.not_valid_before_utc == NOW - timedelta(hours=1)


def test_client_certificate_never_outlives_the_authority(signer: Signer) -> None:
    """Whatever lifetime is asked for."""
    assert _client(signer, 100_000 * DAY).not_valid_after_utc == signer.certificate.not_valid_after_utc


def test_server_certificate_is_for_servers_of_its_names_only(signer: Signer) -> None:
    """Host names and addresses, each as what it is."""
    key = certificates.new_key().public_key()
    made = certificates.sign_server(signer, key, ["centre.example", "192.0.2.7", "::1"], NOW, DAY)
    names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["centre.example"]
    assert [str(each) for each in names.get_values_for_type(x509.IPAddress)] == ["192.0.2.7", "::1"]
    assert _uses(made) == [ExtendedKeyUsageOID.SERVER_AUTH]


def test_request_of_another_kind_of_key_refused() -> None:
    """RSA, or another curve."""
    requests = [_request(rsa.generate_private_key(65_537, 2_048)), _request(ec.generate_private_key(ec.SECP384R1()))]
    for each in requests:
        with pytest.raises(InvalidInput, match="EC P-256"):
            certificates.read_request(each)


def test_request_signed_by_another_key_refused() -> None:
    """Whoever asks must have the key: another one's signature does not do."""
    one, other = (_request(certificates.new_key()) for _ in range(2))
    first, second = (x509.load_pem_x509_csr(each.encode()).public_bytes(Encoding.DER) for each in (one, other))
    forged = first[: len(first) - 60] + second[len(second) - 60 :]
    text = "-----BEGIN CERTIFICATE REQUEST-----\n"
    text += base64.encodebytes(forged).decode() + "-----END CERTIFICATE REQUEST-----\n"
    with pytest.raises(InvalidInput):
        certificates.read_request(text)


@pytest.mark.parametrize("text", ["", "nonsense", "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n"])
def test_text_that_is_no_request_refused(text: str) -> None:
    """Nothing but InvalidInput comes out."""
    with pytest.raises(InvalidInput, match="certificate signing request"):
        certificates.read_request(text)


def test_key_and_certificate_are_read_as_they_were_written(signer: Signer) -> None:
    """PEM and back."""
    assert certificates.read_certificate(certificates.text_of(signer.certificate)) == signer.certificate
    again = certificates.read_key(certificates.key_text(signer.key))
    assert again.private_numbers() == signer.key.private_numbers()


def test_list_names_every_revoked_certificate(signer: Signer) -> None:
    """Each with its time, signed by the authority, and good for as long as the authority."""
    gone = [_client(signer).serial_number for _ in range(3)]
    text = certificates.revocations(signer, [(serial, NOW) for serial in gone], NOW)
    found = x509.load_pem_x509_crl(text.encode())
    assert {each.serial_number for each in found} == set(gone)
    assert found.is_signature_valid(signer.key.public_key())
    assert found.next_update_utc == signer.certificate.not_valid_after_utc


def test_issued_by_tells_authorities_of_one_name_apart(signer: Signer) -> None:
    """The key counts, not the name."""
    other = certificates.new_authority("for tests", NOW)
    made = _client(signer)
    assert certificates.issued_by(signer, made)
    assert not certificates.issued_by(other, made)


def _pem(kind: str, content: bytes) -> str:
    return f"-----BEGIN {kind}-----\n{base64.encodebytes(content).decode()}-----END {kind}-----\n"


def _spoilt(content: bytes, changes: list[tuple[int, int]]) -> bytes:
    whole = bytearray(content)
    for place, value in changes:
        whole[place % len(whole)] = value
    return bytes(whole)


_CHANGES = st.lists(st.tuples(st.integers(0, 2**16), st.integers(0, 255)), min_size=1, max_size=4)
_REQUEST = certificates.read_request(_request(certificates.new_key()))
_AUTHORITY = certificates.new_authority("for tests", NOW)
_CERTIFICATE = certificates.sign_client(_AUTHORITY, _REQUEST, "arava-1", NOW, DAY)


@settings(max_examples=1_000)
@given(_CHANGES)
@example([(place, 7) for place in range(4, 9)])
def test_request_that_is_spoilt_is_refused_in_our_own_words(changes: list[tuple[int, int]]) -> None:
    """Strangers send them: an unknown curve, version or form is an answer of ours, not a fault in the log."""
    content = certificates.request_bytes(_REQUEST)
    with contextlib.suppress(InvalidInput):
        certificates.read_request(_pem("CERTIFICATE REQUEST", _spoilt(content, changes)))


# It warns of numbers below 1, which a later version is to refuse.
@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
@settings(max_examples=1_000)
@given(_CHANGES)
def test_certificate_that_is_spoilt_is_refused_in_our_own_words(changes: list[tuple[int, int]]) -> None:
    """And vouches for nothing, if it can be read at all."""
    content = _CERTIFICATE.public_bytes(Encoding.DER)
    with contextlib.suppress(InvalidInput):
        found = certificates.read_certificate(_pem("CERTIFICATE", _spoilt(content, changes)))
        same = found.tbs_certificate_bytes == _CERTIFICATE.tbs_certificate_bytes
        assert same or not certificates.issued_by(_AUTHORITY, found)
        assert not certificates.signed_by(found, b"none", b"content")


def test_version_and_curve_of_a_request_that_nobody_knows_are_refused() -> None:
    """The two that escaped before: by their places in the bytes."""
    content = certificates.request_bytes(_REQUEST)
    curve = content.index(bytes.fromhex("2a8648ce3d030107"))
    version = content.index(bytes.fromhex("020100")) + 2
    for place in (curve + 7, version):
        with pytest.raises(InvalidInput):
            certificates.read_request(_pem("CERTIFICATE REQUEST", _spoilt(content, [(place, 99)])))


def test_certificate_of_another_kind_of_key_signs_nothing(signer: Signer) -> None:
    """An authority that was adopted may have vouched for such."""
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    made = (
        x509.CertificateBuilder()
        .subject_name(signer.certificate.subject)
        .issuer_name(signer.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW)
        .not_valid_after(NOW + DAY)
        .sign(signer.key, SHA256())
    )
    assert certificates.issued_by(signer, made)
    assert not certificates.signed_by(made, b"none", b"content")
