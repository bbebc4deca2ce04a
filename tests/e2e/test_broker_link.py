"""The facade's link to the broker: what was refused never leaves, and what may have left never acts late (P27, P28)."""

from __future__ import annotations

import pytest

from gateway.demo.roles import BROKER
from gateway.protocol.codes import AckCode
from tests.auditor import Auditor
from tests.conditions import eventually
from tests.proxy import Way
from tests.system import System


def _lost(system: System) -> bool:
    return not system.http.get("/readyz").body["parts"]["broker"]["ok"]


@pytest.mark.fault("F8")
@pytest.mark.invariant("I5")
def test_write_without_broker_link_is_503_and_never_published(system: System, auditor: Auditor) -> None:
    """No row and no message, not even after the link is back (P27)."""
    system.facade_wire.cut(refuse=True)
    eventually(lambda: _lost(system), what="the facade's notice of the loss")
    before = len(system.http.commands())
    refused, applied = system.fresh(), system.fresh()
    for _ in range(5):
        assert system.http.write({"portion_g": refused}).verdict == (503, "broker-unavailable")
    assert len(system.http.commands()) == before
    system.facade_wire.release()
    system.passes({"portion_g": applied}, within_s=15)
    eventually(lambda: auditor.published, what="the good command")
    assert {"portion_g": refused} not in [command.input for command in auditor.commands]
    assert system.written(refused) == 0


@pytest.mark.fault("F1")
@pytest.mark.invariant("I5")
def test_write_without_broker_is_503_and_never_published(system: System) -> None:
    """The same when the broker itself is gone, while the last beat still holds the gate open."""
    refused, applied = system.fresh(), system.fresh()
    system.stack.kill(BROKER)
    eventually(lambda: _lost(system), what="the facade's notice of the loss")
    answer = system.http.write({"portion_g": refused})
    assert answer.status == 503
    assert answer.code in {"broker-unavailable", "site-offline"}
    system.stack.start([BROKER])
    system.passes({"portion_g": applied}, within_s=20)
    assert system.written(refused) == 0


@pytest.mark.fault("F9")
@pytest.mark.invariant("I2")
@pytest.mark.invariant("I5")
def test_write_held_by_the_network_past_its_deadline_ends_expired(system: System, auditor: Auditor) -> None:
    """The broker gets it late and with its full expiry; the agent knows its age from the beat it names (P28)."""
    grams = system.fresh()
    system.facade_wire.hold(Way.TO_SERVER)
    answer = system.http.write({"portion_g": grams}, ttl_s=1, wait_s=2)
    assert (answer.status, answer.body["state"]) == (202, "pending")
    assert auditor.published == []
    system.facade_wire.release()
    command = system.ended(answer.command, within_s=10)
    assert (command["state"], command["code"]) == ("expired", AckCode.DEADLINE_PASSED)
    assert len(auditor.published) == 1
    assert system.written(grams) == 0


@pytest.mark.fault("F9")
@pytest.mark.invariant("I2")
@pytest.mark.invariant("I7")
def test_write_lost_with_its_connection_ends_unknown_and_is_not_sent_again(system: System, auditor: Auditor) -> None:
    """The facade cannot know that it never arrived: 202, then `unknown`; its next connection does not repeat it."""
    lost, applied = system.fresh(), system.fresh()
    system.facade_wire.hold(Way.TO_SERVER)
    waiting = system.write_aside({"portion_g": lost}, ttl_s=1, wait_s=3)
    row = eventually(lambda: _row(system, lost), what="the command's row")
    system.facade_wire.cut()
    system.facade_wire.release()
    assert waiting.result().status == 202
    system.passes({"portion_g": applied}, within_s=15)
    assert {"portion_g": lost} not in [command.input for command in auditor.commands]
    command = eventually(lambda: _unknown(system, row), within_s=12, what="unknown after deadline and grace")
    assert command["code"] == AckCode.NO_ANSWER
    assert system.written(lost) == 0


@pytest.mark.fault("F6")
@pytest.mark.invariant("I1")
@pytest.mark.invariant("I7")
def test_write_whose_confirmation_was_held_is_applied_once(system: System, auditor: Auditor) -> None:
    """PUBACK and ack do not come back (P29); the gateway hears the end, and the facade reads it in the ledger."""
    grams = system.fresh()
    system.facade_wire.hold(Way.TO_CLIENT)
    answer = system.http.write({"portion_g": grams}, wait_s=2)
    assert (answer.status, answer.body["state"]) == (200, "applied")
    system.facade_wire.cut()
    system.facade_wire.release()
    system.passes({"portion_g": system.fresh()}, within_s=15)
    assert [command.input for command in auditor.commands].count({"portion_g": grams}) == 1
    assert system.written(grams) == 1


@pytest.mark.fault("F6")
@pytest.mark.invariant("I2")
def test_write_held_between_broker_and_agent_past_its_deadline_ends_expired(system: System) -> None:
    """Beats go out, so the gate is open; the command comes in too late, and the PLC never hears of it."""
    grams = system.fresh()
    system.agent_wire.hold(Way.TO_CLIENT)
    answer = system.http.write({"portion_g": grams}, ttl_s=1, wait_s=2)
    assert (answer.status, answer.body["state"]) == (202, "pending")
    system.agent_wire.release()
    command = system.ended(answer.command, within_s=10)
    assert (command["state"], command["code"]) == ("expired", AckCode.DEADLINE_PASSED)
    assert system.written(grams) == 0


def _row(system: System, grams: int) -> str | None:
    rows = [row["id"] for row in system.http.commands() if row["input"] == {"portion_g": grams}]
    return rows[0] if rows else None


def _unknown(system: System, command: str) -> dict[str, object] | None:
    found = system.http.command(command)
    return found if found["state"] == "unknown" else None
