"""The broker's listeners with TLS: who gets in by a certificate or a password, who does not, and who is put out."""

from __future__ import annotations

import contextlib
import dataclasses
import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID
from pydantic import SecretStr

from gateway.broker import BrokerLink, Login
from gateway.broker_reload import BrokerReload
from gateway.identity.authority import Authority
from gateway.identity.seat import Seat
from gateway.people import Person
from gateway.protocol.errors import SettingsError
from gateway.protocol.topics import HostStatusTopic, StatusTopic
from gateway.roles import Role
from gateway.tls import Tls
from tests.conditions import eventually
from tests.identities import DAY, HOST, client_file, machine, new_authority, odd_client_file, refused
from tests.mqtt_client import MqttClient
from tests.running_broker import BrokerProcess, connack

NOT_AUTHORIZED = 0x87
BAD_USER_NAME = 0x86
#: What is taken away holds within this time, at every connection that stands.
SOON_S = 5.0


@pytest.fixture
def secured(tmp_path: Path) -> Iterator[BrokerProcess]:
    """A broker with TLS, under an authority of its own."""
    running = BrokerProcess(tmp_path, new_authority(tmp_path / "ca"))
    running.start()
    yield running
    running.stop()


def _person(secured: BrokerProcess, name: str) -> Login:
    assert secured.authority is not None
    tls = Tls(authority=secured.authority.certificate_file)
    password = SecretStr(secured.files.secret(name))
    return Login(host=HOST, port=secured.people_tls_port, username=name, password=password, tls=tls)


def _authority(secured: BrokerProcess) -> Authority:
    assert secured.authority is not None
    return secured.authority


def test_certificate_of_the_authority_is_let_in_under_its_name(secured: BrokerProcess, tmp_path: Path) -> None:
    """The common name is the user name: the site may write its own status, and reads it again."""
    path, _ = client_file(tmp_path, _authority(secured), "arava-1")
    with MqttClient(machine(secured, path)) as site:
        topic = str(StatusTopic(site="arava-1"))
        site.subscribe(topic)
        assert site.publish(topic, b"here") == 0
        site.wait_for(b"here")


def test_certificate_says_who_it_is_whatever_the_login_claims(secured: BrokerProcess, tmp_path: Path) -> None:
    """A user name sent beside a certificate counts for nothing: the other site's topics stay closed."""
    path, _ = client_file(tmp_path, _authority(secured), "arava-1")
    claimed = dataclasses.replace(machine(secured, path), username="arava-2", password=SecretStr("whatever"))
    with MqttClient(claimed) as site:
        assert site.publish(str(StatusTopic(site="arava-2")), b"forged") == NOT_AUTHORIZED


def test_no_certificate_is_refused(secured: BrokerProcess) -> None:
    """At the machines' listener nobody gets in without one."""
    assert refused(machine(secured, None))


def test_password_in_place_of_a_certificate_is_refused(secured: BrokerProcess) -> None:
    """Even a right password does not replace it there."""
    secret = SecretStr(secured.files.secret("@gateway"))
    assert refused(dataclasses.replace(machine(secured, None), username="@gateway", password=secret))


def test_expired_certificate_is_refused(secured: BrokerProcess, tmp_path: Path) -> None:
    """One that was good until yesterday."""
    path, _ = client_file(tmp_path, _authority(secured), "arava-1", made=datetime.now(UTC) - 3 * DAY)
    assert refused(machine(secured, path))


def test_certificate_of_another_authority_is_refused(secured: BrokerProcess, tmp_path: Path) -> None:
    """An authority of the same name is still another one."""
    path, _ = client_file(tmp_path, new_authority(tmp_path / "other"), "arava-1")
    assert refused(machine(secured, path))


def test_certificate_of_a_server_is_refused(secured: BrokerProcess, tmp_path: Path) -> None:
    """What vouches for a server does not let it in as a site of that name."""
    key, certificate = _authority(secured).server(["arava-1"])
    path = tmp_path / "server.pem"
    path.write_text(key + certificate)
    assert refused(machine(secured, path))


