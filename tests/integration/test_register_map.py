"""Every kind of register through a real agent, broker and somebody else's Modbus server, which is the judge."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest

from gateway.protocol.codes import AckCode
from gateway.protocol.lifecycle import State
from gateway.protocol.messages import DeviceState, Quality, Value
from site_agent.registers import Space
from tests.agents import AgentProcess, Technician
from tests.conditions import eventually
from tests.mqtt_client import MqttClient
from tests.plc_independent import IndependentPlc
from tests.running_broker import RunningBroker

#: A pump, whose PLC has the low word first.
PUMP: Final[dict[str, dict[str, Any]]] = {
    "light": {"type": "bool", "table": "coil", "register": 2, "writable": True},
    "mode": {"type": "uint16", "register": 0, "writable": True, "choices": {"off": 0, "auto": 2}},
    "target_c": {"type": "int16", "register": 1, "writable": True, "scale": 0.1, "unit": "Cel"},
    "dose_ml": {"type": "uint32", "register": 2, "writable": True},
    "serial": {"type": "uint64", "register": 4, "writable": True, "word_order": "big"},
    "ratio": {"type": "float64", "register": 8, "writable": True},
    "code": {"type": "bcd16", "register": 12, "writable": True, "write_function": 16},
    "name": {"type": "string", "length": 4, "register": 13, "writable": True},
    "speed": {"type": "uint16", "register": 17, "writable": True, "verify": {"table": "input", "register": 0}},
    "jam": {"type": "bool", "register": 20, "bit": 3},
    "door": {"type": "bool", "table": "discrete", "register": 7},
    "flow": {"type": "uint16", "table": "input", "register": 1, "scale": 0.01, "decimals": 1},
}
MARKER: Final[dict[str, Any]] = {"type": "uint16", "register": 900, "value": 4711}


@pytest.fixture
def plc() -> Iterator[IndependentPlc]:
    """The pump's PLC, with its marker."""
    with IndependentPlc.running() as running:
        running.set(Space.HOLDING, 900, 4711)
        yield running


@pytest.fixture
def technician(broker: RunningBroker, site_id: str) -> Iterator[Technician]:
    """Ana, who may command the site."""
    with MqttClient(broker.add_person("@ana")) as client:
        yield Technician(client, site_id, "@ana")


@contextmanager
def _served(
    broker: RunningBroker, technician: Technician, folder: Path, plc: IndependentPlc, **table: object
) -> Iterator[AgentProcess]:
    process = AgentProcess(
        broker.add_site(technician.site),
        folder,
        plc.port,
        feed=None,
        timeout_s=2.0,
        properties=PUMP,
        plc={"word_order": "little", "marker": MARKER, **table},
    )
    with process.running() as running:
        technician.online()
        yield running


def _state(technician: Technician, quality: Quality = Quality.GOOD) -> DeviceState:
    return eventually(
        lambda: next((each for each in reversed(technician.states()) if each.quality is quality), None),
        within_s=15,
        what=f"a state that is {quality}",
    )


WRITES: Final[Mapping[str, tuple[dict[str, Value], Space, int, tuple[int, ...]]]] = {
    "coil": ({"light": True}, Space.COIL, 2, (1,)),
    "choice": ({"mode": "auto"}, Space.HOLDING, 0, (2,)),
    "scaled": ({"target_c": -18.4}, Space.HOLDING, 1, (0x1_0000 - 184,)),
    "uint32, low word first": ({"dose_ml": 0x12345678}, Space.HOLDING, 2, (0x5678, 0x1234)),
    "uint64, high word first": ({"serial": 0x0123456789ABCDEF}, Space.HOLDING, 4, (0x0123, 0x4567, 0x89AB, 0xCDEF)),
    "float64": ({"ratio": 1.5}, Space.HOLDING, 8, (0, 0, 0, 0x3FF8)),
    "bcd": ({"code": 1234}, Space.HOLDING, 12, (0x1234,)),
    "text": ({"name": "Ada"}, Space.HOLDING, 13, (0x4164, 0x6100, 0, 0)),
    "neighbours": ({"mode": "off", "target_c": 1, "dose_ml": 7}, Space.HOLDING, 0, (0, 10, 7, 0)),
}


