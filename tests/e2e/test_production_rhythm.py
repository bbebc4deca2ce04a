"""With a beat every 20 s and an expiry of 25 s, as delivered: nothing here waits for either."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from typing import Final

import pytest
import redis

from gateway.demo.roles import AGENT, BROKER, GATEWAY, REDIS, Plan, Ports
from gateway.protocol.messages import SiteState
from tests.auditor import Auditor
from tests.conditions import eventually
from tests.http_client import Answer
from tests.requirements import programs
from tests.system import System

HEARTBEAT_S: Final = 20
EXPIRY_S: Final = 25


@pytest.fixture(scope="module")
def calm_system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A system in production rhythm, with a broker that saves what is retained."""
    home = tmp_path_factory.mktemp("calm") / "home"
    with System.running(home, heartbeat_s=HEARTBEAT_S, alive_expiry_s=EXPIRY_S, persistence=True) as running:
        yield running


@pytest.fixture
def calm(calm_system: System) -> System:
    """In good health, by a beat that is not older than this."""
    if not calm_system.healthy():
        calm_system.stack.kill(AGENT)
    calm_system.heal()
    return calm_system


@pytest.fixture
def auditor(calm: System) -> Iterator[Auditor]:
    """Ana, who sees all that is said on the broker."""
    with calm.auditor() as ana:
        yield ana


def _ttl_s(system: System) -> float:
    with redis.Redis.from_url(system.stack.redis_url) as client:
        (key,) = client.scan_iter(match=f"*:{system.site}")
        return float(client.pttl(key)) / 1_000


def test_rhythm_without_settings_is_20_and_25_seconds(calm: System) -> None:
    """A plan that names no rhythm has this one, and one beat keeps the key for no longer."""
    plan = Plan(home=calm.stack.plan.home, programs=programs(), ports=Ports.free())
    assert (plan.heartbeat_s, plan.alive_expiry_s) == (HEARTBEAT_S, EXPIRY_S)
    assert 0 < _ttl_s(calm) <= EXPIRY_S


@pytest.mark.invariant("I4")
def test_agent_killed_is_refused_when_its_will_comes(calm: System, auditor: Auditor) -> None:
    """Long before the key would expire; `silent_s` says since when."""
    calm.stack.kill(AGENT)
    assert _ttl_s(calm) > 0
    eventually(lambda: auditor.statuses()[-1].state is SiteState.OFFLINE, within_s=12, what="the will")
    left_s = EXPIRY_S - HEARTBEAT_S
    refused = eventually(lambda: _refused(calm), within_s=1, what=f"the refusal, {left_s} s before any expiry")
    assert refused.status == 503


def _refused(system: System) -> Answer | None:
    answer = system.http.write({"portion_g": 50}, wait_s=0)
    return answer if answer.code == "site-offline" else None


@pytest.mark.fault("F30")
@pytest.mark.invariant("I4")
def test_redis_flushed_shuts_the_gate_and_a_host_birth_opens_it(calm: System) -> None:
    """After a restart of the gateway every agent beats at once, not only when its 20 s are over."""
    with redis.Redis.from_url(calm.stack.redis_url) as client:
        client.flushall()
    assert calm.http.write({"portion_g": calm.fresh()}).verdict == (503, "site-offline")
    calm.stack.kill(GATEWAY)
    calm.stack.start([GATEWAY])
    calm.passes({"portion_g": calm.fresh()}, within_s=3)


@pytest.mark.fault("F3")
@pytest.mark.invariant("I4")
@pytest.mark.invariant("I11")
def test_retained_online_of_a_dead_agent_opens_no_gate(calm: System) -> None:
    """Broker, gateway and Redis start anew, and the only voice is the broker's memory of an agent that is gone (F3)."""
    memory = calm.stack.plan.home / "broker" / "data" / "mosquitto.db"
    memory.unlink(missing_ok=True)  # an older one would tell of an older agent
    calm.stack.children[BROKER].signal(signal.SIGUSR1)
    eventually(memory.exists, what="the broker's memory on disk")
    for role in (BROKER, AGENT, GATEWAY, REDIS):
        calm.stack.kill(role)
    calm.stack.start([BROKER, REDIS, GATEWAY])
    with calm.auditor() as auditor:
        assert [status.state for status in auditor.statuses()] == [SiteState.ONLINE]
        # The gateway takes messages in order: when it has one of these, it has the broker's memory too.
        eventually(lambda: _recorded(calm, auditor), within_s=15, what="a command in the ledger")
        assert auditor.beats() == []
    site = eventually(lambda: _reachable(calm), what="the site in HTTP")
    assert (site["state"], site["online"]) == ("online", False)
    assert calm.http.write({"portion_g": calm.fresh()}).verdict == (503, "site-offline")
    assert calm.epoch is None


def _recorded(system: System, auditor: Auditor) -> bool:
    sent = [auditor.send({"portion_g": 50}) for _ in range(2)]
    return any(system.http.get(f"/v1/commands/{command}").status == 200 for command in sent)


def _reachable(system: System) -> dict[str, object] | None:
    site = system.http.site()
    ready = system.http.get("/readyz").status == 200
    return site if ready and site["online"] is not None else None
