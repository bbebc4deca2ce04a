"""A site with an OPC UA server: told of changes, written with proof, and honest when the server is gone."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.protocol.errors import SettingsError
from gateway.protocol.lifecycle import State
from gateway.protocol.messages import Quality
from site_agent.drivers.nodes import Place
from site_agent.drivers.opcua import OpcUaDriver
from site_agent.drivers.port import PlcDeclined, PlcSilent
from site_agent.registers import RegisterType
from site_agent.site_file import load
from tests.agents import AgentProcess, Technician
from tests.conditions import eventually
from tests.documentation import DOCS, fences
from tests.opcua_server import OpcUaServer, node, running_opcua_server
from tests.running_broker import RunningBroker
from tests.terminals import tidegate

PROPERTIES: dict[str, dict[str, object]] = {
    "portion_g": {"type": "uint16", "node": node("Feeder1.Portion"), "writable": True, "maximum": 2000},
    "enabled": {"type": "bool", "node": node("Feeder1.Enabled"), "writable": True},
    "hopper_kg": {"type": "float32", "node": node("Feeder1.Hopper")},
    "target_c": {"type": "float64", "node": node("Feeder1.Target"), "writable": True},
    "trim": {"type": "int32", "node": node("Feeder1.Trim"), "writable": True},
    "name": {"type": "string", "length": 8, "node": node("Feeder1.Name"), "writable": True},
    "jam": {"type": "bool", "bit": 2, "node": node("Feeder1.Bits")},
    "total": {"type": "uint32", "node": node("Feeder1.Total"), "writable": True},
}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[OpcUaServer]:
    """In another process."""
    with running_opcua_server(tmp_path) as running:
        yield running


@pytest.fixture
def agent(
    broker: RunningBroker, site_id: str, tmp_path: Path, server: OpcUaServer, technician: Technician
) -> Iterator[AgentProcess]:
    """It polls once in ten minutes, so what it knows sooner it was told."""
    process = AgentProcess(
        broker.add_site(site_id),
        tmp_path / "site",
        plc_port=502,
        feed=None,
        properties=PROPERTIES,
        edits={
            'host = "127.0.0.1"\nport = 502': f'opcua = {{endpoint = "{server.endpoint}"}}\nrefresh_s = 600',
            "poll_s = 0.2": "poll_s = 0.3",
        },
    )
    with process.running() as running:
        technician.online()
        eventually(lambda: _values(technician).get("portion_g") == 50, within_s=15, what="the first state")
        yield running


def _values(technician: Technician) -> dict[str, object]:
    states = [state for state in technician.states() if state.quality is Quality.GOOD]
    return dict(states[-1].properties) if states else {}


def _quality(technician: Technician) -> tuple[Quality, str]:
    state = technician.states()[-1]
    return state.quality, state.cause


def test_values_of_every_type_are_as_the_server_has_them(agent: AgentProcess, technician: Technician) -> None:
    """With the types that the file states."""
    assert agent.process is not None
    assert _values(technician) == {
        "portion_g": 50,
        "enabled": True,
        "hopper_kg": 25.5,
        "target_c": 18.25,
        "trim": -7,
        "name": "north",
        "jam": True,
        "total": 100_000,
    }


def test_change_at_the_server_is_told_without_a_poll(
    agent: AgentProcess, technician: Technician, server: OpcUaServer
) -> None:
    """By its subscription; the next read is minutes away."""
    assert agent.process is not None
    for grams in (60, 70):
        server.set("Feeder1.Portion", grams)
        eventually(lambda grams=grams: _values(technician)["portion_g"] == grams, within_s=5, what="the change")  # type: ignore[misc]  # grams


@pytest.mark.invariant("I3")
def test_write_is_applied_when_the_server_reads_equal(
    agent: AgentProcess, technician: Technician, server: OpcUaServer
) -> None:
    """Of each type that can be written."""
    assert agent.process is not None
    wishes: list[dict[str, bool | int | float | str]] = [
        {"portion_g": 75},
        {"enabled": False},
        {"target_c": 19.5},
        {"trim": -12},
        {"name": "south"},
    ]
    for wish in wishes:
        assert technician.final(technician.send(dict(wish))).state is State.APPLIED
    assert server.get("Feeder1.Portion") == 75
    assert server.get("Feeder1.Name") == "south"
    assert technician.final(technician.send({"portion_g": 80, "trim": 3})).state is State.APPLIED


def test_write_that_the_server_forbids_fails_by_proof(
    agent: AgentProcess, technician: Technician, server: OpcUaServer
) -> None:
    """The file says writable, the server does not."""
    assert agent.process is not None
    ack = technician.final(technician.send({"total": 5}))
    assert ack.state in {State.FAILED, State.REJECTED}
    assert "BadUserAccessDenied" in ack.detail or "BadNotWritable" in ack.detail
    assert server.get("Feeder1.Total") == 100_000


def test_server_that_is_killed_turns_stale_and_good_again(
    agent: AgentProcess, technician: Technician, server: OpcUaServer
) -> None:
    """With the cause; after its return changes are told again."""
    assert agent.process is not None
    server.kill()
    eventually(lambda: _quality(technician)[0] is Quality.STALE, within_s=20, what="a stale state")
    assert _quality(technician)[1]
    server.start()
    eventually(lambda: _quality(technician)[0] is Quality.GOOD, within_s=20, what="a good state")
    server.set("Feeder1.Portion", 95)
    eventually(lambda: _values(technician)["portion_g"] == 95, within_s=5, what="the change")


@pytest.mark.invariant("I7")
def test_write_to_a_server_that_freezes_is_unknown_and_then_resolved(
    agent: AgentProcess, technician: Technician, server: OpcUaServer
) -> None:
    """Nothing is said that nobody knows; when it wakes, the server is read."""
    assert agent.process is not None
    server.signal(signal.SIGSTOP)
    try:
        id = technician.send({"portion_g": 75})
        eventually(lambda: technician.acks(id), within_s=15, what="an ack")
    finally:
        server.signal(signal.SIGCONT)
    ack = technician.final(id, within_s=30)
    held = server.get("Feeder1.Portion")
    assert (ack.state, held) in {(State.APPLIED, 75), (State.FAILED, 50), (State.REJECTED, 50), (State.EXPIRED, 50)}


@pytest.mark.parametrize(
    ("name", "kind", "words"),
    [("Feeder1.Trim", RegisterType.UINT16, "is Int32"), ("Feeder1.List", RegisterType.UINT16, "an array of UInt16")],
)
async def test_node_of_another_type_is_never_guessed_at(
    server: OpcUaServer, name: str, kind: RegisterType, words: str
) -> None:
    """It is neither read nor written, and the fault names both types."""
    places = {0: Place(node(name), kind, 1)}
    driver = OpcUaDriver(server.endpoint, places, timeout_s=2, publish_s=1, login=None, on_change=lambda _address: None)
    await driver.open()
    with pytest.raises(PlcDeclined, match=words):
        await driver.read(0, 1)
    with pytest.raises(PlcDeclined, match=words):
        await driver.write(0, [1])
    await driver.close()


async def test_request_to_a_frozen_server_is_silent_within_its_time(server: OpcUaServer) -> None:
    """And the connection is not used again."""
    places = {0: Place(node("Feeder1.Portion"), RegisterType.UINT16, 1)}
    driver = OpcUaDriver(
        server.endpoint, places, timeout_s=0.5, publish_s=1, login=None, on_change=lambda _address: None
    )
    await driver.open()
    await driver.read(0, 1)
    server.signal(signal.SIGSTOP)
    try:
        async with asyncio.timeout(10):
            with pytest.raises(PlcSilent):
                await driver.write(0, [75])
        assert not driver.connected
    finally:
        server.signal(signal.SIGCONT)
        await driver.close()


def _site(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "site.toml"
    path.write_text(f'site = "arava-1"\n[broker]\npassword_file = "p"\n{text}')
    return path


@pytest.mark.parametrize(
    ("plc", "device", "fault"),
    [
        ("", 'register = 3\ntype = "uint16"', "say with node which value it is"),
        ("", 'node = "ns=2;s=X"\ntype = "bcd16"', "OPC UA has no bcd16"),
        ("", 'node = "ns=2;s=X"\ntype = "bool"\ntable = "coil"', "has no tables"),
        ("", 'node = "ns=2;s=X"\ntype = "uint32"\nword_order = "little"', "no order of words"),
        ("", 'node = "X"\ntype = "uint16"', "node"),
        ('host = "127.0.0.1"', 'node = "ns=2;s=X"\ntype = "uint16"', "only one of them"),
        ('word_order = "little"', 'node = "ns=2;s=X"\ntype = "uint16"', "no order of words"),
    ],
)
def test_file_that_mixes_up_the_protocols_is_refused(tmp_path: Path, plc: str, device: str, fault: str) -> None:
    """With the key, before anything is asked."""
    text = (
        f'[[plcs]]\nname = "one"\nopcua = {{endpoint = "opc.tcp://127.0.0.1:4840"}}\n{plc}\n'
        f'[[devices]]\nid = "feeder-1"\nplc = "one"\n[devices.properties.portion_g]\n{device}\n'
    )
    with pytest.raises(SettingsError, match=fault):
        load(_site(tmp_path, text))


def test_node_on_a_modbus_plc_is_refused(tmp_path: Path) -> None:
    """It would never be read."""
    text = (
        '[[plcs]]\nname = "one"\nhost = "127.0.0.1"\n[[devices]]\nid = "feeder-1"\nplc = "one"\n'
        '[devices.properties.portion_g]\nnode = "ns=2;s=X"\ntype = "uint16"\n'
    )
    with pytest.raises(SettingsError, match="asked over Modbus"):
        load(_site(tmp_path, text))


def test_mailbox_on_an_opcua_server_is_refused(tmp_path: Path) -> None:
    """It is made of registers that change together."""
    text = (
        '[[plcs]]\nname = "one"\nopcua = {endpoint = "opc.tcp://127.0.0.1:4840"}\n'
        '[[devices]]\nid = "feeder-1"\nplc = "one"\nprofile = "fish-feeder-mailbox"\n'
    )
    with pytest.raises(SettingsError, match="a mailbox is made of Modbus registers"):
        load(_site(tmp_path, text))


def test_page_shows_a_site_that_check_finds_right(tmp_path: Path, server: OpcUaServer) -> None:
    """The example of the documents, asked in a dry run and with a trial."""
    (example,) = fences(DOCS / "opcua.md", "toml")
    path = _site(tmp_path, example.text.replace("opc.tcp://192.168.10.21:4840", server.endpoint))
    found = tidegate("plc", "check", str(path), env={"PATH": "/usr/bin:/bin"})
    assert found.returncode == 0, found.stdout + found.stderr
    tried = tidegate("plc", "check", str(path), "--try", "feeder-9.portion_g=65", env={"PATH": "/usr/bin:/bin"})
    assert tried.returncode == 0, tried.stdout + tried.stderr
    assert server.get("Feeder1.Portion") == 50


def test_password_that_cannot_be_read_is_told_with_the_file(tmp_path: Path) -> None:
    """Before an agent at work gives up its former file for it."""
    text = (
        '[[plcs]]\nname = "one"\nopcua = {endpoint = "opc.tcp://127.0.0.1:4840", user = "u", password_file = "none"}\n'
        '[[devices]]\nid = "feeder-1"\nplc = "one"\n[devices.properties.portion_g]\n'
        'node = "ns=2;s=X"\ntype = "uint16"\n'
    )
    with pytest.raises(SettingsError, match="/plcs/0/opcua/password_file"):
        load(_site(tmp_path, text))
