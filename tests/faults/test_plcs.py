"""PLCs that are slow, mute, busy, refuse, forget, or are changed by hand meanwhile: what the whole system says then."""

from __future__ import annotations

from typing import Final

import pytest

from gateway.protocol.codes import AckCode
from tests import plc_faults as faults
from tests.conditions import eventually
from tests.system import DOSE_S, PORTION, SETTINGS, System

#: The agent of these tests waits this long for an answer.
TIMEOUT_S: Final = 1.0
DONE: Final = (200, AckCode.APPLIED)


def _fed(system: System, before: int) -> list[int | None]:
    return [dose.counted for dose in system.doses()[before:]]


@pytest.mark.fault("F10")
@pytest.mark.invariant("I1")
@pytest.mark.invariant("I3")
def test_setting_answered_after_the_time_out_is_applied_by_reading(system: System) -> None:
    """Given up by the driver, found by reading, sent once."""
    grams = system.fresh()
    system.plc.misbehave(faults.delay(TIMEOUT_S + 0.5), on={faults.WRITE_ONE}, times=1)
    assert system.http.write({"portion_g": grams}, wait_s=10).verdict == DONE
    assert system.written(grams) == 1


@pytest.mark.fault("F10")
@pytest.mark.invariant("I1")
@pytest.mark.invariant("I3")
def test_dose_answered_after_the_time_out_is_applied_by_the_mailbox(system: System) -> None:
    """However often the request had to be sent, one dose fell."""
    before = len(system.doses())
    system.plc.misbehave(faults.delay(TIMEOUT_S + 0.5), on={faults.WRITE_MANY}, times=1)
    assert system.feed(60, wait_s=10).verdict == DONE
    assert _fed(system, before) == [60]


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(faults.LOST, marks=pytest.mark.fault("F11"), id="lost"),
        pytest.param(faults.DROP, marks=pytest.mark.fault("F12"), id="drop"),
        pytest.param(faults.RESET_AFTER, marks=pytest.mark.fault("F15"), id="reset-after"),
        pytest.param(faults.RESET_BEFORE, marks=pytest.mark.fault("F15"), id="reset-before"),
    ],
)
@pytest.mark.invariant("I1")
@pytest.mark.invariant("I3")
def test_dose_whose_request_or_answer_is_lost_falls_once(system: System, fault: faults.Fault) -> None:
    """The mailbox takes a repeated request once, so even a request that was lost is repeated in time."""
    before = len(system.doses())
    system.plc.misbehave(fault, on={faults.WRITE_MANY}, times=1)
    assert system.feed(60, wait_s=15).verdict == DONE
    assert _fed(system, before) == [60]


@pytest.mark.fault("F13")
@pytest.mark.invariant("I3")
@pytest.mark.parametrize("code", [2, 3])
def test_dose_that_the_plc_refuses_is_502_with_its_words(system: System, code: int) -> None:
    """Not repeated: the PLC said no."""
    before = len(system.doses())
    system.plc.misbehave(faults.refuse(code), on={faults.WRITE_MANY}, times=1)
    answer = system.feed(60)
    assert answer.verdict == (502, AckCode.PLC_REFUSED)
    assert f"exception {code}" in answer.body["detail"]
    assert system.feed(65).verdict == DONE
    assert _fed(system, before) == [65]


@pytest.mark.fault("F14")
@pytest.mark.invariant("I1")
@pytest.mark.invariant("I2")
def test_plc_that_is_busy_twice_is_asked_again(system: System) -> None:
    """Exception 6 says that it did not act."""
    before, grams = len(system.doses()), system.fresh()
    system.plc.misbehave(faults.refuse(6), on=faults.WRITES, times=2)
    assert system.http.write({"portion_g": grams}).verdict == DONE
    system.plc.misbehave(faults.refuse(6), on={faults.WRITE_MANY}, times=2)
    assert system.feed(60).verdict == DONE
    assert system.written(grams) == 1
    assert _fed(system, before) == [60]


