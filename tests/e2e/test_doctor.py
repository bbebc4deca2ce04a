"""`tidegate doctor` on a centre and a site that work, and on such as do not."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conditions import eventually
from tests.identities import new_authority
from tests.sealed_site import Engineer, SealedSite
from tests.secure_centre import HOST, SecureCentre

ANA = Engineer("ana")
Findings = dict[str, list[tuple[str, str, str]]]


@pytest.fixture(scope="module")
def centre(tmp_path_factory: pytest.TempPathFactory, redis_url: str) -> Iterator[SecureCentre]:
    """A centre with a site that enrolled, and a technician; the site's agent does not run."""
    with SecureCentre(tmp_path_factory.mktemp("doctor"), redis_url) as running:
        running.enrol()
        running.add_farm()
        running.run("person", "add", "ana", "--role", "viewer", "--all-sites")
        yield running


def _asked(centre: SecureCentre, *words: str, code: int = 0) -> Findings:
    """What about -> verdict, what was said, and what to do."""
    found: Findings = {}
    for line in centre.run("doctor", *words, "--json", code=code).splitlines():
        if line.startswith('{"about"'):
            each = json.loads(line)
            found.setdefault(each["about"], []).append((each["verdict"], each["said"], each["todo"]))
    return found


def _bad(found: Findings) -> set[str]:
    return {about for about, each in found.items() if any(verdict == "bad" for verdict, _, _ in each)}


def _person(centre: SecureCentre, *words: str, code: int = 0) -> Findings:
    login = ["--user", "@ana", "--password-file", str(centre.home / "secrets" / "@ana")]
    place = ["--host", HOST, "--port", str(centre.tls_people), "--ca-file", str(centre.home / "ca" / "ca.pem")]
    return _asked(centre, "person", *login, *place, *words, code=code)


def _site(centre: SecureCentre, code: int = 0, path: Path | None = None) -> Findings:
    return _asked(centre, "site", "--config", str(path or centre.pc / "site.toml"), code=code)


def test_server_that_works_has_nothing_bad(centre: SecureCentre) -> None:
    """Redis, database, broker, its rights, its certificate and the authority were all looked at."""
    found = _asked(centre, "server", "--people-port", str(centre.people))
    assert _bad(found) == set()
    looked = {"clock", "disk", "redis", "database", "mosquitto", "broker's files", "broker", "anonymous", "gateway"}
    assert looked | {"authority", "broker's name", "sites' way in"} == set(found)


def test_server_looked_at_goes_on_undisturbed(centre: SecureCentre) -> None:
    """Nobody's connection was taken from under it."""
    before = (centre.home / "gateway.log").read_text().count("broker-lost")
    _asked(centre, "server", "--people-port", str(centre.people))
    assert (centre.home / "gateway.log").read_text().count("broker-lost") == before


def test_site_that_works_has_nothing_bad(centre: SecureCentre) -> None:
    """File, certificate, centre, broker, rights by a message that came back, and both PLCs."""
    found = _site(centre)
    assert _bad(found) == set()
    assert {"file", "identity", "centre", "network", "broker", "rights", "plc-1", "plc-2"} <= set(found)


def test_site_whose_agent_runs_is_not_disturbed(centre: SecureCentre) -> None:
    """The login is not tried, since it would end the agent's; the agent never notices."""
    centre.agent.start()
    try:
        eventually(centre.alive, within_s=20, what="the site's beat")
        found = _site(centre)
        assert ("good", "not tried: the agent runs, and its login would end", "") in found["broker"]
        assert "broker-lost" not in centre.agent.log.read_text()
    finally:
        centre.agent.stop()


def test_site_with_a_plc_that_is_off_names_it(centre: SecureCentre) -> None:
    """And only it."""
    text = (centre.pc / "site.toml").read_text()
    path = centre.pc / "other.toml"
    path.write_text(text.replace(f"port = {centre.modbus + 1}", "port = 1"))
    found = _site(centre, code=1, path=path)
    assert _bad(found) == {"plc-2"}
    assert "is it on" in found["plc-2"][0][2]


def test_site_whose_files_are_sealed_is_told_how_they_stand(centre: SecureCentre, tmp_path: Path) -> None:
    """By whom, and whether the agent's own user could change that; an altered file is bad, and says why."""
    site = SealedSite.made(tmp_path / "site", ANA)
    site.seal(7, ANA)
    found = _site(centre, code=1, path=site.path)  # there is no password, and no PLC
    assert "version 7, sealed by ana" in found["seal"][0][1]
    assert found["seal"][0][0] == ("good" if os.geteuid() == 0 else "doubtful")
    site.change("most_per_day = 3000", "most_per_day = 9000")
    assert _site(centre, code=1, path=site.path)["seal"][0][0] == "bad"


def test_site_with_a_wrong_file_says_what_is_wrong(centre: SecureCentre, tmp_path: Path) -> None:
    """In the words of the agent."""
    path = tmp_path / "site.toml"
    path.write_text('site = "Arava 1"\n')
    assert _bad(_site(centre, code=1, path=path)) == {"file"}


def test_person_who_is_let_in_has_nothing_bad(centre: SecureCentre) -> None:
    """The name, the port, the certificate with its days, the login, and the gateway."""
    found = _person(centre)
    assert _bad(found) == set()
    assert "good for 729 days" in found["certificate"][0][1]


def test_person_with_another_authority_is_told_so(centre: SecureCentre, tmp_path: Path) -> None:
    """The broker is not trusted, and the todo says where the right file comes from."""
    other = new_authority(tmp_path / "other").certificate_file
    found = _person(centre, "--ca-file", str(other), code=1)
    assert "certificate" in _bad(found)
    assert "ca.pem" in found["certificate"][0][2]


def test_person_with_a_wrong_port_is_told_so(centre: SecureCentre) -> None:
    """Nobody takes connections there."""
    found = _person(centre, "--port", "1", code=1)
    assert found["network"][0][0] == "bad"


def test_words_for_people_are_in_columns_without_colours(centre: SecureCentre) -> None:
    """Into a file or a pipe go no escape sequences; the last line counts."""
    text = centre.run("doctor", "server", "--people-port", str(centre.people))
    assert "\x1b" not in text
    assert text.strip().splitlines()[-1].endswith("0 bad")


def test_server_without_redis_and_broker_says_what_to_do(centre: SecureCentre) -> None:
    """Last, since nothing is as it was afterwards: each part that is away is named, the others are good."""
    centre.broker.stop()
    environment = dict(centre.environment)
    centre.environment["TIDEGATE_REDIS_URL"] = "redis://127.0.0.1:1/0"
    try:
        found = _asked(centre, "server", "--people-port", str(centre.people), code=1)
        assert {"redis", "broker"} <= _bad(found)
        assert "TIDEGATE_REDIS_URL" in found["redis"][0][2]
        assert found["database"][0][0] == "good"
    finally:
        centre.environment.update(environment)
        centre.broker.start()
        eventually(centre.ready, within_s=20, what="the centre")


def test_secrets_are_in_no_word_of_it(centre: SecureCentre) -> None:
    """Neither good nor bad findings show a password or a key."""
    text = centre.run("doctor", "server", "--people-port", str(centre.people))
    secrets = [path.read_text().strip() for path in (centre.home / "secrets").iterdir()]
    assert [secret for secret in secrets if secret in text] == []
