"""What changes fast is read often, the rest seldom; each group's trouble is the device's, not the other groups'."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest

from gateway.protocol.lifecycle import State
from gateway.protocol.messages import Quality
from tests.agents import AgentProcess, Technician
from tests.conditions import eventually
from tests.mqtt_client import MqttClient
from tests.plc import FaultyPlc
from tests.running_broker import RunningBroker

#: Far apart, so that no request reads both.
FAST, SLOW = 200, 0
PROPERTIES: Final[dict[str, dict[str, Any]]] = {
    "level": {"type": "uint16", "register": FAST, "poll_s": 0.1},
    "portion_g": {"type": "uint16", "register": SLOW, "writable": True, "poll_s": 3600},
}


@pytest.fixture
def technician(broker: RunningBroker, site_id: str) -> Iterator[Technician]:
    """Ana, who watches."""
    with MqttClient(broker.add_person("@ana")) as client:
        yield Technician(client, site_id, "@ana")


@contextmanager
def _served(
    broker: RunningBroker, technician: Technician, folder: Path, plc: FaultyPlc, properties: dict[str, dict[str, Any]]
) -> Iterator[None]:
    login = broker.add_site(technician.site)
    with AgentProcess(login, folder, plc.port, feed=None, properties=properties).running():
        technician.online()
        eventually(technician.states, what="a state")
        yield


def _reads(plc: FaultyPlc, register: int) -> int:
    return sum(each.address == register and each.function_code == 3 for each in list(plc.requests))


def test_group_is_read_at_its_own_period(
    broker: RunningBroker, technician: Technician, tmp_path: Path, plc: FaultyPlc
) -> None:
    """Ten reads of the fast one, one of the slow one."""
    with _served(broker, technician, tmp_path / "site", plc, PROPERTIES):
        eventually(lambda: _reads(plc, FAST) >= 10, within_s=20, what="ten fast reads")
        assert _reads(plc, SLOW) == 1
        plc.set(FAST, 77)
        eventually(lambda: technician.states()[-1].properties == {"level": 77, "portion_g": 50}, what="the fast value")


def test_command_makes_the_slow_group_read_at_once(
    broker: RunningBroker, technician: Technician, tmp_path: Path, plc: FaultyPlc
) -> None:
    """What it changed shows without waiting for an hour."""
    with _served(broker, technician, tmp_path / "site", plc, PROPERTIES):
        eventually(lambda: technician.states()[-1].quality is Quality.GOOD, what="a good state")
        assert technician.final(technician.send({"portion_g": 75})).state is State.APPLIED
        eventually(lambda: technician.states()[-1].properties["portion_g"] == 75, what="the setting in the state")


def test_group_that_the_plc_refuses_is_the_devices_quality_and_leaves_the_others_read(
    broker: RunningBroker, technician: Technician, tmp_path: Path, plc: FaultyPlc
) -> None:
    """A wrong address is told; the rest stays alive."""
    wrong = {**PROPERTIES, "lost": {"type": "uint16", "register": 5000, "poll_s": 0.3}}
    with _served(broker, technician, tmp_path / "site", plc, wrong):
        eventually(lambda: technician.states()[-1].quality is Quality.BAD, what="a bad state")
        assert "illegal data address" in technician.states()[-1].cause
        plc.set(FAST, 78)
        eventually(lambda: technician.states()[-1].properties["level"] == 78, what="the fast value")
        assert technician.states()[-1].properties["lost"] is None
