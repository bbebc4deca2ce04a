"""The gateway as a process: killed, stopped, without Redis, without the broker."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from gateway.crash import EXIT_CODE, VARIABLE
from gateway.database import open_engine
from gateway.demo.roles import BROKER, GATEWAY, REDIS
from gateway.demo.stack import Stack
from gateway.ledger import Ledger
from gateway.liveness import Liveness, open_redis
from gateway.protocol.errors import Unavailable
from gateway.protocol.lifecycle import State
from gateway.protocol.messages import SiteState
from tests.centre import fresh_asked
from tests.conditions import eventually
from tests.conftest import StackMaker
from tests.entries import answer, asked
from tests.fake_agent import FakeAgent


@pytest.fixture
def centre(make_stack: StackMaker) -> Stack:
    """Broker, Redis and gateway; the site is played by the test."""
    # Long enough that no gate closes by itself while a test looks.
    stack = make_stack(heartbeat_s=20, alive_expiry_s=60)
    stack.start([BROKER, REDIS, GATEWAY])
    return stack


@pytest.fixture
def ledger(centre: Stack) -> Iterator[Ledger]:
    engine = open_engine(f"sqlite:///{centre.plan.home / 'tidegate.db'}")
    yield Ledger(engine)
    engine.dispose()


@pytest.fixture
def liveness(centre: Stack) -> Iterator[Liveness]:
    liveness = Liveness(open_redis(centre.redis_url), expiry_s=centre.plan.alive_expiry_s)
    yield liveness
    liveness.close()


def _agent(stack: Stack) -> FakeAgent:
    return FakeAgent(stack.login(stack.plan.site, people=False))


def _alive(liveness: Liveness, site: str) -> bool:
    try:
        return liveness.read(site) is not None
    except Unavailable:
        return False


@pytest.mark.invariant("I7")
def test_gateway_killed_and_restarted_commits_what_the_agent_repeats(centre: Stack, ledger: Ledger) -> None:
    """SIGKILL loses nothing: the ack comes again, is recorded and named."""
    with _agent(centre) as agent:
        command = asked(site=agent.site)
        ledger.record([command])
        centre.kill(GATEWAY)
        agent.ack(answer(command))
        assert command.id not in agent.committed
        centre.restart(GATEWAY)
        agent.ack(answer(command))
        eventually(lambda: command.id in agent.committed, what="committed")
    record = ledger.get(command.id)
    assert record is not None
    assert record.state is State.APPLIED


@pytest.mark.fault("F50")
@pytest.mark.invariant("I7", "I8")
@pytest.mark.parametrize("step", ["gateway-before-commit", "gateway-committed", "gateway-told"])
def test_gateway_that_dies_around_a_commit_loses_no_outcome(make_stack: StackMaker, step: str) -> None:
    """Before it, after it, and after the agent was told: the repeated ack is recorded once, and named."""
    stack = make_stack(heartbeat_s=20, alive_expiry_s=60, environment={GATEWAY: {VARIABLE: step}})
    stack.start([BROKER, REDIS, GATEWAY])
    engine = open_engine(f"sqlite:///{stack.plan.home / 'tidegate.db'}")
    ledger, child = Ledger(engine), stack.children[GATEWAY]
    with _agent(stack) as agent:
        command = fresh_asked(site=agent.site, ttl_s=300.0)
        ledger.record([command])
        agent.ack(answer(command))
        eventually(lambda: not child.running, what="the end of the gateway")
        assert child.exit_code == EXIT_CODE
        record = ledger.get(command.id)
        assert record is not None
        assert record.state is (State.PENDING if step == "gateway-before-commit" else State.APPLIED)
        assert (command.id in agent.committed) <= (step == "gateway-told")
        del child.environment[VARIABLE]
        stack.restart(GATEWAY)
        agent.ack(answer(command))
        eventually(lambda: command.id in agent.committed, what="committed")
        record = ledger.get(command.id)
        assert record is not None
        assert [each.what for each in record.steps] == ["pending", "accepted", "applied"]
    engine.dispose()


@pytest.mark.invariant("I11")
def test_gateway_killed_and_restarted_lets_no_ended_connection_in(centre: Stack, liveness: Liveness) -> None:
    """A replayed beat of a connection that has ended opens no gate of a new gateway."""
    with _agent(centre) as agent:
        agent.beat(epoch=5)
        agent.status(SiteState.STOPPED, epoch=5)
        marker = asked(site=agent.site, requester="@ana")
        agent.ack(answer(marker))
        eventually(lambda: marker.id in agent.committed, what="the marker's commit")
        centre.kill(GATEWAY)
        centre.restart(GATEWAY)
        agent.beat(epoch=5, seq=2)
        second = asked(site=agent.site, requester="@ana")
        agent.ack(answer(second))
        eventually(lambda: second.id in agent.committed, what="the marker's commit")
        assert not _alive(liveness, agent.site)


def test_gateway_asked_to_stop_ends_with_zero_and_says_goodbye(centre: Stack) -> None:
    """SIGTERM is a clean end, within three seconds."""
    with _agent(centre) as agent:
        child = centre.children[GATEWAY]
        child.signal(signal.SIGTERM)
        eventually(lambda: not child.running, within_s=3, what="the end of the gateway")
        assert child.exit_code == 0
        eventually(lambda: agent.hosts[-1:] and agent.hosts[-1].state is SiteState.OFFLINE, what="goodbye")


def test_gateway_killed_is_declared_offline_by_the_broker(centre: Stack) -> None:
    """Its will is the host's death."""
    with _agent(centre) as agent:
        centre.kill(GATEWAY)
        eventually(lambda: agent.hosts[-1:] and agent.hosts[-1].state is SiteState.OFFLINE, what="the will")


