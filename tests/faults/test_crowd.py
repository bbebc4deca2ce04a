"""All sites come back at once, as they do when the broker has been away."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from typing import Final

import pytest

from gateway.demo.roles import BROKER
from gateway.liveness import Liveness, open_redis
from site_agent.link import Login
from tests.conditions import STRETCH, eventually
from tests.faults.crowd import Crowd
from tests.system import System

SITES: Final = 300
#: Nobody who asks over HTTP waits for longer meanwhile.
PATIENCE_S: Final = 1.0


@pytest.fixture
def crowd(system: System) -> Iterator[Crowd]:
    """Hundreds of sites beside the real one."""
    names = [f"crowd-{number}" for number in range(SITES)]
    system.stack.plan.broker_files.write(names)
    system.stack.children[BROKER].signal(signal.SIGHUP)
    logins = [system.stack.login(name, people=False) for name in names]
    with Crowd.of(
        [
            Login(host=each.host, port=each.port, username=each.username, password=each.password, keepalive_s=10)
            for each in logins
        ]
    ) as made:
        yield made


def _alive(system: System) -> int:
    """How many gates are open."""
    liveness = Liveness(open_redis(system.stack.redis_url), expiry_s=system.stack.plan.alive_expiry_s)
    try:
        return sum(
            each is not None for each in liveness.read_many([f"crowd-{number}" for number in range(SITES)]).values()
        )
    finally:
        liveness.close()


@pytest.mark.fault("F48")
@pytest.mark.invariant("I15")
def test_all_sites_back_at_once_open_all_gates_and_keep_nobody_waiting(system: System, crowd: Crowd) -> None:
    """The broker dies and comes back: every gate opens, the API answers all the while, settings and doses pass."""
    eventually(lambda: _alive(system) == SITES, within_s=60, what="all gates open")
    before = len(system.doses())
    system.stack.kill(BROKER)
    eventually(lambda: _alive(system) == 0, within_s=20, what="all gates shut")
    births = crowd.births
    system.stack.start([BROKER])
    took_s: list[float] = []

    def all_open() -> bool:
        for path in ("/v1/sites", f"/v1/sites/{system.site}", "/v1/commands"):
            answer = system.http.get(path)
            assert answer.status == 200
            took_s.append(answer.took_s)
        return _alive(system) == SITES

    eventually(all_open, within_s=60, what="all gates open again")
    assert crowd.births >= births + SITES
    assert sorted(took_s)[int(len(took_s) * 0.99)] < PATIENCE_S * STRETCH
    system.passes({"portion_g": system.fresh()}, within_s=20)
    assert system.feed(50).verdict == (200, "applied")
    assert [dose.counted for dose in system.doses()[before:]] == [50]
