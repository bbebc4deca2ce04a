"""The main job: an HTTP request changes a register of a simulated PLC, and says so only when that is true."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Final

import pytest

from gateway.demo.site import PROBE_DEVICE, PROBE_REGISTER, UNIT
from gateway.demo.stack import Stack
from gateway.protocol.ids import is_command_id
from gateway.protocol.topics import CommandTopic
from tests.auditor import Auditor
from tests.conditions import STRETCH, eventually
from tests.http_client import HttpClient
from tests.modbus_bytes import read_register
from tests.mqtt_client import MqttClient
from tests.requirements import program

GRAMS: Final = count(200, 5)


@pytest.fixture
def http(shared_stack: Stack) -> HttpClient:
    """Somebody's web client."""
    return HttpClient(shared_stack)


@pytest.fixture
def auditor(shared_stack: Stack) -> Iterator[Auditor]:
    """Ana, who sees all that is said on the broker."""
    with MqttClient(shared_stack.login("@ana")) as client:
        yield Auditor(client, shared_stack.plan.site, "@ana")


@pytest.mark.invariant("I3")
def test_write_applied_is_in_the_register(shared_stack: Stack, http: HttpClient) -> None:
    """The PLC's own bytes on a plain socket hold what HTTP says was applied."""
    grams = next(GRAMS)
    answer = http.write({"portion_g": grams})
    assert (answer.status, answer.body["state"], answer.body["result"]) == (200, "applied", {"portion_g": grams})
    assert read_register(shared_stack.plan.ports.modbus, PROBE_REGISTER) == grams


@pytest.mark.invariant("I3")
def test_write_applied_is_seen_by_another_masters_program(shared_stack: Stack, http: HttpClient) -> None:
    """mbpoll, which shares no code with us, reads the value from the second PLC."""
    grams = next(GRAMS)
    assert http.write({"portion_g": grams}, device="feeder-4").status == 200
    port = str(shared_stack.plan.ports.modbus + 1)
    argv = [str(program("mbpoll")), "-m", "tcp", "-p", port, "-a", str(UNIT), "-0", "-r", "100", "-1", "127.0.0.1"]
    read = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=20 * STRETCH)
    assert f"[100]: \t{grams}" in read.stdout


def test_write_applied_shows_in_http_within_a_second(http: HttpClient) -> None:
    """The device's resource reports the new value, and that nothing differs from what was asked."""
    grams = next(GRAMS)
    http.write({"portion_g": grams})
    device = eventually(lambda: _showing(http, grams), within_s=1, what="the new value in GET")
    assert device["drift"] == []


def _showing(http: HttpClient, grams: int) -> dict[str, object] | None:
    device = http.device()
    return device if device["settings"]["portion_g"] == grams else None


def test_write_applied_shows_in_the_retained_state(http: HttpClient, shared_stack: Stack) -> None:
    """Whoever subscribes afterwards gets the new value at once."""
    grams = next(GRAMS)
    http.write({"portion_g": grams})

    def retained() -> bool:
        with MqttClient(shared_stack.login("@ana")) as client:
            ana = Auditor(client, shared_stack.plan.site, "@ana")
            state = eventually(ana.states, what="a retained state")[0]
            return state.properties["portion_g"] == grams

    eventually(retained, what="the value in the retained state")


def test_write_applied_has_a_resource_with_its_time_line(http: HttpClient) -> None:
    """`Location` leads to the command: what the facade did, then what the site did, in this order."""
    answer = http.write({"portion_g": next(GRAMS)})
    assert is_command_id(answer.command)
    resource = http.get(answer.headers["Location"])
    assert resource.body["id"] == answer.command
    steps = [(step["what"], step["source"]) for step in resource.body["steps"]]
    assert steps == [
        ("pending", "@facade"),
        ("published", "@facade"),
        *[(what, "arava-1") for what in ("accepted", "written", "verified", "applied")],
    ]
    times = [step["at"] for step in resource.body["steps"]]
    assert times == sorted(times)


@pytest.mark.invariant("I14")
def test_write_of_a_technician_is_in_the_ledger_too(shared_stack: Stack, http: HttpClient, tmp_path: Path) -> None:
    """A command sent with Mosquitto's own tool has a row like any other, under the technician's name."""
    grams, command = next(GRAMS), "5e1f0c3a-52a7-4c65-9d3f-6f0f3a1b2c4d"
    login = shared_stack.login("@ana")
    options = tmp_path / "mosquitto_pub"
    options.touch(mode=0o600)
    options.write_text(f"-h {login.host}\n-p {login.port}\n-u @ana\n-P {login.secret}\n-V 5\n")
    topic = str(CommandTopic(site=shared_stack.plan.site, requester="@ana", device=PROBE_DEVICE, name="write"))
    message = json.dumps({"id": command, "input": {"portion_g": grams}, "reason": "by hand"})
    argv = [str(program("mosquitto_pub")), "-q", "1", "-t", topic, "-m", message]
    subprocess.run(argv, env={"XDG_CONFIG_HOME": str(tmp_path)}, check=True, timeout=20 * STRETCH)
    row = eventually(lambda: _final(http, command), what="the command's end in the ledger")
    assert (row["state"], row["requester"], row["input"]) == ("applied", "@ana", {"portion_g": grams})
    assert command in [each["id"] for each in http.commands(site=shared_stack.plan.site)]


def _final(http: HttpClient, command: str) -> dict[str, object] | None:
    found = http.command(command)
    return found if found.get("final") else None


@pytest.mark.invariant("I5")
def test_write_above_the_limit_is_never_published(http: HttpClient, auditor: Auditor) -> None:
    """A 422 leaves no trace on the broker and none in the ledger; the write after it does."""
    before = len(http.commands())
    refused = http.write({"portion_g": 5000})
    assert refused.verdict == (422, "invalid-input")
    grams = next(GRAMS)
    applied = http.write({"portion_g": grams})
    assert applied.status == 200
    assert len(http.commands()) == before + 1
    eventually(lambda: auditor.commands, what="the good command")
    assert [command.input for command in auditor.commands] == [{"portion_g": grams}]
