"""A site that floods: it may harm itself, and nobody else."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from typing import Final

import pytest

from gateway.demo.roles import BROKER, GATEWAY
from tests.conditions import STRETCH, eventually
from tests.faults.flood import Flood
from tests.system import System

#: Many times the expiry of a gate.
FOR_S: Final = 12.0


@pytest.fixture
def flooding(system: System, request: pytest.FixtureRequest) -> Iterator[Flood]:
    """Another site than the real one, beside it."""
    system.stack.plan.broker_files.write(["flooder"])
    system.stack.children[BROKER].signal(signal.SIGHUP)
    with Flood.of(system.stack.login("flooder", people=False), request.param) as made:
        yield made


@pytest.mark.fault("F49")
@pytest.mark.invariant("I15")
@pytest.mark.parametrize("flooding", ["history", "heartbeats", "garbage"], indirect=True)
def test_site_that_floods_keeps_no_other_gate_shut(system: System, flooding: Flood) -> None:
    """All the while the other site is online and its writes are applied; processes stay as large as they are."""
    import time, psutil
    t0=time.monotonic(); n=0; res=[]
    pids={r: system.stack.children[r]._process.pid for r in (BROKER, GATEWAY)}
    while time.monotonic()-t0<FOR_S:
        a=system.http.write({"portion_g": system.fresh()})
        res.append((round(time.monotonic()-t0,1), a.verdict, {r: psutil.Process(p).memory_info().rss>>20 for r,p in pids.items()}, flooding.sent))
        time.sleep(0.5)
    print(*res,sep="\n")
    print((system.stack.plan.home / "logs" / f"{GATEWAY}.log").stat().st_size)
    assert all(v==(200,"applied") for _,v,_,_ in res)