@pytest.mark.invariant("I3")
def test_settings_of_every_kind_are_applied_and_held(
    broker: RunningBroker, technician: Technician, tmp_path: Path, plc: IndependentPlc
) -> None:
    """Read back equal by us, and as words by the judge."""
    with _served(broker, technician, tmp_path / "site", plc):
        _state(technician)
        for kind, (values, space, address, words) in WRITES.items():
            ack = technician.final(technician.send(values))
            assert (ack.state, ack.result) == (State.APPLIED, values), kind
            assert plc.get(space, address, len(words)) == words, kind
        assert _state(technician).revision is not None


def test_readings_of_every_kind_show_in_the_state(
    broker: RunningBroker, technician: Technician, tmp_path: Path, plc: IndependentPlc
) -> None:
    """A bit of a register, a discrete input, a scaled input register; a choice that has no name is no value."""
    plc.set(Space.HOLDING, 20, 0b1000)
    plc.set(Space.DISCRETE, 7, 1)
    plc.set(Space.INPUT, 1, 1234)
    plc.set(Space.HOLDING, 0, 1)
    with _served(broker, technician, tmp_path / "site", plc):
        held = _state(technician).properties
        assert (held["jam"], held["door"], held["flow"], held["mode"]) == (True, True, 12.3, None)


@pytest.mark.invariant("I3")
@pytest.mark.parametrize(("shown", "state"), [(7, State.APPLIED), (6, State.FAILED)])
def test_setting_with_a_verify_register_is_judged_by_that(
    broker: RunningBroker,
    technician: Technician,
    tmp_path: Path,
    plc: IndependentPlc,
    shown: int,
    state: State,
) -> None:
    """Whatever the command register itself reads."""
    plc.set(Space.INPUT, 0, shown)
    with _served(broker, technician, tmp_path / "site", plc):
        _state(technician)
        ack = technician.final(technician.send({"speed": 7}))
        assert (ack.state, ack.result) == (state, {"speed": shown})
        assert plc.get(Space.HOLDING, 17) == (7,)


@pytest.mark.invariant("I1")
def test_value_between_two_raw_numbers_is_refused(
    broker: RunningBroker, technician: Technician, tmp_path: Path, plc: IndependentPlc
) -> None:
    """By the description, before anything reaches the PLC."""
    with _served(broker, technician, tmp_path / "site", plc):
        _state(technician)
        ack = technician.final(technician.send({"target_c": 18.45}))
        assert (ack.state, ack.code) == (State.REJECTED, AckCode.INVALID_INPUT)
        assert plc.get(Space.HOLDING, 1) == (0,)


@pytest.mark.invariant("I3")
def test_plc_with_another_marker_is_not_written_until_it_is_the_right_one(
    broker: RunningBroker, technician: Technician, tmp_path: Path, plc: IndependentPlc
) -> None:
    """Somebody exchanged two cables: nothing is believed or written; the right PLC is known again by itself."""
    plc.set(Space.HOLDING, 900, 4712)
    with _served(broker, technician, tmp_path / "site", plc) as agent:
        _state(technician, Quality.STALE)
        ack = technician.final(technician.send({"mode": "auto"}))
        assert (ack.state, ack.code) == (State.REJECTED, AckCode.PLC_LOST)
        assert "reads 4712 and should be 4711" in ack.detail
        assert "another PLC answers" in agent.log()
        assert plc.get(Space.HOLDING, 0) == (0,)
        plc.set(Space.HOLDING, 900, 4711)
        _state(technician)
        assert technician.final(technician.send({"mode": "auto"})).state is State.APPLIED