@pytest.mark.fault("F14")
@pytest.mark.invariant("I2")
@pytest.mark.invariant("I3")
def test_plc_that_stays_busy_gets_no_setting_and_no_dose(system: System) -> None:
    """Both end before long, and neither comes when the PLC has time again."""
    before, grams = len(system.doses()), system.fresh()
    system.plc.misbehave(faults.refuse(6), on=faults.WRITES, times=None)
    assert system.http.write({"portion_g": grams}, wait_s=10).verdict == (502, AckCode.PLC_REFUSED)
    asked = system.feed(60, ttl_s=2, wait_s=3)
    assert asked.status in {202, 502}
    system.plc.behave()
    assert system.ended(asked.command)["state"] == "failed"
    assert system.feed(65).verdict == DONE
    assert system.written(grams) == 0
    assert _fed(system, before) == [65]


@pytest.mark.fault("F17")
@pytest.mark.invariant("I3")
@pytest.mark.invariant("I16")
def test_power_cut_under_a_dose_is_told_with_what_had_fallen(system: System) -> None:
    """The PLC does not take it up again; the counter, which survives, tells how much was given."""
    before, feeder = len(system.doses()), system.plc.feeder(0)
    feeder.dose_s = 3.0
    try:
        waiting = system.feed_aside(100, wait_s=10)
        eventually(lambda: len(system.doses()) > before, what="the dose's begin")
        system.plc.power_off()
        system.plc.power_on()
        end = system.ended(waiting.result().command, within_s=30)
    finally:
        feeder.dose_s = DOSE_S
    (counted,) = _fed(system, before)
    assert counted is not None
    assert counted < 100
    assert (end["state"], end["code"]) == ("partial", AckCode.DOSE_SHORT)
    assert end["result"]["grams_counted"] == counted


@pytest.mark.fault("F17")
@pytest.mark.invariant("I1")
@pytest.mark.invariant("I3")
def test_power_cut_under_a_setting_is_applied_only_if_it_is_held_afterwards(system: System) -> None:
    """The register is retentive: it is read when the PLC is back, and not written again."""
    grams = system.fresh()
    system.plc.misbehave(faults.LOST, on=faults.WRITES, times=1)
    waiting = system.write_aside({"portion_g": grams}, wait_s=10)
    eventually(lambda: system.written(grams), what="the write at the PLC")
    system.plc.power_off()
    system.plc.power_on()
    assert system.ended(waiting.result().command, within_s=30)["state"] == "applied"
    assert system.written(grams) == 1


@pytest.mark.fault("F17")
@pytest.mark.invariant("I3")
@pytest.mark.invariant("I7")
def test_power_cut_that_wipes_the_registers_leaves_no_claim_about_the_setting(system: System) -> None:
    """Neither the asked nor the former value is there: unknown it stays, and it is in nobody's way."""
    grams, later = system.fresh(), system.fresh()
    system.plc.misbehave(faults.LOST, on=faults.WRITES, times=1)
    waiting = system.write_aside({"portion_g": grams}, wait_s=3)
    eventually(lambda: system.written(grams), what="the write at the PLC")
    system.plc.power_off()
    system.plc.set(PORTION, *([0] * len(SETTINGS)))
    system.plc.power_on()
    try:
        command = waiting.result().command
        eventually(lambda: system.http.command(command)["code"] == AckCode.NO_EVIDENCE, within_s=30, what="no evidence")
        assert system.http.command(command)["state"] == "unknown"
        system.passes({"portion_g": later}, within_s=15)
        assert system.written(grams) == 1
    finally:
        system.plc.set(PORTION, *SETTINGS)


@pytest.mark.fault("F18")
@pytest.mark.invariant("I3")
def test_panel_edit_between_write_and_read_back_wins_and_is_told(system: System) -> None:
    """What the register holds is in the answer; the write is not repeated over the panel's."""
    grams, by_hand = system.fresh(), system.fresh()
    system.plc.misbehave(faults.delay(0.6), on=faults.WRITES, times=1)
    waiting = system.write_aside({"portion_g": grams}, wait_s=10)
    eventually(lambda: system.written(grams), what="the write at the PLC")
    system.plc.set(PORTION, by_hand)
    answer = waiting.result()
    assert answer.verdict == (502, AckCode.READ_BACK_DIFFERS)
    assert answer.body["command"]["result"] == {"portion_g": by_hand}
    assert (system.written(grams), system.plc.get(PORTION)) == (1, (by_hand,))
    eventually(lambda: system.http.device()["settings"]["portion_g"] == by_hand, what="the panel's value in HTTP")
