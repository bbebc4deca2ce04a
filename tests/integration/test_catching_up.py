"""A site that was cut off for a week: all of it arrives, in order, and nobody who commands it waits for that."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Final

import pytest

from gateway.protocol.codec import decode
from gateway.protocol.history import History
from gateway.protocol.lifecycle import State
from gateway.protocol.messages import Quality
from gateway.protocol.topics import HistoryTopic
from gateway.sample_reads import SampleReads
from gateway.samples import HOUR_US
from site_agent import outbox_rows, outbox_samples
from site_agent.sampling import Point
from tests.agents import AgentProcess, Technician
from tests.centre import running_centre
from tests.conditions import eventually
from tests.mqtt_client import MqttClient
from tests.plc import FaultyPlc
from tests.running_broker import RunningBroker

WEEK: Final = timedelta(days=7)
EVERY_S: Final = 10
COUNT: Final = int(WEEK.total_seconds()) // EVERY_S
#: Commands that are sent meanwhile, and what each may take at most.
COMMANDS: Final = 20
TTL_S: Final = 1.0


def _fill(folder: Path, start: datetime) -> None:
    """A week of one property, as an agent would have left it."""
    folder.mkdir(parents=True)
    db = outbox_rows.connect(folder / "outbox.db")
    points = [
        Point("feeder-1", "water_c", start + timedelta(seconds=EVERY_S * number), float(number), Quality.GOOD, 60.0)
        for number in range(COUNT)
    ]
    db.execute("BEGIN")
    outbox_samples.add(db, points)
    db.execute("COMMIT")
    db.close()


@pytest.mark.fault("F51")
@pytest.mark.invariant("I8")
@pytest.mark.timeout(180)
def test_week_of_samples_arrives_in_order_while_commands_are_done_within_a_second(  # fixtures
    broker: RunningBroker,
    redis_url: str,
    database_url: str,
    site_id: str,
    tmp_path: Path,
    plc: FaultyPlc,
    technician: Technician,
) -> None:
    """A command that would wait for the backlog is expired; each of these is applied while it still moves."""
    start = datetime.now(UTC) - WEEK
    _fill(tmp_path / "site" / "agent", start)
    agent = AgentProcess(broker.add_site(site_id), tmp_path / "site", plc.port, feed=None)
    with (
        running_centre(broker.login("@gateway"), redis_url, database_url) as centre,
        MqttClient(broker.add_auditor("@witness")) as witness,
    ):
        witness.subscribe(HistoryTopic.filter(site=site_id))
        with agent.running():
            technician.online()
            for number in range(COMMANDS):
                command = technician.send({"portion_g": 60 + 5 * number}, ttl_s=TTL_S)
                assert technician.final(command).state is State.APPLIED
                assert technician.beats()[-1].outbox > 0, "the backlog was gone before the last command"
            eventually(lambda: technician.beats()[-1].outbox < 100, within_s=100, what="an outbox that is caught up")
            batches = [decode(History, each.topic, each.payload) for each in witness.received()]
            reads = SampleReads(centre.ledger.engine)
            of = reads.series(site_id, "feeder-1", "water_c")
            assert of is not None
            start_us = int(start.timestamp()) * 1_000_000
            found = [each.value for each in reads.stream(of, start_us, start_us + 7 * 24 * HOUR_US)]
    week = [each for batch in batches for each in batch.series if each.name == "water_c" and each.start < start + WEEK]
    assert all(one.start <= other.start for one, other in pairwise(week))
    assert found == list(range(COUNT))
