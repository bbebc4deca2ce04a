"""Redis is a mirror: to lose it shuts every gate and costs nothing else."""

from __future__ import annotations

from typing import Final

import pytest

from gateway.demo.roles import REDIS
from gateway.liveness import TIMEOUT_S
from tests.conditions import STRETCH
from tests.system import System

#: The gate gives up after its own time-out; redis-py's hidden retries would take many seconds. The rest is this
#: machine's share, which others may be using.
BOUND_S: Final = TIMEOUT_S + 1.2
FAULTS: Final = (
    pytest.param("kill", marks=pytest.mark.fault("F28")),
    pytest.param("freeze", marks=pytest.mark.fault("F29")),
)


@pytest.fixture(params=FAULTS)
def without_redis(system: System, request: pytest.FixtureRequest) -> System:
    """A system whose Redis is gone, or there and mute."""
    getattr(system.stack, request.param)(REDIS)
    return system


@pytest.mark.invariant("I4")
@pytest.mark.invariant("I5")
def test_write_without_redis_is_503_gate_unavailable_in_time(without_redis: System) -> None:
    """Nobody can say whether the site lives, so nothing is sent, and that is said soon."""
    commands = len(without_redis.http.commands())
    answers = [without_redis.http.write({"portion_g": without_redis.fresh()}) for _ in range(3)]
    assert [answer.verdict for answer in answers] == [(503, "gate-unavailable")] * 3
    assert max(answer.took_s for answer in answers) < BOUND_S * STRETCH
    assert len(without_redis.http.commands()) == commands


@pytest.mark.invariant("I15")
def test_reads_without_redis_are_answered(without_redis: System) -> None:
    """What the database knows is shown; whether a site is online, nobody can tell."""
    site = without_redis.http.get(f"/v1/sites/{without_redis.site}")
    assert (site.status, site.body["online"]) == (200, None)
    assert site.body["cause"]
    paths = ("/v1/sites", f"/v1/sites/{without_redis.site}/devices/feeder-1", "/v1/commands")
    assert [without_redis.http.get(path).status for path in paths] == [200, 200, 200]


@pytest.mark.fault("F30")
def test_redis_back_and_empty_lets_writes_pass_by_itself(without_redis: System) -> None:
    """The next beat opens the gate again; nobody has to do anything."""
    without_redis.stack.kill(REDIS)
    without_redis.stack.start([REDIS])
    without_redis.passes({"portion_g": without_redis.fresh()}, within_s=8)
