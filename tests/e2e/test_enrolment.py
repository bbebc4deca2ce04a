"""A site's whole life with the commands of the documentation: enrolled, renewed, revoked, let in again, removed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from gateway.broker import Login
from gateway.protocol.topics import ROOT
from gateway.tls import Tls
from site_agent.enrolment import renew
from site_agent.identity import Identity
from tests.conditions import eventually
from tests.mqtt_client import MqttClient
from tests.running_broker import connack
from tests.secure_centre import HOST, SITE, SecureCentre

SETTINGS = f"/v1/sites/{SITE}/devices/feeder-1/settings"
#: What is taken away holds within this time.
SOON_S = 5.0


@pytest.fixture
def centre(tmp_path: Path, redis_url: str) -> Iterator[SecureCentre]:
    """A centre that knows no site yet."""
    with SecureCentre(tmp_path, redis_url) as running:
        yield running


@pytest.fixture
def enrolled(centre: SecureCentre) -> SecureCentre:
    """One whose site runs, with a certificate in place of a password."""
    centre.enrol()
    centre.add_farm()
    centre.agent.start()
    eventually(lambda: centre.get(f"/v1/sites/{SITE}/devices/feeder-1").status_code == 200, within_s=20, what="feeder")
    eventually(lambda: _quality(centre) == "good", within_s=20, what="good values")
    eventually(lambda: _plcs(centre) == {"ok"}, within_s=20, what="both PLCs")
    return centre


def _quality(centre: SecureCentre) -> object:
    return centre.get(f"/v1/sites/{SITE}/devices/feeder-1").json().get("quality")


def _plcs(centre: SecureCentre) -> set[str]:
    return set((centre.get(f"/v1/sites/{SITE}").json().get("plcs") or {}).values())


def _lost(centre: SecureCentre) -> bool:
    return "broker-lost" in centre.agent.log.read_text()


def _retained(centre: SecureCentre) -> set[str]:
    secret = SecretStr((centre.home / "secrets" / "@gateway").read_text().strip())
    login = Login(host="127.0.0.1", port=centre.people, username="@gateway", password=secret)
    with MqttClient(login) as witness:
        witness.subscribe(f"{ROOT}/{SITE}/#")
        witness.publish(f"{ROOT}/@gateway/alarms/{SITE}/x/fence", b"fence")
        witness.subscribe(f"{ROOT}/@gateway/#")
        witness.publish(f"{ROOT}/@gateway/alarms/{SITE}/x/fence", b"end")
        witness.wait_for(b"end")
        return {each.topic for each in witness.received() if each.retained and each.payload and SITE in each.topic}


def test_enrolled_site_applies_a_write_over_tls(enrolled: SecureCentre) -> None:
    """From a code to a register: certificate, broker, agent and HTTPS did their part, and no password was needed."""
    answer = enrolled.patch(SETTINGS, {"portion_g": 75})
    assert (answer.status_code, answer.json()["state"]) == (200, "applied")
    assert SITE not in (enrolled.home / "broker" / "passwords").read_text()


def test_code_works_once(centre: SecureCentre) -> None:
    """Another PC with the same code stays outside; the first one keeps its identity."""
    code = json.loads(centre.run("site", "add", SITE, "--json"))["code"]
    centre.run("agent", "enrol", code, "--folder", str(centre.pc))
    error = centre.run("agent", "enrol", code, "--folder", str(centre.home / "thief"), code=2)
    assert "used, too old, or none at all" in error
    assert Identity(centre.pc / "identity").site == SITE


def test_pc_of_another_site_keeps_its_identity_unless_told_otherwise(centre: SecureCentre) -> None:
    """A code carried to the wrong PC replaces nothing by accident; the same code works with --replace."""
    centre.enrol()
    code = json.loads(centre.run("site", "add", "arava-2", "--json"))["code"]
    error = centre.run("agent", "enrol", code, "--folder", str(centre.pc), code=2)
    assert "this is arava-1 already" in error
    assert Identity(centre.pc / "identity").site == SITE
    centre.run("agent", "enrol", code, "--folder", str(centre.pc), "--replace")
    assert Identity(centre.pc / "identity").site == "arava-2"


def test_key_never_leaves_the_pc(centre: SecureCentre) -> None:
    """Nothing at the centre holds the site's private key, and the file on the PC is its owner's alone."""
    centre.enrol()
    path = Identity(centre.pc / "identity").certificate_file
    key = path.read_text().partition("-----END PRIVATE KEY")[0].splitlines()[1]
    files = [each for each in centre.home.rglob("*") if each.is_file() and centre.pc not in each.parents]
    assert [each for each in files if key.encode() in each.read_bytes()] == []
    assert path.stat().st_mode & 0o077 == 0


def test_site_file_after_enrolment_is_ready(centre: SecureCentre) -> None:
    """Without a line of hand-written configuration the agent starts, and the centre sees it online."""
    centre.enrol()
    assert "good for 90 days" in centre.run("agent", "--config", str(centre.pc / "site.toml"), "--check")
    centre.agent.start()
    eventually(lambda: centre.get(f"/v1/sites/{SITE}").json().get("online"), within_s=20, what="the site online")


def test_renewed_certificate_is_another_and_is_taken(centre: SecureCentre) -> None:
    """With the present key's signature alone, no code and no person: the broker takes the new one."""
    centre.enrol()
    identity = Identity(centre.pc / "identity")
    before = identity.certificate()
    renew(identity)
    assert identity.certificate().serial_number != before.serial_number
    assert identity.certificate().public_key() != before.public_key()
    login = Login(host=HOST, port=centre.tls_machines, username=SITE, password=None, tls=identity.tls)
    assert connack(login) == 0


