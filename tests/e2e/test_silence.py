"""A silent site gets no writes, however it fell silent; and a site that is back gets them at once."""

from __future__ import annotations

import time
from typing import Final

import pytest

from gateway.demo.roles import AGENT, BROKER, FACADE, GATEWAY
from gateway.protocol.codes import AckCode
from gateway.protocol.messages import SiteState
from tests import plc_faults as faults
from tests.auditor import Auditor
from tests.conditions import STRETCH, eventually
from tests.http_client import Answer
from tests.system import PLACES, PORTION, STARTED, System

#: Beats are gathered for a moment before they reach Redis, and this machine may be busy.
SLACK_S: Final = 1.0


@pytest.mark.fault("F5")
@pytest.mark.invariant("I4")
def test_agent_frozen_and_network_held_shuts_the_gate_by_the_keys_expiry(system: System, auditor: Auditor) -> None:
    """Neither beat nor will comes: no write is let through later than the expiry after the last beat."""
    last, grams = len(auditor.beats()), system.fresh()
    system.agent_wire.hold()
    shut_s = time.monotonic() + (system.stack.plan.alive_expiry_s + SLACK_S) * STRETCH
    system.stack.freeze(AGENT)
    passed = []

    def refused() -> Answer | None:
        answer = system.http.write({"portion_g": grams}, wait_s=0, ttl_s=1)
        passed.append(time.monotonic() - answer.took_s)
        return answer if answer.status != 202 else None

    assert eventually(refused).verdict == (503, "site-offline")
    assert max(passed[:-1]) < shut_s, "let through too late"
    # The centre notes beats in the database every few seconds, which is where a refusal looks.
    eventually(lambda: system.refused("site-offline").body["silent_s"], within_s=8, what="for how long it is silent")
    assert len(auditor.beats()) <= last + 1
    eventually(lambda: time.monotonic() > max(passed) + 1, what="the deadline of the last one that was let through")
    system.heal()
    eventually(lambda: _settled(system), within_s=20, what="the end of all that was let through")
    assert system.written(grams) == 0


def _settled(system: System) -> bool:
    return all(row["final"] or row["state"] == "unknown" for row in system.http.commands() if row["ttl_s"] == 1)


@pytest.mark.fault("F20")
@pytest.mark.invariant("I3")
@pytest.mark.invariant("I7")
def test_agent_killed_with_many_open_commands_is_soon_at_work_again(system: System) -> None:
    """It looks for evidence about each, yet none of them holds up the PLC for long."""
    grams, number = system.fresh(), 30
    system.plc.misbehave(faults.delay(3), on=faults.WRITES)
    for _ in range(number):
        assert system.http.write({"portion_g": grams}, wait_s=0).status == 202
    eventually(lambda: system.written(grams), what="the first write")
    system.stack.kill(AGENT)
    system.plc.behave()
    system.plc.set(PORTION, 50)
    system.stack.children[AGENT].start()
    system.passes({"portion_g": system.fresh()}, within_s=15)


@pytest.mark.invariant("I4")
def test_agent_back_takes_the_first_write_within_two_seconds(system: System, auditor: Auditor) -> None:
    """The agent beats as soon as it is connected, and that opens the gate."""
    epoch = auditor.statuses()[-1].epoch
    system.stack.kill(AGENT)
    system.stack.children[AGENT].start()
    eventually(
        lambda: auditor.statuses()[-1].epoch > epoch and auditor.statuses()[-1].state is SiteState.ONLINE,
        within_s=20,
        what="online again",
    )
    system.passes({"portion_g": system.fresh()}, within_s=2)


@pytest.mark.invariant("I4")
@pytest.mark.invariant("I11")
def test_gateway_down_shuts_all_gates_by_expiry_and_its_return_opens_them(system: System) -> None:
    """Without a gateway nobody hears the beats: refused, not guessed at."""
    system.stack.kill(GATEWAY)
    refused = system.refused("site-offline")
    assert refused.status == 503
    assert system.http.device()["quality"] == "good"
    system.stack.start([GATEWAY])
    system.passes({"portion_g": system.fresh()}, within_s=5)


@pytest.mark.invariant("I4")
def test_agent_stopped_cleanly_shuts_the_gate_at_once(system: System, auditor: Auditor) -> None:
    """`stopped` deletes the key: nobody waits for an expiry."""
    system.stack.children[AGENT].stop()
    eventually(lambda: auditor.statuses()[-1].state is SiteState.STOPPED, what="the goodbye")
    eventually(lambda: system.http.site()["state"] == "stopped", within_s=1, what="the goodbye in HTTP")
    assert system.http.write({"portion_g": system.fresh()}).verdict == (503, "site-offline")


@pytest.mark.invariant("I1")
@pytest.mark.invariant("I2")
def test_command_for_a_former_connection_is_refused_and_safe_to_repeat(system: System) -> None:
    """The gate still shows the beat of a connection that is gone: the agent says so, and nothing is written."""
    grams = system.fresh()
    system.stack.freeze(GATEWAY)
    system.stack.kill(AGENT)
    system.stack.children[AGENT].start()
    answer = eventually(
        lambda: _rejected(system, grams), within_s=system.stack.plan.alive_expiry_s, what="a stale epoch refused"
    )
    assert answer == (503, AckCode.STALE_EPOCH)
    assert system.written(grams) == 0


def _rejected(system: System, grams: int) -> tuple[int, str | None] | None:
    answer = system.http.write({"portion_g": grams}, wait_s=1)
    return answer.verdict if answer.status == 503 else None


@pytest.mark.fault("F2")
def test_broker_killed_without_persistence_costs_only_time(system: System) -> None:
    """All retained topics are said again, and writes pass again, without anybody's help."""
    system.stack.kill(BROKER)
    system.stack.start([BROKER])
    system.passes({"portion_g": system.fresh()}, within_s=20)
    with system.auditor() as auditor:
        eventually(lambda: auditor.descriptions.keys() == PLACES.keys(), what="the descriptions, retained")
        eventually(auditor.states, what="a state, retained")
        assert auditor.statuses()[0].state is SiteState.ONLINE
    assert all(system.stack.children[role].running for role in STARTED)
    assert system.stack.is_ready(FACADE)
