"""What PLCs do wrong, as it looks over HTTP: never `applied` without the register, never a second write (I1, I3)."""

from __future__ import annotations

from typing import Final

import pytest

from gateway.protocol.codes import AckCode
from gateway.protocol.lifecycle import State
from tests import plc_faults as faults
from tests.conditions import eventually
from tests.system import PORTION, System

DONE_BUT_ILL_CONFIRMED: Final = (
    pytest.param(faults.LOST, marks=pytest.mark.fault("F11")),
    pytest.param(faults.RESET_AFTER, marks=pytest.mark.fault("F15")),
    faults.ANOTHER_FUNCTION,
    faults.ANOTHER_ADDRESS,
    faults.ANOTHER_VALUE,
    faults.ANOTHER_UNIT,
    faults.SHORT,
    faults.GARBAGE,
)


@pytest.mark.fault("F13")
@pytest.mark.invariant("I3")
def test_exception_of_the_plc_is_502_failed(system: System) -> None:
    """The PLC said no, and so do we; the register is as it was."""
    held, grams = system.plc.get(PORTION), system.fresh()
    system.plc.misbehave(faults.refuse(3), on=faults.WRITES)
    answer = system.http.write({"portion_g": grams})
    assert answer.verdict == (502, AckCode.PLC_REFUSED)
    assert answer.body["command"]["state"] == "failed"
    assert system.plc.get(PORTION) == held


@pytest.mark.invariant("I1")
@pytest.mark.invariant("I3")
@pytest.mark.parametrize("fault", DONE_BUT_ILL_CONFIRMED, ids=lambda fault: fault.kind)
def test_write_with_a_wrong_or_no_reply_is_applied_only_by_reading(system: System, fault: faults.Fault) -> None:
    """The confirmation is lost or of something else; the register tells, on a new connection, after one write."""
    grams, connections = system.fresh(), system.plc.connections_made
    system.plc.misbehave(fault, on=faults.WRITES)
    answer = system.http.write({"portion_g": grams}, wait_s=10)
    assert (answer.status, answer.code) == (200, AckCode.APPLIED)
    assert system.plc.get(PORTION) == (grams,)
    assert system.written(grams) == 1
    assert system.plc.connections_made > connections


@pytest.mark.invariant("I3")
@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(faults.DROP, marks=pytest.mark.fault("F12")),
        pytest.param(faults.RESET_BEFORE, marks=pytest.mark.fault("F15")),
    ],
    ids=lambda fault: fault.kind,
)
def test_write_lost_before_the_plc_is_502_not_written(system: System, fault: faults.Fault) -> None:
    """The PLC never acted; that is proved by reading, and nothing is sent again."""
    grams = system.fresh()
    system.plc.misbehave(fault, on=faults.WRITES)
    assert system.http.write({"portion_g": grams}, wait_s=10).verdict == (502, AckCode.NOT_WRITTEN)
    assert system.written(grams) == 0


@pytest.mark.invariant("I3")
def test_write_confirmed_but_not_held_is_502(system: System) -> None:
    """The PLC lies: what it holds is in the result."""
    held, grams = system.plc.get(PORTION)[0], system.fresh()
    system.plc.misbehave(faults.LIE, on=faults.WRITES)
    answer = system.http.write({"portion_g": grams})
    assert answer.verdict == (502, AckCode.READ_BACK_DIFFERS)
    assert answer.body["command"]["result"] == {"portion_g": held}


@pytest.mark.invariant("I1")
@pytest.mark.invariant("I3")
@pytest.mark.parametrize(
    ("fault", "end"), [(faults.LOST, "applied"), (faults.DROP, "failed")], ids=["written", "not-written"]
)
def test_silent_plc_is_202_unknown_until_it_speaks(system: System, fault: faults.Fault, end: str) -> None:
    """No evidence, no claim; when the PLC answers again, the command ends as it really was."""
    grams = system.fresh()
    system.plc.misbehave(fault, on=faults.WRITES).misbehave(faults.DROP, on=faults.READS, times=None)
    answer = system.http.write({"portion_g": grams}, wait_s=4)
    assert (answer.status, answer.body["state"], answer.body["final"]) == (202, "unknown", False)
    system.plc.behave()
    ended = system.ended(answer.command, within_s=15)
    assert ended["state"] == end
    states = [step["what"] for step in ended["steps"] if step["what"] in set(State)]
    assert states == ["pending", "accepted", "unknown", end]
    assert system.written(grams) == (1 if end == "applied" else 0)


@pytest.mark.invariant("I3")
def test_later_write_begins_only_when_the_doubtful_one_is_known(system: System) -> None:
    """It would wipe out the evidence, and restoring the former value would make the first one look undone."""
    former, grams = system.plc.get(PORTION)[0], system.fresh()
    system.plc.misbehave(faults.LOST, on=faults.WRITES).misbehave(faults.DROP, on=faults.READS, times=1)
    doubtful = system.write_aside({"portion_g": grams}, wait_s=1)
    eventually(lambda: system.written(grams), what="the doubtful write")
    restoring = system.http.write({"portion_g": former}, wait_s=10)
    ended = system.ended(doubtful.result().command)
    assert (ended["state"], restoring.status) == ("applied", 200)
    assert [write.words for write in system.plc.writes[-2:]] == [(grams,), (former,)]


@pytest.mark.invariant("I5")
def test_lost_plc_is_503_plc_lost_and_only_there(system: System) -> None:
    """Nothing is published for the dead PLC's devices, while the other PLC's take writes."""
    system.plc.power_off()
    try:
        eventually(lambda: system.http.site()["plcs"]["plc-1"] == "lost", what="a beat that says so")
        commands = len(system.http.commands())
        refused = system.http.write({"portion_g": system.fresh()})
        assert (refused.status, refused.code, refused.body["plc"]) == (503, "plc-lost", "plc-1")
        assert len(system.http.commands()) == commands
        assert system.http.write({"portion_g": system.fresh()}, device="feeder-3").status == 200
    finally:
        system.plc.power_on()
