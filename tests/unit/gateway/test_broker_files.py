"""The broker's files: users, rights, and what is kept from one run to the next."""

from __future__ import annotations

import re
import stat
from contextlib import nullcontext
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.broker_files import PACKET_BYTES, BrokerFiles, Listening, kind_of, render_acl, templates
from gateway.broker_reload import BrokerReload
from gateway.credentials import matches
from gateway.people import People, Person
from gateway.person_command import person
from gateway.protocol.errors import InvalidInput, SettingsError
from gateway.protocol.ids import CLIENT_ID_PREFIX, is_id, is_principal
from gateway.protocol.messages import MAX_PAYLOAD_BYTES
from gateway.roles import Role

USERS = ("arava-1", "@gateway", "@facade", "@facade-2", "@ana")


@pytest.fixture
def files(tmp_path: Path) -> BrokerFiles:
    return BrokerFiles(tmp_path / "broker", secrets=tmp_path / "secrets")


@pytest.mark.parametrize(
    ("user", "kind"),
    [
        ("arava-1", "site"),
        ("gateway", "site"),
        ("@gateway", "gateway"),
        ("@gateway-2", "gateway"),
        ("@facade", "facade"),
        ("@facade-2", "facade"),
        ("@facades", "person"),
        ("@gatewayer", "person"),
        ("@ana", "person"),
    ],
)
def test_kind_of_user_told_by_its_name(user: str, kind: str) -> None:
    """A name that only begins like a machine's is a person's."""
    assert kind_of(user) == kind


def test_write_twice_keeps_passwords_and_hashes(files: BrokerFiles) -> None:
    """Running it again changes nobody's password."""
    files.write(USERS)
    before = files.users(), {user: files.secret(user) for user in USERS}
    files.write()
    assert (files.users(), {user: files.secret(user) for user in USERS}) == before


def test_write_hashes_match_the_secrets(files: BrokerFiles) -> None:
    """The password file holds the hash of each secret, and no secret."""
    files.write(USERS)
    text = (files.folder / "passwords").read_text()
    assert all(matches(files.secret(user), hashed) for user, hashed in files.users().items())
    assert not [user for user in USERS if files.secret(user) in text]


def test_write_secret_taken_away_user_stays(files: BrokerFiles) -> None:
    """A secret may leave for its site; the site can still log in."""
    files.write(USERS)
    before = files.users()
    files.secret_file("arava-1").unlink()
    files.write(["@bo"])
    assert files.users()["arava-1"] == before["arava-1"]
    assert not files.secret_file("arava-1").exists()


def test_write_secret_put_there_used(files: BrokerFiles) -> None:
    """Whoever brings a strong secret keeps it, then and later."""
    for secret in ("brought-along-and-long-enough", "a-second-one-also-long-enough"):
        files.secrets.mkdir(exist_ok=True)
        files.secret_file("@ana").write_text(secret)
        files.write(["@ana"])
        assert matches(secret, files.users()["@ana"])


def test_write_weak_secret_put_there_refused(files: BrokerFiles) -> None:
    """An example password does not become anybody's password."""
    files.secrets.mkdir()
    files.secret_file("@ana").write_text("changeme")
    with pytest.raises(SettingsError):
        files.write(["@ana"])


def test_write_impossible_names_all_refused(files: BrokerFiles) -> None:
    """Names that would widen a rule, or fit no topic, are refused, all at once, and nothing is written."""
    with pytest.raises(InvalidInput) as raised:
        files.write(["arava-1", "a/b", "+", "#", "@", "Ana", "x:y", "@ana\nuser @root", ""])
    assert len(raised.value.faults) == 8
    assert not files.folder.exists()


def test_write_files_private(files: BrokerFiles) -> None:
    """Only the owner reads what was written."""
    files.write(USERS)
    paths = [files.configuration, files.folder / "acl", files.folder / "passwords", *files.secrets.iterdir()]
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths} == {0o600}


def test_write_configuration_holds_no_blank_and_no_secret(files: BrokerFiles) -> None:
    """Every blank of the template is filled, and secrets are in no other file than their own."""
    files.write(USERS)
    text = files.configuration.read_text() + (files.folder / "acl").read_text()
    assert "$" not in text
    assert not [user for user in USERS if files.secret(user) in text]


def test_write_configuration_says_where_it_listens(tmp_path: Path) -> None:
    """Both listeners are where they were asked for, and only the machines' takes user names for client ids."""
    listening = Listening(machines_host="10.0.0.1", machines_port=8884, people_host="::1", people_port=8883)
    files = BrokerFiles(tmp_path / "broker", listening=listening)
    files.write()
    machines, people = re.findall(r"^listener (.*?)(?=^listener|\Z)", files.configuration.read_text(), re.M | re.S)
    assert machines.startswith("8884 10.0.0.1\nuse_username_as_clientid true\n")
    assert people.startswith("8883 ::1\n")
    assert "use_username" not in people


def test_acl_patterns_trust_no_client_id() -> None:
    """No rule of the template holds %c, which a client chooses."""
    rules = [line for line in (templates() / "acl.in").read_text().splitlines() if not line.startswith("#")]
    assert not [rule for rule in rules if "%c" in rule]


def test_render_acl_sites_have_no_block_of_their_own() -> None:
    """Ten thousand sites make the rights no longer."""
    template = (templates() / "acl.in").read_text()
    assert render_acl(template, ["arava-1"]) == render_acl(template, [])


def test_client_id_prefix_begins_no_user_name() -> None:
    """So no id that a client chose can equal an id that the broker made from a user name."""
    assert not is_id(CLIENT_ID_PREFIX + "x")
    assert not is_principal(CLIENT_ID_PREFIX + "x")
    assert CLIENT_ID_PREFIX[-1] == ":"


def test_packet_limit_lies_above_the_protocols() -> None:
    """Our own code refuses a large body before the broker can, with room for the longest topic."""
    assert PACKET_BYTES > MAX_PAYLOAD_BYTES + 1024


def test_person_put_out_half_way_is_out(files: BrokerFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped between users and register: who is a user, and in no register, could do everything."""
    files.write(["@ana"])
    files.people.put(Person(name="@ana", role=Role.VIEWER))
    monkeypatch.setenv("TIDEGATE_BROKER_FOLDER", str(files.folder))
    monkeypatch.setenv("TIDEGATE_BROKER_SECRETS", str(files.secrets))
    monkeypatch.setattr(BrokerReload, "changing", lambda _: nullcontext())
    monkeypatch.setattr(People, "remove", _killed)
    with pytest.raises(RuntimeError, match="killed"):
        CliRunner().invoke(person, ["revoke", "ana"], catch_exceptions=False, standalone_mode=False)
    files.write_users()
    assert "@ana" not in files.users()


def _killed(*_: object) -> None:
    raise RuntimeError("killed")