@pytest.mark.parametrize("name", ["a/b", "+", "#", "arava-1/commands", "$SYS"])
def test_certificate_with_a_name_of_no_site_reaches_no_topic_of_a_site(
    secured: BrokerProcess, tmp_path: Path, name: str
) -> None:
    """Our authority signs no such names; from another one they would open no topic of any site's own."""
    path, _ = client_file(tmp_path, _authority(secured), name)
    victim, _ = client_file(tmp_path, _authority(secured), "arava-1")
    with MqttClient(machine(secured, path)) as forger, MqttClient(machine(secured, victim)) as site:
        site.subscribe(str(StatusTopic(site="arava-1")), "tidegate/v1/arava-1/commands/#")
        for topic in (str(StatusTopic(site="arava-1")), "tidegate/v1/arava-1/devices/feeder-1/events/status"):
            assert forger.publish(topic, b"forged") == NOT_AUTHORIZED
        site.publish(str(StatusTopic(site="arava-1")), b"fence")
        site.wait_for(b"fence")
        assert site.payloads() == {b"fence"}


def _subject(kind: x509.ObjectIdentifier, *names: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(kind, name, _validate=False) for name in names])


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        (NameOID.COMMON_NAME, ()),
        (NameOID.ORGANIZATION_NAME, ("arava-1",)),
        (NameOID.COMMON_NAME, ("arava-1\0",)),
        (NameOID.COMMON_NAME, ("\0arava-1",)),
    ],
    ids=["no-subject", "organisation-alone", "nul-behind", "nul-before"],
)
def test_certificate_without_a_common_name_is_refused(
    secured: BrokerProcess, tmp_path: Path, kind: x509.ObjectIdentifier, names: tuple[str, ...]
) -> None:
    """By our own authority, and for clients, but nobody's. A name that the login claims does not replace it."""
    path = odd_client_file(tmp_path, _authority(secured), _subject(kind, *names))
    login = machine(secured, path, "arava-1")
    assert connack(login) == BAD_USER_NAME
    assert connack(dataclasses.replace(login, password=SecretStr("whatever"))) == BAD_USER_NAME


@pytest.mark.filterwarnings("ignore:Attribute's length:UserWarning")
@pytest.mark.parametrize("names", [("",), ("arava-2", "arava-1")], ids=["empty", "two"])
def test_certificate_of_no_one_site_reaches_no_other_site(
    secured: BrokerProcess, tmp_path: Path, names: tuple[str, ...]
) -> None:
    """An empty name is that of no site; of two names the first one counts. Neither speaks, nor listens, as arava-1."""
    path = odd_client_file(tmp_path, _authority(secured), _subject(NameOID.COMMON_NAME, *names))
    victim, _ = client_file(tmp_path, _authority(secured), "arava-1")
    secured.files.write(["@ana"])
    secured.reload()
    ana = _person(secured, "@ana")
    eventually(lambda: connack(ana) == 0, what="@ana's login")
    command = "tidegate/v1/arava-1/commands/@ana/feeder-1/write"
    claimed = dataclasses.replace(machine(secured, path, "arava-1"), password=SecretStr("whatever"))
    with (
        MqttClient(claimed) as forger,
        MqttClient(machine(secured, victim)) as site,
        MqttClient(ana) as technician,
    ):
        forger.subscribe("#", command)
        for topic in (str(StatusTopic(site="arava-1")), str(HostStatusTopic()), command, "tidegate/v1/status"):
            assert forger.publish(topic, b"forged") == NOT_AUTHORIZED
        site.subscribe(command)
        technician.publish(command, b"asked")
        site.wait_for(b"asked")
        with MqttClient(_plain(secured, "@gateway")) as gateway:
            gateway.publish(str(HostStatusTopic()), b"fence")
        forger.wait_for(b"fence")
        assert b"asked" not in forger.payloads()


def _handshake(login: Login, host: str = HOST) -> None:
    assert login.tls is not None
    with (
        socket.create_connection((host, login.port), timeout=5) as plain,
        login.tls.context().wrap_socket(plain, server_hostname=host),
    ):
        pass


def test_server_of_another_name_is_not_trusted(secured: BrokerProcess) -> None:
    """A client checks the broker's name: the certificate is for localhost, not for that address."""
    with pytest.raises(ssl.SSLCertVerificationError, match="mismatch"):
        _handshake(machine(secured, None), secured.host)