def test_revoked_site_is_out_within_seconds(enrolled: SecureCentre) -> None:
    """The connection that stands ends, the gate closes, a write is refused, and the certificate is good for nothing."""
    enrolled.run("site", "revoke", SITE)
    eventually(lambda: _lost(enrolled), within_s=SOON_S, what="the end of the agent's connection")
    eventually(lambda: not enrolled.alive(), within_s=SOON_S, what="a closed gate")
    answer = enrolled.patch(SETTINGS, {"portion_g": 85})
    assert (answer.status_code, answer.json()["code"]) == (503, "site-offline")
    with pytest.raises(Exception, match="revoked"):
        renew(Identity(enrolled.pc / "identity"))
    listed = json.loads(enrolled.run("site", "list", "--json"))
    assert (listed["site"], listed["state"]) == (SITE, "revoked")


def test_revoked_site_comes_back_with_a_new_code(enrolled: SecureCentre) -> None:
    """The same PC, a new code: writes pass again, without a restart of anything but the agent."""
    enrolled.run("site", "revoke", SITE)
    eventually(lambda: not enrolled.alive(), within_s=SOON_S, what="a closed gate")
    enrolled.agent.stop()
    enrolled.enrol()
    enrolled.agent.start()
    eventually(enrolled.alive, within_s=20, what="the site's beat")
    eventually(lambda: enrolled.patch(SETTINGS, {"portion_g": 90}).status_code == 200, within_s=20, what="a write")


def test_removed_site_leaves_nothing_at_the_broker_nor_in_the_lists(enrolled: SecureCentre) -> None:
    """Status, descriptions and states are cleared, with the key; the site is shown no more; what it did stays."""
    done = enrolled.patch(SETTINGS, {"portion_g": 80}).json()["id"]
    assert f"{ROOT}/{SITE}/status" in _retained(enrolled)
    enrolled.run("site", "remove", SITE, "--yes")
    assert _retained(enrolled) == set()
    eventually(lambda: not enrolled.alive(), within_s=1, what="a closed gate")
    assert enrolled.get(f"/v1/sites/{SITE}").status_code == 404
    assert enrolled.get("/v1/sites").json()["items"] == []
    assert enrolled.get(f"/v1/commands/{done}").json()["state"] == "applied"


def test_person_added_sees_over_tls_and_revoked_does_not(centre: SecureCentre) -> None:
    """One command each, while the broker runs."""
    centre.run("person", "add", "ana", "--role", "viewer", "--all-sites")
    secret = SecretStr((centre.home / "secrets" / "@ana").read_text().strip())
    tls = Tls(authority=centre.home / "ca" / "ca.pem")
    login = Login(host=HOST, port=centre.tls_people, username="@ana", password=secret, tls=tls)
    eventually(lambda: connack(login) == 0, within_s=SOON_S, what="@ana's login")
    with MqttClient(login) as ana:
        centre.run("person", "revoke", "ana")
        assert ana.lost.wait(SOON_S)
    assert connack(login) != 0
    assert centre.run("person", "list", "--json") == ""
