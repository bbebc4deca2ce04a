"""Alarms of a real agent: raised and cleared live, retained while active, and at the centre exactly once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.events import AlarmRecord, EventRecord, Source
from gateway.protocol.codec import decode
from gateway.protocol.messages import Alarm, Event, Severity
from gateway.protocol.topics import AlarmTopic, EventTopic
from tests.agents import AgentProcess, Technician
from tests.centre import Centre, running_centre
from tests.conditions import eventually
from tests.documentation import DOCS, fences
from tests.mqtt_client import MqttClient
from tests.plc import FaultyPlc
from tests.running_broker import RunningBroker
from tests.sites import FEEDER
from tests.terminals import Terminal, environment

LID = 10
ALARMS = {
    "alarms.lid-open": {"title": "The lid is open", "severity": "critical", "property": "lid_open"},
    "alarms.hopper-low": {"property": "hopper_kg", "comparison": "below", "value": -1.0},
}


class _Witness:
    """Sees the alarm of the lid as a terminal would."""

    def __init__(self, client: MqttClient, site: str) -> None:
        self._client = client
        self._event, self._alarm = EventTopic(site, "feeder-1", "lid-open"), AlarmTopic(site, "feeder-1", "lid-open")
        client.subscribe(str(self._event), str(self._alarm))

    @property
    def turns(self) -> list[bool | None]:
        """Raised or cleared, as the events say."""
        topic = str(self._event)
        return [decode(Event, topic, each.payload).active for each in self._client.received() if each.topic == topic]

    @property
    def bodies(self) -> list[bytes]:
        """Of the retained topic."""
        return [each.payload for each in self._client.received() if each.topic == str(self._alarm)]


@pytest.fixture
def agent(
    broker: RunningBroker, site_id: str, tmp_path: Path, plc: FaultyPlc, technician: Technician
) -> Iterator[AgentProcess]:
    """An agent whose feeder has alarms."""
    process = AgentProcess(broker.add_site(site_id), tmp_path / "site", plc.port, feed=None, device=ALARMS)
    with process.running() as running:
        technician.online()
        eventually(lambda: any(state.quality == "good" for state in technician.states()), what="a good state")
        yield running


@pytest.fixture
def witness(agent: AgentProcess, broker: RunningBroker, site_id: str) -> Iterator[_Witness]:
    """There from the beginning."""
    assert agent.process is not None
    with MqttClient(broker.add_person("@bob")) as client:
        yield _Witness(client, site_id)


@pytest.fixture
def centre(broker: RunningBroker, redis_url: str, database_url: str) -> Iterator[Centre]:
    """A recorder that runs."""
    with running_centre(broker.login("@gateway"), redis_url, database_url) as centre:
        yield centre


def _active(centre: Centre, site: str) -> list[AlarmRecord]:
    return list(centre.events.active(site=site))


def _events(centre: Centre, site: str) -> list[EventRecord]:
    return list(centre.events.page(site=site, device=None, name=None, limit=100, before=None)[0])


def test_alarm_raised_and_cleared_is_told_live(witness: _Witness, plc: FaultyPlc) -> None:
    """One event each, and the retained topic says what is wrong, then nothing."""
    plc.set(LID, 1)
    eventually(lambda: witness.turns == [True], what="the event")
    alarm = decode(Alarm, "alarm", eventually(lambda: witness.bodies, what="the alarm")[0])
    assert (alarm.title, alarm.severity, alarm.detail) == ("The lid is open", Severity.CRITICAL, "lid_open reads true")
    plc.set(LID, 0)
    eventually(lambda: witness.turns == [True, False], what="the end")
    eventually(lambda: witness.bodies[1:] == [b""], what="the empty body")


def test_alarm_that_is_active_is_seen_by_who_comes_later(
    witness: _Witness, plc: FaultyPlc, broker: RunningBroker, site_id: str
) -> None:
    """A technician who opens a terminal now sees it at once; one that is over is not there."""
    plc.set(LID, 1)
    eventually(lambda: witness.turns, what="the event")
    with MqttClient(broker.add_person("@late")) as late:
        late.subscribe(AlarmTopic.filter(site=site_id))
        eventually(lambda: [each.retained for each in late.received()] == [True], what="the retained alarm")
    plc.set(LID, 0)
    eventually(lambda: witness.bodies[-1] == b"", what="the end")
    with MqttClient(broker.add_person("@later")) as later:
        later.subscribe(AlarmTopic.filter(site=site_id))
        later.subscribe(f"tidegate/v1/{site_id}/status")
        eventually(later.received, what="the status")
        assert {each.topic for each in later.received()} == {f"tidegate/v1/{site_id}/status"}


def test_alarm_that_lasts_over_a_kill_is_not_raised_again(
    witness: _Witness, agent: AgentProcess, technician: Technician, plc: FaultyPlc
) -> None:
    """The new run knows of it, and tells its end."""
    plc.set(LID, 1)
    eventually(lambda: witness.turns == [True], what="the event")
    epoch = technician.statuses()[-1].epoch
    agent.kill()
    agent.start()
    technician.online(above=epoch)
    plc.set(LID, 0)
    eventually(lambda: witness.turns == [True, False], within_s=10, what="the end")


def test_alarm_that_ended_while_nobody_could_say_so_is_cleared(
    witness: _Witness, agent: AgentProcess, centre: Centre, technician: Technician, plc: FaultyPlc
) -> None:
    """The lid was shut while the agent was dead: it clears what is retained, and the centre gets the event."""
    plc.set(LID, 1)
    eventually(lambda: witness.turns == [True], what="the event")
    agent.kill()
    plc.set(LID, 0)
    agent.start()
    eventually(lambda: witness.bodies[-1] == b"", within_s=10, what="the empty body")
    site = technician.site
    eventually(lambda: [each.active for each in _events(centre, site)] == [False, True], within_s=10, what="the events")
    assert _active(centre, site) == []


def test_alarm_that_the_agent_has_no_memory_of_is_cleared_everywhere(
    witness: _Witness, agent: AgentProcess, centre: Centre, technician: Technician, plc: FaultyPlc
) -> None:
    """Its disk was replaced."""
    plc.set(LID, 1)
    eventually(lambda: _active(centre, technician.site), within_s=10, what="the alarm at the centre")
    agent.kill()
    for path in (agent.folder / "agent").glob("outbox.db*"):
        path.unlink()
    plc.set(LID, 0)
    agent.start()
    eventually(lambda: witness.bodies[-1] == b"", within_s=10, what="the empty body")
    eventually(lambda: not _active(centre, technician.site), within_s=10, what="the end at the centre")


@pytest.mark.invariant("I8")
@pytest.mark.invariant("I9")
def test_events_that_happened_without_a_centre_arrive_once_and_in_order(
    witness: _Witness, agent: AgentProcess, technician: Technician, plc: FaultyPlc, centre: Centre
) -> None:
    """The gateway is away, the agent is killed, and nothing is lost or doubled."""
    centre.stop()
    for number, lid in enumerate((1, 0, 1), start=1):
        plc.set(LID, lid)
        eventually(lambda count=number: len(witness.turns) == count, what="the event")  # type: ignore[misc]  # count
    epoch = technician.statuses()[-1].epoch
    agent.kill()
    agent.start()
    technician.online(above=epoch)
    centre.new()
    site = technician.site
    eventually(lambda: len(_events(centre, site)) == 3, within_s=30, what="three events at the centre")
    found = sorted(_events(centre, site), key=lambda each: each.at)
    assert [(each.name, each.active, each.source) for each in found] == [
        ("lid-open", active, Source.AGENT) for active in (True, False, True)
    ]
    assert [each.name for each in _active(centre, site)] == ["lid-open"]
    eventually(lambda: technician.beats()[-1].outbox == 0, within_s=10, what="an empty outbox")


@pytest.mark.invariant("I9")
def test_batch_that_is_sent_again_adds_nothing(
    witness: _Witness, plc: FaultyPlc, centre: Centre, technician: Technician
) -> None:
    """The gateway dies between its commit and its word; the agent sends the batch again."""
    plc.set(LID, 1)
    site = technician.site
    eventually(lambda: _active(centre, site), within_s=10, what="the alarm at the centre")
    plc.set(LID, 0)
    eventually(lambda: not _active(centre, site), within_s=10, what="its end")
    assert [each.active for each in _events(centre, site)] == [False, True]
    assert witness.turns == [True, False]


def test_panel_edit_is_kept_at_the_centre(
    agent: AgentProcess, plc: FaultyPlc, centre: Centre, technician: Technician
) -> None:
    """Every event is, not only alarms."""
    assert agent.process is not None
    plc.set(0, 75)
    site = technician.site
    found = eventually(lambda: _events(centre, site), within_s=10, what="the event")[0]
    assert (found.name, found.active, dict(found.data)) == (
        "changed-at-site",
        None,
        {"property": "portion_g", "old": 50, "new": 75},
    )


def test_page_of_alarms_shows_how_to_follow_them(
    witness: _Witness, plc: FaultyPlc, broker: RunningBroker, site_id: str, tmp_path: Path
) -> None:
    """Copied and pasted, the line shows what is active, and the end of it."""
    plc.set(LID, 1)
    eventually(lambda: witness.turns, what="the event")
    env = environment(broker.add_person("@carla"), tmp_path) | {"HOME": str(tmp_path), "SITE": site_id}
    env.pop("XDG_CONFIG_HOME", None)
    preparation = next(each for each in fences(DOCS / "technicians.md", "sh") if len(each.info) == 1)
    (follow,) = fences(DOCS / "alarms.md", "sh", "follow")
    with Terminal(["bash", "-euc", f"{preparation.text}\n{follow.text}"], env) as terminal:
        topic = AlarmTopic(site_id, "feeder-1", "lid-open")
        terminal.shows(f"{topic} {{")
        plc.set(LID, 0)
        terminal.shows(f"{topic} (null)")


@pytest.fixture
def hungry(
    broker: RunningBroker, site_id: str, tmp_path: Path, plc: FaultyPlc, technician: Technician
) -> Iterator[AgentProcess]:
    """An agent whose feeder is to feed every three seconds, by a register that counts thousandths of a minute."""
    every = {"type": "uint16", "register": 3, "scale": 0.001, "unit": "min"}
    meals = {"counter": "fed_total_g", "interval": "every_min", "window_min": 0.001}
    process = AgentProcess(
        broker.add_site(site_id),
        tmp_path / "site",
        plc.port,
        feed=None,
        properties={**FEEDER, "every_min": every},
        device={f"meals.{key}": value for key, value in meals.items()},
    )
    plc.set(3, 50)
    with process.running() as running:
        technician.online()
        yield running


def test_meal_that_was_missed_is_loud_until_the_feeder_feeds(
    hungry: AgentProcess, plc: FaultyPlc, broker: RunningBroker, site_id: str
) -> None:
    """By the PLC's counter, which stands still and then rises."""
    assert hungry.process is not None
    topic = AlarmTopic(site_id, "feeder-1", "meal-missed")
    with MqttClient(broker.add_person("@bob")) as bob:
        bob.subscribe(str(topic))
        first = eventually(bob.received, within_s=15, what="the alarm")[0]
        assert decode(Alarm, str(topic), first.payload).severity is Severity.CRITICAL
        plc.set(15, 120)
        eventually(lambda: bob.received()[-1].payload == b"", within_s=10, what="its end")
