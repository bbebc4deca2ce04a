from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from gateway.broker import Login
from gateway.protocol.lifecycle import State
from gateway.protocol.messages import SiteState
from tests.fake_site import DEVICE, FakeSite
from tests.running_broker import RunningBroker
from tests.terminals import environment, tidegate


@pytest.fixture(scope="module")
def ana(broker: RunningBroker) -> Login:
    return broker.add_person("@ana")


@pytest.fixture
def env(ana: Login, tmp_path: Path) -> dict[str, str]:
    return environment(ana, tmp_path)


@pytest.fixture
def site(broker: RunningBroker, site_id: str) -> Iterator[FakeSite]:
    with FakeSite(broker.add_site(site_id)) as running:
        yield running


def test_send_applied_prints_the_result_and_ends_with_0(site: FakeSite, env: dict[str, str]) -> None:
    """A technician reads in one line what the PLC holds now."""
    done = tidegate("send", site.name, DEVICE, "portion_g=120", "enabled=false", env=env)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("applied: feeder-1 portion_g=120 g, enabled=false (")


def test_send_builds_a_typed_command_under_its_own_name(site: FakeSite, env: dict[str, str]) -> None:
    """What arrives at the site has the right types, a version 7 id, a deadline, and the requester in the topic."""
    tidegate("send", site.name, DEVICE, "portion_g=120", "enabled=false", "--wait", "7", "--reason", "test", env=env)
    ((topic, command),) = site.commands
    assert (topic.requester, topic.device, topic.name) == ("@ana", DEVICE, "write")
    assert command.input == {"portion_g": 120, "enabled": False}
    assert type(command.input["portion_g"]) is int
    assert command.id is not None
    assert command.id[14] == "7"
    assert (command.ttl_s, command.reason, command.after) == (7, "test", None)


def test_send_action_goes_out_under_the_actions_name(site: FakeSite, env: dict[str, str]) -> None:
    """A first word without an equals sign is what the device shall do."""
    done = tidegate("send", site.name, DEVICE, "feed", "grams=50", env=env)
    ((topic, command),) = site.commands
    assert (done.returncode, topic.name, command.input) == (0, "feed", {"grams": 50})


def test_send_unknown_action_is_refused_before_anything_is_sent(site: FakeSite, env: dict[str, str]) -> None:
    """The text says how a setting would be written."""
    done = tidegate("send", site.name, DEVICE, "portion_g", env=env)
    assert done.returncode == 2
    assert "name=value" in done.stderr
    assert site.commands == []


def test_send_json_prints_the_ack(site: FakeSite, env: dict[str, str]) -> None:
    """A program gets the ack as it came."""
    done = tidegate("send", site.name, DEVICE, "portion_g=120", "--json", env=env)
    ack = json.loads(done.stdout)
    assert (ack["state"], ack["result"], ack["final"]) == ("applied", {"portion_g": 120}, True)


def test_send_rejected_says_why_and_ends_with_1(site: FakeSite, env: dict[str, str]) -> None:
    """A refusal of the site is told with its code, and control characters in it are written out."""
    site.answer = lambda _: (State.REJECTED, "plc-lost", "plc-1 is \x1b[31maway")
    done = tidegate("send", site.name, DEVICE, "portion_g=120", env=env)
    assert done.returncode == 1
    assert r"rejected: feeder-1 portion_g=120 g [plc-lost] plc-1 is \x1b[31maway" in done.stdout


@pytest.mark.parametrize("state", [State.FAILED, State.EXPIRED])
def test_send_ended_badly_ends_with_1(site: FakeSite, env: dict[str, str], state: State) -> None:
    """Failed and expired are no success."""
    site.answer = lambda _: (state, "plc-refused", "")
    assert tidegate("send", site.name, DEVICE, "portion_g=120", env=env).returncode == 1


def test_send_unanswered_ends_with_3(site: FakeSite, env: dict[str, str]) -> None:
    """Silence is not called a failure: nobody knows."""
    site.answer = lambda _: None
    done = tidegate("send", site.name, DEVICE, "portion_g=120", "--wait", "1", env=env)
    assert done.returncode == 3
    assert "no answer: it may have taken effect" in done.stdout


def test_send_unanswered_json_says_unknown(site: FakeSite, env: dict[str, str]) -> None:
    """A program sees the id that it can look for later."""
    site.answer = lambda _: None
    answer = json.loads(tidegate("send", site.name, DEVICE, "portion_g=120", "--wait", "1", "--json", env=env).stdout)
    assert (answer["id"], answer["state"], answer["code"]) == (site.commands[0][1].id, "unknown", "no-answer")


def test_send_unknown_ends_with_3(site: FakeSite, env: dict[str, str]) -> None:
    """An open question is told as one."""
    site.answer = lambda _: (State.UNKNOWN, "plc-silent", "no reply in 1 s")
    done = tidegate("send", site.name, DEVICE, "portion_g=120", "--wait", "1", env=env)
    assert (done.returncode, done.stdout.split(":")[0]) == (3, "unknown")


def test_send_evidence_after_unknown_counts(site: FakeSite, env: dict[str, str]) -> None:
    """If the truth comes while the technician still waits, it is what they are told."""
    answers = iter([(State.UNKNOWN, "plc-silent", "no reply in 1 s"), (State.APPLIED, "applied", "")])
    site.evidence_follows = True
    site.answer = lambda _: next(answers)
    assert tidegate("send", site.name, DEVICE, "portion_g=120", env=env).returncode == 0


@pytest.mark.parametrize("state", [SiteState.OFFLINE, SiteState.STOPPED])
def test_send_to_a_silent_site_sends_nothing(site: FakeSite, env: dict[str, str], state: SiteState) -> None:
    """A command for a site that says it is away is not even published."""
    site.say(state)
    done = tidegate("send", site.name, DEVICE, "portion_g=120", env=env)
    assert done.returncode == 1
    assert f"is {state}" in done.stderr
    assert "nothing was sent" in done.stderr
    assert site.commands == []


@pytest.mark.parametrize(
    ("device", "words", "hint"),
    [
        (DEVICE, ["portoin_g=120"], "did you mean portion_g?"),
        (DEVICE, ["portion_g=2500"], "2500 g is above the maximum of 2000 g"),
        (DEVICE, ["hopper_kg=1"], "a reading cannot be written"),
        ("feder-1", ["portion_g=120"], "did you mean feeder-1?"),
        (DEVICE, ["enabled=2"], "write true or false"),
    ],
)
def test_send_wrong_input_sends_nothing_and_ends_with_2(
    site: FakeSite, env: dict[str, str], device: str, words: list[str], hint: str
) -> None:
    """A mistake is found before anything leaves, and the answer helps to mend it."""
    done = tidegate("send", site.name, device, *words, env=env)
    assert done.returncode == 2
    assert hint in done.stderr
    assert site.commands == []


def test_send_to_an_unknown_site_ends_with_2(env: dict[str, str], site_id: str) -> None:
    """A site that the broker does not know is told as such."""
    done = tidegate("send", site_id, DEVICE, "portion_g=120", env=env)
    assert done.returncode == 2
    assert f"no site {site_id}" in done.stderr


def test_send_with_a_wrong_password_ends_with_2(ana: Login, site_id: str, tmp_path: Path) -> None:
    """A refused login is told, and the password is not."""
    env = environment(replace(ana, password=SecretStr("not-the-password")), tmp_path)
    done = tidegate("send", site_id, DEVICE, "portion_g=120", env=env)
    assert done.returncode == 2
    assert "check host, port and password" in done.stderr
    assert "not-the-password" not in done.stdout + done.stderr
