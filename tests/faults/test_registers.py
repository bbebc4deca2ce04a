"""A site's file that names registers which the PLC does not have: said, refused, and nothing is written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from gateway.protocol.lifecycle import State
from gateway.protocol.messages import DeviceState, Quality
from tests.agents import AgentProcess, Technician
from tests.conditions import eventually
from tests.mqtt_client import MqttClient
from tests.plc import FaultyPlc
from tests.running_broker import RunningBroker

PORTION: Final = '[devices.properties.portion_g]\ntype = "uint16"\nregister = '
MAILBOX: Final = "mailbox = {register = "


@pytest.fixture
def plc() -> Iterator[FaultyPlc]:
    """A PLC with one feeder and a thousand registers."""
    with FaultyPlc.running() as running:
        running.set(0, 50, 60, 1)
        running.add_feeder(0)
        yield running


@pytest.fixture
def technician(broker: RunningBroker, site_id: str) -> Iterator[Technician]:
    """Ana, who reads and asks."""
    with MqttClient(broker.add_person("@ana")) as client:
        yield Technician(client, site_id, "@ana")


@contextmanager
def _mistaken(
    broker: RunningBroker, technician: Technician, folder: Path, plc: FaultyPlc, words: str, right: int
) -> Iterator[None]:
    """An agent whose file has 5000 where a register's number should stand."""
    edits = {f"{words}{right}": f"{words}5000"}
    agent = AgentProcess(broker.add_site(technician.site), folder, plc.port, edits=edits)
    with agent.running():
        technician.online()
        yield


@pytest.mark.fault("F54")
@pytest.mark.invariant("I3")
def test_setting_at_a_register_that_is_not_there_is_never_written(
    broker: RunningBroker, technician: Technician, tmp_path: Path, plc: FaultyPlc
) -> None:
    """The device's state says that something is wrong, the value is unknown, and a write of it has no effect."""
    with _mistaken(broker, technician, tmp_path / "site", plc, PORTION, 0):
        state = eventually(lambda: _bad(technician), within_s=10, what="a state that is not good")
        assert state.properties["portion_g"] is None
        before = list(plc.registers)
        ack = technician.final(technician.send({"portion_g": 75}))
        assert ack.state in {State.REJECTED, State.FAILED}, ack
        assert (plc.registers[:20], plc.registers[44:]) == (before[:20], before[44:])


def _bad(technician: Technician) -> DeviceState | None:
    return next((state for state in technician.states() if state.quality is not Quality.GOOD), None)


@pytest.mark.fault("F54")
@pytest.mark.invariant("I3")
def test_dose_through_a_mailbox_that_is_not_there_is_never_given(
    broker: RunningBroker, technician: Technician, tmp_path: Path, plc: FaultyPlc
) -> None:
    """Refused or failed with the PLC's own words; settings are not affected."""
    with _mistaken(broker, technician, tmp_path / "site", plc, MAILBOX, 20):
        ack = technician.final(technician.feed(50), within_s=15)
        assert ack.state in {State.REJECTED, State.FAILED}, ack
        assert technician.final(technician.send({"portion_g": 75})).state is State.APPLIED
    assert plc.doses == []
