"""The agent's side of enrolment against a centre that is not what it seems, and under a company's authority."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID

from gateway.identity import certificates
from gateway.identity.authority import Authority
from gateway.protocol.enrolment import SECRET_BYTES, Enrolled, EnrolmentCode
from gateway.protocol.errors import SettingsError, Unavailable
from site_agent.enrolment import EnrolmentRefused, enrol, renew
from site_agent.identity import Identity
from tests.identities import client_file, machine, new_authority, refused
from tests.running_broker import BrokerProcess, connack

DAY = timedelta(days=1)


class Impostor:
    """An HTTPS server that shows what it is told to, and keeps what is sent to it."""

    def __init__(
        self, folder: Path, authority: Authority, shown: str, status: int = 403, told: bytes = b'{"detail": "no"}'
    ) -> None:
        self.heard: list[bytes] = []
        heard = self.heard

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer(200, shown.encode())

            def do_POST(self) -> None:
                heard.append(self.rfile.read(int(self.headers["Content-Length"])))
                self._answer(status, told)

            def _answer(self, number: int, body: bytes) -> None:
                self.send_response(number)
                self.send_header("Location", "https://elsewhere.example/")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        key, certificate = authority.server(["localhost"])
        path = folder / "impostor.pem"
        path.write_text(key + certificate)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = f"https://localhost:{self.server.server_address[1]}"
        self._thread = threading.Thread(target=self.server.serve_forever, args=(0.05,))

    def __enter__(self) -> Impostor:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self._thread.join()
        self.server.server_close()


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """The centre's."""
    return new_authority(tmp_path / "ca")


@pytest.fixture
def attacker(tmp_path: Path) -> Authority:
    """Somebody else's, of the same name."""
    return new_authority(tmp_path / "attacker")


def _code(url: str, authority: Authority) -> EnrolmentCode:
    return EnrolmentCode(
        url=url, secret=bytes(range(SECRET_BYTES)), fingerprint=certificates.fingerprint(authority.chain())
    )


@pytest.mark.parametrize("also_the_right_one", [False, True], ids=["its-own", "the-right-one-and-its-own"])
def test_impostor_who_shows_an_authority_of_its_own_hears_no_secret(
    tmp_path: Path, authority: Authority, attacker: Authority, also_the_right_one: bool
) -> None:
    """The code's fingerprint is of all that is shown: none is added to the right one."""
    shown = (authority.chain() if also_the_right_one else "") + attacker.chain()
    with Impostor(tmp_path, attacker, shown) as impostor:
        with pytest.raises(Unavailable, match="nothing secret was sent"):
            enrol(_code(impostor.url, authority), Identity(tmp_path / "identity"))
        assert impostor.heard == []


def test_impostor_who_shows_the_right_authority_hears_no_secret(
    tmp_path: Path, authority: Authority, attacker: Authority
) -> None:
    """It is public; but its own certificate is not of it."""
    with Impostor(tmp_path, attacker, authority.chain()) as impostor:
        with pytest.raises(Unavailable, match="CERTIFICATE_VERIFY_FAILED"):
            enrol(_code(impostor.url, authority), Identity(tmp_path / "identity"))
        assert impostor.heard == []


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_centre_that_sends_elsewhere_is_not_followed(tmp_path: Path, authority: Authority, status: int) -> None:
    """A secret goes to the address of the code and nowhere else."""
    with Impostor(tmp_path, authority, authority.chain(), status) as centre, pytest.raises(EnrolmentRefused):
        enrol(_code(centre.url, authority), Identity(tmp_path / "identity"))


def _identity_by(authority: Authority, folder: Path, name: str, vouching: Authority | None = None) -> bytes:
    """What a centre answers, for the key that waits in the folder; ``vouching`` is who it says the authority is."""
    request = Identity(folder).request()
    made = certificates.sign_client(authority.signer(), request, name, datetime.now(UTC), DAY)
    return json.dumps(
        {
            "site": name,
            "certificate": certificates.text_of(made),
            "authority": (vouching or authority).chain(),
            "broker_host": "broker.example",
            "broker_port": 8884,
        }
    ).encode()


