"""A site that floods: it may harm itself, and nobody else."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from typing import Final

import psutil
import pytest

from gateway.demo.roles import BROKER, GATEWAY
from tests.conditions import eventually
from tests.faults.flood import RATES, Flood
from tests.running_broker import connack
from tests.system import System

#: Several times the expiry of a gate, which beats must keep open.
FOR_S: Final = 12.0
#: What each process may come to hold meanwhile; without bounds it is as much in a few seconds.
MORE_BYTES: Final = 256 * 1024 * 1024


@pytest.fixture
def flood(system: System, request: pytest.FixtureRequest) -> Iterator[Flood]:
    """Another site than the real one, beside it."""
    system.stack.plan.broker_files.write(["flooder"])
    system.stack.children[BROKER].signal(signal.SIGHUP)
    login = system.stack.login("flooder", people=False)
    eventually(lambda: connack(login) == 0, what="the flooder's login")
    with Flood.of(login, request.param) as made:
        yield made


def _sizes(system: System) -> int:
    pids = [system.stack.children[role].pid for role in (BROKER, GATEWAY)]
    return sum(psutil.Process(pid).memory_info().rss for pid in pids if pid is not None)


@pytest.mark.fault("F49")
@pytest.mark.invariant("I15")
@pytest.mark.parametrize("flood", [*RATES], indirect=True)
def test_site_that_floods_shuts_nobody_elses_gate(system: System, flood: Flood) -> None:
    """All the while writes and doses at another site are applied, and broker and gateway hold no more than before."""
    before, given, until_s = _sizes(system), len(system.doses()), time.monotonic() + FOR_S
    asked = 0
    while time.monotonic() < until_s:
        assert system.http.write({"portion_g": system.fresh()}).verdict == (200, "applied")
        assert system.feed(50).verdict == (200, "applied")
        asked += 1
    assert flood.sent > RATES[flood.kind] * FOR_S / 2
    assert len(system.doses()) == given + asked
    assert _sizes(system) - before < MORE_BYTES


@pytest.mark.fault("F49")
@pytest.mark.invariant("I15")
@pytest.mark.parametrize("flood", ["garbage"], indirect=True)
def test_site_that_talks_rubbish_fills_no_log(system: System, flood: Flood) -> None:
    """A few lines of what it said, and counts."""
    log = system.stack.plan.home / "logs" / f"{GATEWAY}.log"
    before, sent = log.stat().st_size, flood.sent
    eventually(lambda: flood.sent > sent + 20_000, within_s=30, what="twenty thousand messages")
    assert log.stat().st_size - before < 64 * 1024


@pytest.mark.fault("F49")
@pytest.mark.parametrize("flood", ["history"], indirect=True)
def test_flood_is_told_in_the_log(system: System, flood: Flood) -> None:
    """With the name of the site, so that somebody can put it out."""
    log = system.stack.plan.home / "logs" / f"{GATEWAY}.log"
    before = len(log.read_text())
    eventually(
        lambda: any("beyond-its-share" in each and "flooder" in each for each in log.read_text()[before:].splitlines()),
        within_s=60,
        what="a word about the flood",
    )
    assert flood.sent > 0