def test_server_of_another_authority_is_not_trusted(secured: BrokerProcess, tmp_path: Path) -> None:
    """A client that trusts somebody else sends this broker nothing."""
    other = new_authority(tmp_path / "other").certificate_file
    with pytest.raises(ssl.SSLCertVerificationError, match="verify failed"):
        _handshake(dataclasses.replace(machine(secured, None), tls=Tls(authority=other)))


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_old_tls_is_refused(secured: BrokerProcess, version: ssl.TLSVersion) -> None:
    """Nothing below TLS 1.2, at either listener."""
    for port in (secured.tls_port, secured.people_tls_port):
        context = ssl.create_default_context(cafile=str(_authority(secured).certificate_file))
        context.minimum_version = context.maximum_version = version
        context.set_ciphers("ALL:@SECLEVEL=0")
        with (
            socket.create_connection((HOST, port), timeout=5) as plain,
            pytest.raises((ssl.SSLError, ConnectionError)),
        ):
            context.wrap_socket(plain, server_hostname=HOST)


def test_plain_connect_at_a_listener_with_tls_gets_no_answer(secured: BrokerProcess) -> None:
    """Nobody falls back to speaking in clear."""
    for port in (secured.tls_port, secured.people_tls_port):
        with socket.create_connection((HOST, port), timeout=5) as connection:
            connection.sendall(bytes.fromhex("101000044d5154540502003c000003612d62"))
            connection.settimeout(5)
            with contextlib.suppress(ConnectionError):
                assert connection.recv(1) != b"\x20"


def test_person_gets_in_by_password_over_tls(secured: BrokerProcess) -> None:
    """No certificate is asked of people, whom the right password lets in and a wrong one does not."""
    secured.files.write(["@ana"])
    secured.reload()
    eventually(lambda: connack(_person(secured, "@ana")) == 0, what="@ana's login")
    wrong = dataclasses.replace(_person(secured, "@ana"), password=SecretStr("wrong"))
    assert connack(wrong) == NOT_AUTHORIZED


def _out(secured: BrokerProcess, site: str, revoked: str) -> None:
    reload = BrokerReload(secured.files)
    Seat(secured.files, reload, host=secured.host, port=secured.port).take(site, revoked)


def test_revoked_certificate_ends_the_connection_that_stands(secured: BrokerProcess, tmp_path: Path) -> None:
    """Within seconds the site is out, cannot come back, and no other site was disturbed."""
    path, certificate = client_file(tmp_path, _authority(secured), "arava-1")
    neighbour, _ = client_file(tmp_path, _authority(secured), "arava-2")
    with MqttClient(machine(secured, path)) as site, MqttClient(machine(secured, neighbour)) as other:
        other.subscribe(str(HostStatusTopic()))
        _out(secured, "arava-1", _authority(secured).revoke([(certificate.serial_number, datetime.now(UTC))]))
        assert site.lost.wait(SOON_S)
        assert refused(machine(secured, path))
        assert not other.lost.is_set()


def test_seat_leaves_no_password_behind(secured: BrokerProcess, tmp_path: Path) -> None:
    """What let us in for a moment opens nothing afterwards, and is nowhere any more."""
    _, certificate = client_file(tmp_path, _authority(secured), "arava-1")
    _out(secured, "arava-1", _authority(secured).revoke([(certificate.serial_number, datetime.now(UTC))]))
    assert "arava-1" not in secured.files.users()
    assert not secured.files.secret_file("arava-1").exists()