@pytest.fixture
def believed(attacker: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine trusts the attacker's authority, as it does some hundred others."""
    monkeypatch.setenv("SSL_CERT_FILE", str(attacker.certificate_file))


@pytest.mark.usefixtures("believed")
@pytest.mark.parametrize("honest", [False, True], ids=["its-own-authority", "the-right-authority"])
def test_impostor_whom_the_machine_trusts_gives_no_identity(
    tmp_path: Path, authority: Authority, attacker: Authority, honest: bool
) -> None:
    """The code's fingerprint says who may vouch for the site, whoever may vouch for web servers."""
    folder = tmp_path / "identity"
    told = _identity_by(attacker, folder, "arava-1", authority if honest else None)
    with (
        Impostor(tmp_path, attacker, authority.chain(), 200, told) as impostor,
        pytest.raises(Unavailable, match="not of the authority"),
    ):
        enrol(_code(impostor.url, authority), Identity(folder))
    assert not Identity(folder).certificate_file.exists()


@pytest.mark.usefixtures("believed")
@pytest.mark.parametrize("case", ["its-own-authority", "the-right-authority", "another-site"])
def test_impostor_whom_the_machine_trusts_renews_nothing(
    tmp_path: Path, authority: Authority, attacker: Authority, case: str
) -> None:
    """The site stays who it was, and nobody else becomes the authority by which it knows the broker."""
    folder = tmp_path / "identity"
    Identity(folder).request()
    first = Enrolled.model_validate_json(_identity_by(authority, folder, "arava-1"))
    Identity(folder).accept(first, "https://centre.example")
    before = {path.name: path.read_bytes() for path in (Identity(folder).certificate_file, folder / "ca.pem")}
    told = {
        "its-own-authority": lambda: _identity_by(attacker, folder, "arava-1"),
        "the-right-authority": lambda: _identity_by(attacker, folder, "arava-1", authority),
        "another-site": lambda: _identity_by(authority, folder, "arava-2"),
    }[case]()
    with Impostor(tmp_path, attacker, authority.chain(), 200, told) as impostor:
        (folder / "centre").write_text(impostor.url)
        with pytest.raises(Unavailable, match="it sent"):
            renew(Identity(folder))
    assert {name: (folder / name).read_bytes() for name in before} == before


def test_code_for_a_centre_in_clear_is_refused(tmp_path: Path, authority: Authority) -> None:
    """Unless that is this very machine."""
    with pytest.raises(SettingsError, match="not encrypted"):
        enrol(_code("http://centre.example", authority), Identity(tmp_path / "identity"))


def _company() -> tuple[str, str]:
    """An authority below a company's own: the two certificates, and the key of the lower one."""
    now, root_key, key = datetime.now(UTC), certificates.new_key(), certificates.new_key()
    names = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]) for name in ("Company", "Tidegate of Company")]

    def signed(subject: x509.Name, public: object, depth: int) -> x509.Certificate:
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(names[0]).not_valid_before(now - DAY)
        builder = builder.not_valid_after(now + 30 * DAY).serial_number(x509.random_serial_number())
        builder = builder.public_key(public)  # type: ignore[arg-type]  # one of the two above
        return builder.add_extension(x509.BasicConstraints(ca=True, path_length=depth), critical=True).sign(
            root_key, SHA256()
        )

    root, lower = signed(names[0], root_key.public_key(), 1), signed(names[1], key.public_key(), 0)
    return certificates.text_of(lower) + certificates.text_of(root), certificates.key_text(key)


@pytest.fixture
def below(tmp_path: Path) -> Iterator[BrokerProcess]:
    """A broker under an authority that is below a company's own."""
    authority = Authority(tmp_path / "below")
    authority.adopt(*_company())
    running = BrokerProcess(tmp_path, authority)
    running.start()
    yield running
    running.stop()


def test_site_of_an_adopted_authority_is_let_in_and_put_out(below: BrokerProcess, tmp_path: Path) -> None:
    """With the company's certificate above ours, TLS holds in both directions, and so does the list of revoked ones."""
    assert below.authority is not None
    path, made = client_file(tmp_path, below.authority, "arava-1")
    assert connack(machine(below, path)) == 0
    below.files.write_revoked(below.authority.revoke([(made.serial_number, datetime.now(UTC))]))
    below.kill()
    below.start()
    assert refused(machine(below, path))


def test_adopted_authority_must_fit_its_key_and_may_sign(tmp_path: Path, authority: Authority) -> None:
    """Neither somebody else's key nor a certificate that signs nobody."""
    chain, _ = _company()
    with pytest.raises(SettingsError, match="not that of the certificate"):
        Authority(tmp_path / "one").adopt(chain, certificates.key_text(certificates.new_key()))
    key, server = authority.server(["localhost"])
    with pytest.raises(SettingsError, match="may not sign"):
        Authority(tmp_path / "two").adopt(server, key)
