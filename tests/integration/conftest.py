"""A database; and a site for tests that command a real agent: its PLC, its agent, a technician who sees everything."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from gateway.database import open_engine, upgrade
from tests.agents import AgentProcess, Technician
from tests.conditions import eventually
from tests.mqtt_client import MqttClient
from tests.plc import FaultyPlc
from tests.running_broker import RunningBroker


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """A fresh database."""
    engine = open_engine(database_url)
    upgrade(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def plc() -> Iterator[FaultyPlc]:
    """A PLC whose feeder gives 50 g every hour."""
    with FaultyPlc.running() as running:
        running.set(0, 50, 60, 1)
        yield running


@pytest.fixture
def technician(broker: RunningBroker, site_id: str) -> Iterator[Technician]:
    """Ana, who may command every site."""
    with MqttClient(broker.add_person("@ana")) as client:
        yield Technician(client, site_id, "@ana")


@pytest.fixture
def agent(
    broker: RunningBroker, site_id: str, tmp_path: Path, plc: FaultyPlc, technician: Technician
) -> Iterator[AgentProcess]:
    """The site's agent, born and beating."""
    with AgentProcess(broker.add_site(site_id), tmp_path / "site", plc.port, feed=None).running() as running:
        technician.online()
        eventually(lambda: any(state.quality == "good" for state in technician.states()), what="a good state")
        yield running
