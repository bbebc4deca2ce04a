"""PostgreSQL dies and comes back: commands are refused meanwhile, with the cause, and nothing needs anybody's help."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from gateway.database import open_engine
from gateway.protocol.codec import decode, encode
from gateway.protocol.history import Committed, History
from gateway.protocol.topics import CommittedTopic, HistoryTopic
from gateway.sample_reads import SampleReads
from tests.answering_site import AnsweringSite
from tests.conditions import eventually
from tests.entries import new_id
from tests.facade_process import FacadeProcess, introduce
from tests.fake_parts import DEVICE
from tests.gateway_process import gateway_process
from tests.mqtt_client import MqttClient
from tests.running_broker import RunningBroker
from tests.running_postgres import PostgresProcess
from tests.sample_store import NOON_US, series


@pytest.fixture
def server() -> Iterator[PostgresProcess]:
    """A PostgreSQL of this test's own, to kill."""
    running = PostgresProcess()
    running.start()
    yield running
    running.stop()


@pytest.fixture
def url(server: PostgresProcess) -> str:
    """An empty database in it."""
    return server.new_database().replace("postgresql://", "postgresql+psycopg://")


@pytest.fixture
def facade(broker: RunningBroker, redis_url: str, url: str, tmp_path: Path, site_id: str) -> Iterator[FacadeProcess]:
    """A facade on that database; the site is alive."""
    made = FacadeProcess(tmp_path / "facade", broker, redis_url, url)
    made.start()
    introduce(site_id, redis_url, url)
    yield made
    made.child.stop()


def _answer(facade: FacadeProcess, method: str, path: str, **more: Any) -> requests.Response:  # noqa: ANN401 # requests'
    return requests.request(method, f"{facade.url}{path}", headers=facade.headers, timeout=20, **more)


@pytest.mark.fault("F34")
@pytest.mark.invariant("I14")
def test_database_that_dies_refuses_commands_with_its_cause_until_it_is_back(
    server: PostgresProcess, facade: FacadeProcess, broker: RunningBroker, site_id: str
) -> None:
    """No row, no command: the site hears nothing meanwhile; afterwards everything passes again by itself."""
    path = f"/v1/sites/{site_id}/devices/{DEVICE}/settings"
    with AnsweringSite(broker.add_site(site_id)) as site:
        assert _answer(facade, "PATCH", path, json={"portion_g": 5}).status_code == 200
        server.kill()
        refused = _answer(facade, "PATCH", path, json={"portion_g": 10})
        assert (refused.status_code, len(site.heard)) == (503, 1)
        ready = _answer(facade, "GET", "/readyz")
        part = ready.json()["parts"]["database"]
        assert (ready.status_code, part["ok"], bool(part["detail"])) == (503, False, True)
        assert _answer(facade, "GET", "/healthz").status_code == 200
        assert _answer(facade, "GET", "/v1/commands").json()["code"] == "ledger-unavailable"
        server.start()
        eventually(lambda: _answer(facade, "GET", "/readyz").status_code == 200, within_s=20, what="readiness")
        assert _answer(facade, "PATCH", path, json={"portion_g": 15}).status_code == 200
        assert [command.input for _, command in site.heard] == [{"portion_g": 5}, {"portion_g": 15}]


@pytest.mark.fault("F34")
@pytest.mark.invariant("I8")
@pytest.mark.invariant("I9")
def test_history_waits_at_the_agent_while_the_database_is_gone(
    server: PostgresProcess, broker: RunningBroker, redis_url: str, url: str, tmp_path: Path, site_id: str
) -> None:
    """No word that it is stored, as long as it is not; afterwards what the agent repeats is there once."""
    before, meanwhile = (
        History(batch=new_id(), series=(series(*values, start_s=start_s),))
        for values, start_s in (((9.5,), -60), ((1.5, 2.5, 3.5), 0))
    )
    gateway = gateway_process(tmp_path / "gateway", broker, redis_url, url)
    gateway.start()
    try:
        with MqttClient(broker.add_site(site_id)) as agent:
            agent.subscribe(str(CommittedTopic(site_id)))

            def confirmed(history: History) -> bool:
                """Sends it once more, as an agent does that hears nothing; whether it has been confirmed."""
                agent.publish(str(HistoryTopic(site_id)), encode(history))
                words = [decode(Committed, each.topic, each.payload) for each in agent.received()]
                return any(history.batch in word.batches for word in words)

            eventually(lambda: confirmed(before), within_s=20, what="the gateway's word")
            server.kill()
            eventually(
                lambda: confirmed(meanwhile) or "part-down" in gateway.last_words(), within_s=20, what="its notice"
            )
            assert not confirmed(meanwhile)
            server.start()
            eventually(lambda: confirmed(meanwhile), within_s=30, what="the gateway's word")
    finally:
        gateway.stop()
    assert _values(url, site_id) == [9.5, 1.5, 2.5, 3.5]


def _values(url: str, site: str) -> list[object]:
    engine = open_engine(url)
    try:
        reads = SampleReads(engine)
        of = reads.series(site, "feeder-1", "water_c")
        assert of is not None
        return [each.value for each in reads.stream(of, NOON_US - 10**9, NOON_US + 10**9)]
    finally:
        engine.dispose()
