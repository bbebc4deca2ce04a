"""Redis, database, facade and gateway at their worst, while people ask for settings and doses."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import Any, Final

import pytest
import redis
import requests

from gateway.crash import EXIT_CODE
from gateway.demo.roles import AGENT, FACADE, GATEWAY, REDIS
from gateway.liveness import TIMEOUT_S
from tests import plc_faults as faults
from tests.auditor import Auditor
from tests.conditions import STRETCH, eventually
from tests.http_client import Answer
from tests.system import System

#: What Redis's or the ledger's own time-out leaves to a busy machine.
SLACK_S: Final = 1.5
#: A transaction waits this long for the one lock, then the command is refused.
LOCK_S: Final = 1.0


def _fed(system: System, before: int) -> list[int | None]:
    return [dose.counted for dose in system.doses()[before:]]


@contextmanager
def _locked(system: System) -> Iterator[None]:
    """Somebody else holds the database's one write lock."""
    with closing(sqlite3.connect(system.stack.plan.home / "tidegate.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            other.execute("ROLLBACK")


# --- the facade --------------------------------------------------------------------------------------------


@pytest.mark.fault("F26")
@pytest.mark.invariant("I1")
@pytest.mark.invariant("I7")
def test_facade_killed_while_somebody_waits_for_a_dose_gives_one_dose(system: System) -> None:
    """The client's connection breaks; with the same key it hears of the same dose at the next facade."""
    before = len(system.doses())
    system.plc.misbehave(faults.delay(0.8), on=faults.WRITES, times=1)
    waiting = system.feed_aside(60, key="facade-killed")
    eventually(lambda: len(system.doses()) > before, what="the dose")
    system.stack.kill(FACADE)
    with pytest.raises(requests.ConnectionError):
        waiting.result()
    system.stack.start([FACADE])
    again = system.feed(60, key="facade-killed")
    assert (again.status, again.replayed) == (200, True)
    assert system.ended(again.command)["result"]["grams_counted"] == 60
    assert _fed(system, before) == [60]


@pytest.mark.fault("F26")
@pytest.mark.invariant("I1")
@pytest.mark.invariant("I5")
@pytest.mark.parametrize(
    ("step", "ends"),
    [
        ("facade-before-record", {"applied"}),
        ("facade-recorded", {"expired"}),
        # Handed to the link, whose thread may have been quicker or slower than death.
        ("facade-published", {"applied", "expired"}),
        ("facade-before-answer", {"applied"}),
    ],
)
def test_facade_that_dies_at_any_step_of_a_dose_leads_its_key_to_the_truth(
    system: System, step: str, ends: set[str]
) -> None:
    """Asked again with the key: the first command if there is a row of it, else a new one; never two doses."""
    before, key = len(system.doses()), f"died-{step}"
    system.crash_at(FACADE, step)
    with pytest.raises(requests.ConnectionError):
        system.feed(65, key=key, ttl_s=2)
    system.heal()
    again = system.feed(65, key=key, ttl_s=2)
    assert again.status in {200, 202, 504}, again.body
    end = system.ended(again.command, within_s=30)["state"]
    assert end in ends
    assert _fed(system, before) == ([65] if end == "applied" else [])


@pytest.mark.fault("F27")
@pytest.mark.invariant("I1")
def test_fifty_requests_with_one_key_are_one_dose(system: System) -> None:
    """All hear of the same command; another body under the key is refused."""
    before = len(system.doses())
    with ThreadPoolExecutor(50) as pool:
        asked = [pool.submit(system.feed, 70, key="fifty", wait_s=20) for _ in range(50)]
        answers: list[Answer] = [each.result() for each in asked]
    assert {each.verdict for each in answers} == {(200, "applied")}
    assert len({each.command for each in answers}) == 1
    assert [each.replayed for each in answers].count(False) == 1
    assert system.feed(75, key="fifty").verdict == (422, "idempotency-conflict")
    assert _fed(system, before) == [70]


# --- Redis -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [pytest.param("kill", marks=pytest.mark.fault("F28")), pytest.param("freeze", marks=pytest.mark.fault("F29"))],
)
@pytest.mark.invariant("I4")
@pytest.mark.invariant("I5")
def test_redis_gone_or_mute_refuses_doses_and_keeps_the_rest_alive(
    system: System, auditor: Auditor, fault: str
) -> None:
    """Refused in time and unheard; a technician's dose goes on and is recorded; afterwards doses pass by themselves."""
    before = len(system.doses())
    getattr(system.stack, fault)(REDIS)
    asked = [system.feed(80, key=f"redis-{fault}") for _ in range(2)]
    assert {each.verdict for each in asked} == {(503, "gate-unavailable")}
    assert max(each.took_s for each in asked) < (TIMEOUT_S + SLACK_S) * STRETCH
    assert auditor.published == []
    by_hand = auditor.feed(85)
    assert _ended_somewhen(system, by_hand)["state"] == "applied"
    system.heal()
    assert system.feed(80, key=f"redis-{fault}").verdict == (200, "applied")
    assert _fed(system, before) == [85, 80]


def _ended_somewhen(system: System, command: str) -> dict[str, Any]:
    eventually(lambda: system.http.get(f"/v1/commands/{command}").status == 200, within_s=15, what="a row")
    return system.ended(command)


@pytest.mark.fault("F30")
@pytest.mark.invariant("I4")
def test_redis_flushed_refuses_doses_until_the_next_beat(system: System) -> None:
    """What Redis has forgotten opens no gate: only a beat does."""
    before = len(system.doses())
    system.agent_wire.hold()
    with redis.Redis.from_url(system.stack.redis_url) as client:
        client.flushall()
    assert system.feed(90, key="flushed").verdict == (503, "site-offline")
    system.agent_wire.release()
    answer = eventually(lambda: _applied(system.feed(90, key="flushed")), within_s=15, what="a dose")
    assert answer.status == 200
    assert _fed(system, before) == [90]


def _applied(answer: Answer) -> Answer | None:
    return answer if answer.code == "applied" else None


# --- the database ------------------------------------------------------------------------------------------


@pytest.mark.fault("F32")
@pytest.mark.invariant("I5")
@pytest.mark.invariant("I14")
def test_locked_database_refuses_commands_unheard(system: System, auditor: Auditor) -> None:
    """No row, no command: neither a setting nor a dose is sent, then or later; reads go on."""
    before, grams = len(system.doses()), system.fresh()
    with _locked(system):
        asked = [system.http.write({"portion_g": grams}), system.feed(95)]
        assert [each.verdict for each in asked] == [(503, "ledger-unavailable")] * 2
        assert max(each.took_s for each in asked) < (LOCK_S + SLACK_S) * STRETCH
        assert system.http.get(f"/v1/sites/{system.site}").status == 200
    last = system.fresh()
    system.passes({"portion_g": last}, within_s=10)
    assert [command.input for command in auditor.commands if "grams" in command.input] == []
    assert {"portion_g": grams} not in [dict(command.input) for command in auditor.commands]
    assert _fed(system, before) == []


@pytest.mark.fault("F33")
@pytest.mark.invariant("I7")
@pytest.mark.invariant("I14")
def test_acks_that_find_no_database_are_kept_and_recorded_later(system: System, auditor: Auditor) -> None:
    """Commands under way end in the ledger though their first acks found it shut; the agent may die meanwhile."""
    before, grams = len(system.doses()), system.fresh()
    system.plc.misbehave(faults.delay(1.0), on={faults.WRITE_ONE}, times=1)
    written = system.write_aside({"portion_g": grams}, wait_s=15)
    eventually(lambda: system.written(grams), what="the write")
    with _locked(system):
        by_hand = auditor.feed(100)
        assert auditor.final(by_hand).state == "applied"
        answer = written.result()
        assert answer.status == 202
        # Only the technician, who asked the site itself, has heard of the end.
        assert not auditor.committed & {by_hand, answer.command}
        system.stack.kill(AGENT)
        system.stack.children[AGENT].start()
        seen = auditor.statuses()[-1].epoch
        auditor.online(above=seen, within_s=20)
    ends = [_ended_late(system, each) for each in (answer.command, by_hand)]
    assert [end["state"] for end in ends] == ["applied", "applied"]
    eventually(lambda: {by_hand, answer.command} <= auditor.committed, within_s=75, what="the centre's word")
    assert system.written(grams) == 1
    assert _fed(system, before) == [100]


def _ended_late(system: System, command: str) -> dict[str, Any]:
    eventually(lambda: system.http.get(f"/v1/commands/{command}").status == 200, within_s=75, what="a row")
    return system.ended(command, within_s=75)


@pytest.mark.fault("F33")
@pytest.mark.invariant("I14")
def test_database_moved_away_and_back_costs_only_time(system: System, auditor: Auditor) -> None:
    """Whoever has it open goes on in it, whoever comes new is refused; nothing is lost and nothing is done twice."""
    before, home = len(system.doses()), system.stack.plan.home
    names = [f"tidegate.db{end}" for end in ("", "-wal", "-shm")]
    for name in names:
        (home / name).rename(home / f"moved-{name}")
    try:
        answers = [system.feed(5 * (number + 1), key=f"moved-{number}") for number in range(3)]
        by_hand = auditor.feed(100)
        assert auditor.final(by_hand).state == "applied"
    finally:
        for name in names:
            (home / name).unlink(missing_ok=True)
            (home / f"moved-{name}").rename(home / name)
    assert {each.status for each in answers} <= {200, 202, 503}
    for role in (GATEWAY, FACADE):
        system.stack.restart(role)
    system.heal()
    again = [system.feed(5 * (number + 1), key=f"moved-{number}") for number in range(3)]
    assert {each.verdict for each in again} == {(200, "applied")}
    assert _ended_late(system, by_hand)["state"] == "applied"
    assert sorted(grams for grams in _fed(system, before) if grams is not None) == [5, 10, 15, 100]


# --- the gateway -------------------------------------------------------------------------------------------


@pytest.mark.fault("F50")
@pytest.mark.invariant("I7")
@pytest.mark.parametrize("step", ["gateway-before-commit", "gateway-committed", "gateway-told"])
def test_gateway_that_dies_around_the_commit_of_a_dose_records_it_once(
    system: System, auditor: Auditor, step: str
) -> None:
    """A technician's dose, whose row is the gateway's alone: one dose, one row, one line for each deed."""
    before = len(system.doses())
    system.crash_at(GATEWAY, step)
    eventually(system.healthy, within_s=20, what="health")
    command = auditor.feed(105)
    child = system.stack.children[GATEWAY]
    eventually(lambda: not child.running, within_s=15, what="the end of the gateway")
    assert child.exit_code == EXIT_CODE
    system.heal()
    eventually(lambda: command in auditor.committed, within_s=15, what="the centre's word to the agent")
    found = system.http.command(command)
    deeds = [each["what"] for each in found["steps"]]
    assert found["state"] == "applied"
    assert len(deeds) == len(set(deeds))
    assert [row["id"] for row in system.http.commands()].count(command) == 1
    assert _fed(system, before) == [105]