def test_link_with_a_revoked_certificate_says_what_it_may_be(
    secured: BrokerProcess, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A broker only hangs up; the log tells a person what that mostly means."""
    path, certificate = client_file(tmp_path, _authority(secured), "arava-1")
    _out(secured, "arava-1", _authority(secured).revoke([(certificate.serial_number, datetime.now(UTC))]))
    link = BrokerLink(machine(secured, path, "arava-1"), subscriptions=[], on_message=lambda _: None)
    link.start()
    try:
        eventually(lambda: "revoked or expired" in capsys.readouterr().out, what="the reason")
    finally:
        link.stop()


def test_person_revoked_is_put_out(secured: BrokerProcess) -> None:
    """The connection that stands ends, and no new one begins."""
    secured.files.write(["@ana"])
    secured.reload()
    login = _person(secured, "@ana")
    eventually(lambda: connack(login) == 0, what="@ana's login")
    with MqttClient(login) as ana:
        with BrokerReload(secured.files).changing():
            secured.files.write_users(without=["@ana"])
        assert ana.lost.wait(SOON_S)
    assert connack(login) == NOT_AUTHORIZED


@pytest.mark.parametrize(
    ("person", "may"),
    [
        (Person(name="@ana", role=Role.VIEWER), {}),
        (Person(name="@ana", role=Role.OPERATOR), {"arava-1", "arava-2"}),
        (Person(name="@ana", role=Role.OPERATOR, sites=frozenset({"arava-1"})), {"arava-1"}),
        (Person(name="@ana", role=Role.VIEWER, sites=frozenset({"arava-1"})), {}),
    ],
    ids=["viewer", "operator", "operator-of-one", "viewer-of-one"],
)
def test_person_commands_and_hears_only_the_sites_of_the_role(
    secured: BrokerProcess, tmp_path: Path, person: Person, may: set[str]
) -> None:
    """By delivery: commands to sites that the role names, and status of sites that it names."""
    secured.files.people.put(person)
    secured.files.write(["@ana"])
    secured.reload()
    login = _person(secured, "@ana")
    eventually(lambda: connack(login) == 0, what="@ana's login")
    sites = {name: client_file(tmp_path, _authority(secured), name)[0] for name in ("arava-1", "arava-2")}
    with (
        MqttClient(login) as ana,
        MqttClient(machine(secured, sites["arava-1"])) as one,
        MqttClient(machine(secured, sites["arava-2"])) as two,
        MqttClient(_plain(secured, "@gateway")) as gateway,
    ):
        ana.subscribe("#")
        clients = {"arava-1": one, "arava-2": two}
        for name, client in clients.items():
            client.subscribe("#")
            client.publish(str(StatusTopic(site=name)), f"status of {name}".encode())
            ana.publish(f"tidegate/v1/{name}/commands/@ana/feeder-1/write", f"to {name}".encode())
        gateway.publish(str(HostStatusTopic()), b"fence")
        for client in (ana, *clients.values()):
            client.wait_for(b"fence")
        commanded = {name for name, client in clients.items() if f"to {name}".encode() in client.payloads()}
        heard = {name for name in clients if f"status of {name}".encode() in ana.payloads()}
    assert commanded == set(may)
    assert heard == (set(clients) if person.sites is None else set(person.sites))


def test_role_that_changes_holds_for_the_connection_that_stands(secured: BrokerProcess) -> None:
    """An operator who is made a viewer commands no more, without a new login."""
    secured.files.write(["@ana"])
    secured.reload()
    login = _person(secured, "@ana")
    eventually(lambda: connack(login) == 0, what="@ana's login")
    topic = "tidegate/v1/arava-1/commands/@ana/feeder-1/write"
    with MqttClient(login) as ana:
        assert ana.publish(topic, b"may she?") < NOT_AUTHORIZED
        with BrokerReload(secured.files).changing():
            secured.files.people.put(Person(name="@ana", role=Role.VIEWER))
            secured.files.write_users()
        eventually(lambda: ana.publish(topic, b"still?") == NOT_AUTHORIZED, within_s=SOON_S, what="the new role")
        assert not ana.lost.is_set()


def _plain(secured: BrokerProcess, user: str) -> Login:
    return Login(host=secured.host, port=secured.port, username=user, password=SecretStr(secured.files.secret(user)))


def test_files_that_a_broker_would_not_take_change_nothing(secured: BrokerProcess) -> None:
    """They are tried on a broker of their own first; who is connected stays so, and the old files are back."""
    before = (secured.files.folder / "acl").read_text()
    with MqttClient(_plain(secured, "@gateway")) as gateway:
        with (
            pytest.raises(SettingsError, match="nothing was changed"),
            BrokerReload(secured.files).changing(),
        ):
            (secured.files.folder / "acl").write_text(before + "\nnonsense here\n")
        gateway.subscribe(str(HostStatusTopic()))
        assert not gateway.lost.is_set()
    assert (secured.files.folder / "acl").read_text() == before