@pytest.mark.fault("F28")
def test_acks_are_recorded_while_redis_is_down_and_beats_once_it_is_back(centre: Stack, liveness: Liveness) -> None:
    """Redis and the database do not need each other, and Redis is used again without a restart."""
    with _agent(centre) as agent:
        centre.kill(REDIS)
        agent.beat(epoch=1, seq=1)
        command = asked(site=agent.site, requester="@ana")
        agent.ack(answer(command))
        eventually(lambda: command.id in agent.committed, what="committed")
        centre.restart(REDIS)
        beats = iter(range(2, 10_000))

        def beat_and_look() -> bool:
            agent.beat(epoch=1, seq=next(beats))
            return _alive(liveness, agent.site)

        eventually(beat_and_look, within_s=10, what="an open gate")


@pytest.mark.fault("F29")
@pytest.mark.invariant("I4")
def test_will_during_a_redis_outage_closes_the_gate_once_redis_is_back(centre: Stack, liveness: Liveness) -> None:
    """A close that could not be written is not forgotten."""
    with _agent(centre) as agent:
        agent.beat(epoch=1)
        eventually(lambda: _alive(liveness, agent.site), what="an open gate")
        centre.freeze(REDIS)
        agent.status(SiteState.OFFLINE, epoch=1)
        marker = asked(site=agent.site, requester="@ana")
        agent.ack(answer(marker))
        eventually(lambda: marker.id in agent.committed, what="the marker's commit")
        centre.thaw(REDIS)
        eventually(lambda: not _alive(liveness, agent.site), what="a closed gate")


def test_gateway_comes_back_after_the_broker_was_killed(centre: Stack, liveness: Liveness) -> None:
    """A new broker with nothing stored is served as the old one was."""
    centre.kill(BROKER)
    centre.restart(BROKER)
    eventually(lambda: centre.is_ready(GATEWAY), within_s=15, what="the gateway's birth")
    with _agent(centre) as agent:
        agent.beat(epoch=1)
        eventually(lambda: _alive(liveness, agent.site), what="an open gate")
