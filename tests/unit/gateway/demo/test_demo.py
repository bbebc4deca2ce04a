"""Which ports the demo takes."""

from __future__ import annotations

import pytest

from gateway.demo import demo
from gateway.demo.demo import choose_ports
from gateway.protocol.errors import SettingsError


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> set[int]:
    """Ports that other programs hold; a free one is 30000."""
    ports: set[int] = set()
    monkeypatch.setattr(demo, "is_free", lambda port: port not in ports)
    monkeypatch.setattr(demo, "listens", lambda _host, port: port in ports)
    monkeypatch.setattr(demo, "free_port", lambda *, count=1: 30_000 + count)
    return ports


@pytest.mark.usefixtures("taken")
def test_choose_ports_nothing_asked_usual_ones() -> None:
    """Without a word everything is where people look for it."""
    chosen = choose_ports({})
    ports = chosen.ports
    assert (ports.http, ports.people, ports.machines, ports.redis, ports.modbus) == (8080, 1883, 1884, 6379, 5020)
    assert chosen.notes == ()


def test_choose_ports_usual_one_taken_free_one_and_a_word(taken: set[int]) -> None:
    """A Redis that runs already does not stop the demo, which says what it does instead and how to choose."""
    taken.add(6379)
    chosen = choose_ports({})
    assert chosen.ports.redis == 30_001
    assert len(chosen.notes) == 1
    assert "6379" in chosen.notes[0]
    assert "TIDEGATE_REDIS_PORT" in chosen.notes[0]


def test_choose_ports_second_plcs_port_taken_both_move(taken: set[int]) -> None:
    """The farm takes two ports in a row."""
    taken.add(5021)
    assert choose_ports({}).ports.modbus == 30_002


def test_choose_ports_asked_one_taken_refused(taken: set[int]) -> None:
    """What was asked for is not changed behind the asker's back; all faults come at once."""
    taken |= {9000, 9001}
    with pytest.raises(SettingsError) as raised:
        choose_ports({"TIDEGATE_HTTP_PORT": "9000", "TIDEGATE_MQTT_PORT": "9001"})
    assert {fault.code for fault in raised.value.faults} == {"port-taken"}
    assert [fault.pointer for fault in raised.value.faults] == ["/TIDEGATE_HTTP_PORT", "/TIDEGATE_MQTT_PORT"]


@pytest.mark.usefixtures("taken")
def test_choose_ports_zero_free_one() -> None:
    """0 means: whichever is free."""
    assert choose_ports({"TIDEGATE_HTTP_PORT": "0"}).ports.http == 30_001


@pytest.mark.usefixtures("taken")
def test_choose_ports_people_moved_machines_move_along() -> None:
    """One variable for MQTT is enough to run a second demo."""
    ports = choose_ports({"TIDEGATE_MQTT_PORT": "9001"}).ports
    assert (ports.people, ports.machines) == (9001, 30_001)


@pytest.mark.usefixtures("taken")
@pytest.mark.parametrize("odd", ["http", "-1", "65536", "1.5", "0x50", " "])
def test_choose_ports_no_port_refused(odd: str) -> None:
    """What is no port is refused with the variable's name."""
    with pytest.raises(SettingsError, match="TIDEGATE_HTTP_PORT"):
        choose_ports({"TIDEGATE_HTTP_PORT": odd})
