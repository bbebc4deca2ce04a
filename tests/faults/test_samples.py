"""Samples through deaths of any kind: the database holds each exactly once, on both databases."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import Engine, func, select

from gateway.database import open_engine, reading, upgrade
from gateway.database.sample_tables import samples
from gateway.database.tables import microseconds
from gateway.demo.ports import free_port
from gateway.demo.process import Child
from gateway.protocol.errors import Unavailable
from tests.agents import site_toml
from tests.conditions import eventually
from tests.databases import each_database
from tests.faults.sample_source import START, STEP
from tests.gateway_process import gateway_process
from tests.running_broker import BrokerProcess, RunningBroker

#: Samples of the whole run; and how many deaths it has.
COUNT: Final = 200_000
DEATHS: Final = 10
_TABLE: Final = {"type": "uint16", "register": 0}


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """The central database."""
    engine = open_engine(database_url)
    upgrade(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def source(own_broker: BrokerProcess, tmp_path: Path, site_id: str) -> Iterator[Child]:
    """The agent; its PLC is nowhere, its samples come from elsewhere."""
    login = RunningBroker(own_broker.files, own_broker).add_site(site_id)
    folder = tmp_path / "site"
    folder.mkdir()
    toml = site_toml(
        login,
        folder,
        free_port(),
        heartbeat_s=1.0,
        timeout_s=0.2,
        feed=None,
        plc={},
        properties={"counted": _TABLE},
        device={},
    )
    (folder / "site.toml").write_text(toml.replace("[agent]\n", "[agent]\ncatch_up_per_s = 100000.0\n"))
    (folder / "password").write_text(login.secret)
    argv = [sys.executable, "-m", "tests.faults.sample_source", str(folder / "site.toml"), str(COUNT)]
    child = Child("agent", argv, log=folder / "agent.log")
    yield child
    child.stop()


@pytest.fixture
def gateways(
    own_broker: BrokerProcess, redis_url: str, database_url: str, tmp_path: Path
) -> Iterator[tuple[Child, Child]]:
    """Two of them share the load."""
    broker = RunningBroker(own_broker.files, own_broker)
    broker.add_facade("@gateway-2")
    made = [
        gateway_process(tmp_path / name, broker, redis_url, database_url, name=name)
        for name in ("@gateway", "@gateway-2")
    ]
    yield made[0], made[1]
    for child in made:
        child.stop()


def _held(engine: Engine) -> int:
    try:
        with reading(engine) as connection:
            return connection.execute(select(func.count()).select_from(samples)).scalar_one()
    except Unavailable:  # it is busy, and asked again
        return -1


@pytest.mark.invariant("I8")
@pytest.mark.invariant("I9")
@pytest.mark.fault("F51")
@pytest.mark.timeout(300)
@each_database
@pytest.mark.parametrize("seed", [1])
def test_samples_through_deaths_of_all_are_there_exactly_once(
    engine: Engine, own_broker: BrokerProcess, source: Child, gateways: tuple[Child, Child], seed: int
) -> None:
    """The agent, both gateways and the broker, which keeps nothing, are killed at any moment and started again."""
    chance = random.Random(seed)  # noqa: S311 # repeats by its seed

    def restart(child: Child | BrokerProcess) -> None:
        child.kill()
        child.start()

    for child in (*gateways, source):
        child.start()
    victims: list[Callable[[], None]] = [lambda each=each: restart(each) for each in (source, *gateways, own_broker)]  # type: ignore[misc]  # mypy cannot infer a lambda with a default
    for number in range(1, DEATHS + 1):
        eventually(lambda due=number: _held(engine) >= COUNT * due // (DEATHS + 1), within_s=60, what="progress")  # type: ignore[misc]  # same
        chance.choice(victims)()
    eventually(lambda: _held(engine) >= COUNT, within_s=60, what="all samples")
    with reading(engine) as connection:
        found = connection.execute(select(samples.c.at_us, samples.c.number).order_by(samples.c.at_us)).all()
    first_us, step_us = microseconds(START), STEP.total_seconds() * 1_000_000
    assert [tuple(row) for row in found] == [
        (first_us + number * step_us, float(number)) for number in range(1, COUNT + 1)
    ]
