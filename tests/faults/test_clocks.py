"""Somebody sets a clock, by an hour or a day, on or back: nothing is done early, late, twice or beyond a limit."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.demo.roles import AGENT, FACADE, GATEWAY, REDIS
from gateway.protocol.codec import encode
from gateway.protocol.codes import AckCode
from gateway.protocol.history import Committed
from gateway.protocol.lifecycle import State
from gateway.protocol.topics import CommittedTopic
from tests import plc_faults as faults
from tests.agents import AgentProcess, Technician
from tests.conditions import STRETCH, eventually
from tests.faults.clocks import DAY_S, STEPS, SteppedClock, stepped
from tests.mqtt_client import MqttClient
from tests.plc import FaultyPlc
from tests.proxy import Way
from tests.running_broker import RunningBroker
from tests.system import System

_every_step = pytest.mark.parametrize("step_s", STEPS.values(), ids=STEPS.keys())


def _late_one_expires(system: System) -> None:
    """What the network keeps beyond its deadline is refused by the site, whatever the time of day."""
    grams = system.fresh()
    system.facade_wire.hold(Way.TO_SERVER)
    late = [system.http.write({"portion_g": grams}, ttl_s=1, wait_s=0), system.feed(35, ttl_s=1, wait_s=2)]
    system.facade_wire.release()
    for answer in late:
        command = eventually(lambda: _end(system, answer.command), within_s=15, what="the end")  # noqa: B023 # now
        assert (command["state"], command["code"]) == ("expired", AckCode.DEADLINE_PASSED)
    assert system.written(grams) == 0


def _end(system: System, command: str) -> dict[str, object] | None:
    found = system.http.command(command)
    return found if found["final"] else None


@pytest.mark.fault("F35")
@pytest.mark.invariant("I2")
@pytest.mark.invariant("I4")
@_every_step
def test_clock_of_the_agent_stepped_changes_no_deadline_and_no_epoch(
    system: System, tmp_path: Path, step_s: int
) -> None:
    """Commands in time are carried out, late ones are not, and every connection has a higher epoch."""
    with stepped(system, tmp_path, AGENT) as clock:
        doses = len(system.doses())
        first = system.http.write({"portion_g": system.fresh()}).body["epoch"]
        system.plc.misbehave(faults.delay(0.3), on=faults.WRITES, times=1)
        under_way = system.write_aside({"portion_g": system.fresh()})
        clock.step(step_s)
        assert under_way.result().verdict == (200, "applied")
        assert system.feed(30).verdict == (200, "applied")
        _late_one_expires(system)
        system.stack.kill(AGENT)
        system.heal()
        again = system.http.write({"portion_g": system.fresh()})
        assert again.verdict == (200, "applied")
        assert again.body["epoch"] > first
        assert [dose.counted for dose in system.doses()[doses:]] == [30]


@pytest.mark.fault("F36")
@pytest.mark.invariant("I2")
@pytest.mark.invariant("I7")
@_every_step
def test_clock_of_the_server_stepped_expires_nothing_and_lets_nothing_late_pass(
    system: System, tmp_path: Path, step_s: int
) -> None:
    """Gateway and facade together: who waits gets the true end, and a key of before still names its dose."""
    with stepped(system, tmp_path, GATEWAY, FACADE) as clock:
        doses = len(system.doses())
        fed = system.feed(40, key=f"before-{step_s}")
        system.plc.misbehave(faults.delay(0.3), on=faults.WRITES, times=1)
        under_way = system.write_aside({"portion_g": system.fresh()})
        clock.step(step_s)
        assert under_way.result().verdict == (200, "applied")
        assert system.http.command(under_way.result().command)["state"] == "applied"
        repeated = system.feed(40, key=f"before-{step_s}")
        assert (repeated.status, repeated.replayed, repeated.command) == (200, True, fed.command)
        assert system.feed(45).verdict == (200, "applied")
        _late_one_expires(system)
        assert [dose.counted for dose in system.doses()[doses:]] == [40, 45]
        assert system.http.site()["online"]


@pytest.mark.fault("F31")
@pytest.mark.invariant("I4")
@_every_step
def test_clock_of_redis_stepped_opens_no_gate_of_a_silent_site(system: System, tmp_path: Path, step_s: int) -> None:
    """Its keys live for another hour, or end at once: the gate shuts in time, and the next beat opens it."""
    with stepped(system, tmp_path, REDIS) as clock:
        system.passes({"portion_g": system.fresh()}, within_s=10)
        system.agent_wire.hold()
        system.stack.freeze(AGENT)
        clock.step(step_s)
        began_s = time.monotonic()
        assert system.refused("site-offline").status == 503
        assert time.monotonic() - began_s < (system.stack.plan.alive_expiry_s + 2) * STRETCH
        doses = len(system.doses())
        assert system.feed(50, wait_s=1).verdict == (503, "site-offline")
        system.stack.thaw(AGENT)
        system.agent_wire.release()
        system.passes({"portion_g": system.fresh()}, within_s=20)
        assert len(system.doses()) == doses


# --- the limits of a site ----------------------------------------------------------------------------------


@pytest.fixture
def plc() -> Iterator[FaultyPlc]:
    """A PLC with one feeder and its mailbox."""
    with FaultyPlc.running() as running:
        running.set(0, 50, 60, 1)
        running.add_feeder(0)
        yield running


@pytest.fixture
def technician(broker: RunningBroker, site_id: str) -> Iterator[Technician]:
    """Ana, who asks for doses."""
    with MqttClient(broker.add_person("@ana")) as client:
        yield Technician(client, site_id, "@ana")


@pytest.mark.fault("F35")
@pytest.mark.parametrize("step_s", [*STEPS.values(), 3 * DAY_S, 9 * DAY_S])
def test_clock_of_the_agent_stepped_forgets_no_dose_of_the_day(
    broker: RunningBroker, site_id: str, tmp_path: Path, plc: FaultyPlc, technician: Technician, step_s: int
) -> None:
    """The machine's own uptime tells how long ago a dose was, to a restarted agent too."""
    clock = SteppedClock(tmp_path)
    feed = {"limits": {"most_per_day": 100}}
    agent = AgentProcess(
        broker.add_site(site_id), tmp_path / "site", plc.port, feed=feed, environment=clock.environment
    )
    with agent.running():
        epoch = _ready(technician)
        given = technician.feed(80)
        assert technician.final(given).state is State.APPLIED
        with MqttClient(broker.login("@gateway", people=True)) as centre:  # what it has, the agent may forget one day
            centre.publish(str(CommittedTopic(site_id)), encode(Committed(commands=(given,))))
        clock.step(step_s)
        assert technician.final(technician.feed(30)).code == AckCode.LIMIT_EXCEEDED
        agent.kill()
        agent.start()
        assert _ready(technician, above=epoch) > epoch
        assert technician.final(technician.feed(30)).code == AckCode.LIMIT_EXCEEDED
        assert technician.final(technician.feed(20)).state is State.APPLIED
    assert [dose.counted for dose in plc.doses] == [80, 20]


def _ready(technician: Technician, above: int = 0) -> int:
    epoch = technician.online(above=above).epoch
    eventually(lambda: any(state.quality == "good" for state in technician.states()), what="a good state")
    return epoch
