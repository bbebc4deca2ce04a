"""Processes killed at the worst moment: one write at most, and a true end in the ledger."""

from __future__ import annotations

import pytest
import requests

from gateway.demo.roles import AGENT, FACADE, GATEWAY
from gateway.protocol.codes import AckCode
from tests import plc_faults as faults
from tests.auditor import Auditor
from tests.conditions import eventually
from tests.system import System


@pytest.mark.fault("F20")
@pytest.mark.invariant("I1")
@pytest.mark.invariant("I3")
@pytest.mark.invariant("I7")
def test_agent_killed_between_write_and_ack_ends_applied_after_restart(system: System) -> None:
    """The request gets no claim; the restarted agent reads the register, and does not write again (F20)."""
    grams = system.fresh()
    system.plc.misbehave(faults.LOST, on=faults.WRITES)
    waiting = system.write_aside({"portion_g": grams}, wait_s=1)
    eventually(lambda: system.written(grams), what="the write")
    system.stack.kill(AGENT)
    answer = waiting.result()
    assert answer.status == 202
    assert answer.body["state"] in {"pending", "accepted"}
    system.plc.behave()
    system.stack.children[AGENT].start()
    command = system.ended(answer.command, within_s=20)
    assert (command["state"], command["result"]) == ("applied", {"portion_g": grams})
    assert system.written(grams) == 1


@pytest.mark.fault("F50")
@pytest.mark.invariant("I1")
@pytest.mark.invariant("I6")
@pytest.mark.invariant("I7")
def test_gateway_killed_learns_afterwards_what_became_of_commands(system: System, auditor: Auditor) -> None:
    """Ends that came while it was dead are repeated by the agent, committed, and only then forgotten."""
    by_http, by_hand = system.fresh(), system.fresh()
    system.stack.kill(GATEWAY)
    answer = system.http.write({"portion_g": by_http}, wait_s=0)
    sent = auditor.send({"portion_g": by_hand})
    assert auditor.final(sent).state == auditor.end_for("@facade", answer.command).state == "applied"
    assert system.http.command(answer.command)["state"] == "pending"
    assert system.http.get(f"/v1/commands/{sent}").status == 404
    system.stack.start([GATEWAY])
    eventually(lambda: _applied(system, answer.command), within_s=10, what="the facade's command in the ledger")
    eventually(lambda: _applied(system, sent), what="the technician's command in the ledger")
    eventually(lambda: {answer.command, sent} <= auditor.committed, what="the centre's word to the agent")
    assert (system.written(by_http), system.written(by_hand)) == (1, 1)


@pytest.mark.fault("F26")
@pytest.mark.invariant("I1")
@pytest.mark.invariant("I7")
def test_facade_killed_while_a_request_waits_leaves_a_true_end(system: System) -> None:
    """The client sees its connection break; the command goes on, and the next facade shows its end (F26)."""
    grams = system.fresh()
    system.plc.misbehave(faults.delay(0.8), on=faults.WRITES)
    waiting = system.write_aside({"portion_g": grams}, wait_s=10)
    eventually(lambda: system.written(grams), what="the write")
    system.stack.kill(FACADE)
    with pytest.raises(requests.ConnectionError):
        waiting.result()
    system.stack.start([FACADE])
    (row,) = (each for each in system.http.commands() if each["input"] == {"portion_g": grams})
    command = system.ended(row["id"], within_s=10)
    assert command["state"] == "applied"
    assert system.written(grams) == 1


@pytest.mark.fault("F45")
@pytest.mark.invariant("I1")
@pytest.mark.invariant("I6")
def test_command_replayed_from_the_wire_is_not_executed_again(system: System, auditor: Auditor) -> None:
    """Captured bytes under the facade's own login: a duplicate ack, no second write, and the ledger as it was (F45)."""
    grams, other = system.fresh(), system.fresh()
    answer = system.http.write({"portion_g": grams})
    before = system.http.command(answer.command)
    assert system.http.write({"portion_g": other}).status == 200
    captured = next(each for each in auditor.published if answer.command.encode() in each.payload)
    with system.client("@facade") as thief:
        thief.publish(captured.topic, captured.payload)
    eventually(
        lambda: any(ack.duplicate for ack in auditor.acks_for("@facade", answer.command)), what="a duplicate ack"
    )
    assert system.http.command(answer.command) == before
    assert (system.written(grams), system.plc.get(0)) == (1, (other,))


@pytest.mark.invariant("I6")
@pytest.mark.invariant("I14")
def test_command_id_of_somebody_else_is_a_conflict(system: System, auditor: Auditor) -> None:
    """A technician who uses the id of an HTTP command is refused, and changes nothing of its row."""
    grams, mine = system.fresh(), system.fresh()
    answer = system.http.write({"portion_g": grams})
    before = system.http.command(answer.command)
    auditor.send({"portion_g": mine}, id=answer.command)
    assert auditor.final(answer.command).code == AckCode.ID_CONFLICT
    marker = auditor.send({"portion_g": system.fresh()})
    eventually(lambda: _applied(system, marker), what="a later command in the ledger")
    assert system.http.command(answer.command) == before
    assert system.written(mine) == 0


def _applied(system: System, command: str) -> bool:
    return system.http.command(command).get("state") == "applied"
