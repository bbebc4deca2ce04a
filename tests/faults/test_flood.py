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
from tests.http_client import Answer
from tests.running_broker import connack
from tests.system import System

EXPIRY_S: Final = 8
#: Longer than a gate stays open without a beat that came through.
FOR_S: Final = 2.0 * EXPIRY_S
#: What each process may come to hold meanwhile; without bounds it is as much in a few seconds.
MORE_BYTES: Final = 256 * 1024 * 1024


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """One of its own, whose gates forgive a machine that is busy with the flood itself."""
    home = tmp_path_factory.mktemp("flood") / "home"
    with System.running(home, heartbeat_s=1, alive_expiry_s=EXPIRY_S) as running:
        yield running


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
@pytest.mark.parametrize("flood", ["history", "heartbeats", "garbage"], indirect=True)
def test_site_that_floods_shuts_nobody_elses_gate(system: System, flood: Flood) -> None:
    """All the while another site's gate is open and its commands are applied; broker and gateway stay as they were.

    A machine that is busy with other things may answer that its database is; nothing is published then.
    """
    before, given, until_s = _sizes(system), len(system.doses()), time.monotonic() + FOR_S
    settings, doses = list[Answer](), list[Answer]()
    while time.monotonic() < until_s:
        settings.append(system.http.write({"portion_g": system.fresh()}, ttl_s=30))
        doses.append(system.feed(50, ttl_s=30))
    assert {each.code for each in (*settings, *doses)} <= {"applied", None, "ledger-unavailable"}
    passed, fed = ([each for each in some if each.status in {200, 202}] for some in (settings, doses))
    assert passed
    assert fed
    assert {system.ended(each.command, within_s=40)["state"] for each in (*passed, *fed)} == {"applied"}
    assert len(system.doses()) == given + len(fed)
    assert flood.sent > RATES[flood.kind]
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
@pytest.mark.parametrize("flood", ["torrent"], indirect=True)
def test_flood_is_told_in_the_log(system: System, flood: Flood) -> None:
    """With the name of the site, so that somebody can put it out."""
    log = system.stack.plan.home / "logs" / f"{GATEWAY}.log"
    before = len(log.read_text())
    eventually(
        lambda: any("dropped" in each and "flooder" in each for each in log.read_text()[before:].splitlines()),
        within_s=60,
        what="a word about the flood",
    )
    assert flood.sent > 0
