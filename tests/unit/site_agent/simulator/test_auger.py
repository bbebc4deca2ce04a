from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from site_agent.mailbox import MailboxCommand, MailboxStatus, Result
from site_agent.simulator.auger import NO_ALARM, SOUND, STALL_S, Alarm, Auger, latched
from site_agent.simulator.dosing import FEED, Doser, scan
from site_agent.simulator.feeder import Feeder, Settings, advance

EIGHT = 8 * 3600.0
FEEDER = Feeder(now_s=EIGHT, timer_s=EIGHT, hopper_kg=25.0, fed_today_g=0)
ON = Settings(portion_g=120, interval_min=30, enabled=True)
LIVELY = Auger(meal_g_per_s=2, dose_g_per_s=20)
SCATTERED = replace(LIVELY, scatter=0.03, seed="1")
JAMMED = replace(LIVELY, jammed=True)
MEAL_S = EIGHT + 1800
NOTHING = MailboxStatus(done_seq=6, done_check=1, result=1, counter_before=0, counter_after=0, busy_seq=0, fence=3)
DOSE = MailboxCommand(cmd_seq=7, last_seq=6, fence=3, op=FEED, arg_1=200).words()


def dosed(auger: Auger, *moments_s: float, hopper_g: int = 5000) -> Doser:
    """A dose of 200 g, looked at in these seconds after its begin."""
    doser = Doser(status=NOTHING, total_g=1000, hopper_g=hopper_g)
    for at_s in (0.0, *moments_s):
        doser = scan(doser, DOSE, 100 + at_s, interlocked=False, alive=True, auger=auger)
    return doser


def test_meal_of_a_lively_auger_takes_its_time() -> None:
    """Two grams a second, and then it is over."""
    half = advance(FEEDER, ON, MEAL_S + 30, LIVELY)
    assert (half.fed_today_g, half.hopper_kg, half.meal is None) == (60, 24.94, False)
    whole = advance(half, ON, MEAL_S + 61, LIVELY)
    assert (whole.fed_today_g, whole.meal, whole.alarms) == (120, None, NO_ALARM)


def test_meal_that_jams_ends_short_with_both_alarms() -> None:
    """What had fallen counts; the next whole meal takes one alarm back, and a cleared auger the other."""
    begun = advance(FEEDER, ON, MEAL_S + 20, LIVELY)
    assert advance(begun, ON, MEAL_S + 20 + STALL_S - 1, JAMMED).meal is not None
    jammed = advance(begun, ON, MEAL_S + 20 + STALL_S, JAMMED)
    assert (jammed.fed_today_g, jammed.meal, jammed.alarms) == (40, None, Alarm.JAM | Alarm.DOSE_SHORT)
    cleared = advance(jammed, ON, MEAL_S + 600, LIVELY)
    assert cleared.alarms == Alarm.DOSE_SHORT
    assert advance(cleared, ON, MEAL_S + 1800 + 61, LIVELY).alarms == NO_ALARM


def test_meal_held_by_a_dose_comes_after_it() -> None:
    """It is due, and waits."""
    held = advance(FEEDER, ON, MEAL_S + 20, replace(LIVELY, held=True))
    assert held.fed_today_g == 0
    assert advance(held, ON, MEAL_S + 50, LIVELY).fed_today_g == 60


def test_meal_under_way_ends_when_the_feeder_is_switched_off() -> None:
    """A person's will is no alarm."""
    begun = advance(FEEDER, ON, MEAL_S + 20, LIVELY)
    off = advance(begun, replace(ON, enabled=False), MEAL_S + 60, LIVELY)
    assert (off.fed_today_g, off.meal, off.alarms) == (40, None, NO_ALARM)


def test_meal_of_an_auger_that_drags_ends_over_time() -> None:
    """A PLC does not wait for ever."""
    ended = advance(FEEDER, ON, MEAL_S + 600, replace(LIVELY, pace=0.2))
    assert ended.alarms == Alarm.DOSE_SHORT | Alarm.DOSE_OVER_TIME
    assert 0 < ended.fed_today_g < 120


def test_dose_of_a_jammed_auger_ends_short_after_a_while() -> None:
    """The counter stands still, and the mailbox says how far it came."""
    doser = dosed(JAMMED, STALL_S - 1)
    assert doser.run is not None
    ended = dosed(JAMMED, STALL_S)
    assert (ended.status.result, ended.total_g, ended.alarms) == (
        Result.SHORT,
        1000,
        Alarm.JAM | Alarm.DOSE_SHORT,
    )


def test_dose_of_a_tripped_motor_ends_short_at_once() -> None:
    """A contact tells the PLC, which does not wait."""
    ended = dosed(replace(LIVELY, tripped=True), 0.1)
    assert (ended.status.result, ended.alarms) == (Result.SHORT, Alarm.MOTOR_FAULT | Alarm.DOSE_SHORT)


def test_dose_of_an_auger_that_drags_ends_over_time() -> None:
    """The limit is twice what it should take, and five seconds."""
    slow = replace(LIVELY, pace=0.2)
    assert dosed(slow, 25.0).run is not None
    ended = dosed(slow, 25.0, 25.1)
    assert (ended.status.result, ended.alarms) == (Result.SHORT, Alarm.DOSE_SHORT | Alarm.DOSE_OVER_TIME)


def test_dose_that_is_cleared_in_time_is_whole() -> None:
    """A short stand is no jam."""
    doser = dosed(JAMMED, 3.0)
    for at_s in (103.0, 114.0):
        doser = scan(doser, DOSE, at_s, interlocked=False, alive=True, auger=LIVELY)
    assert (doser.status.result, doser.total_g, doser.alarms) == (Result.DONE, 1200, NO_ALARM)


def test_dose_that_nobody_watches_leaves_the_alarm_of_a_short_one() -> None:
    """It gave less than was asked."""
    doser = dosed(LIVELY, 1.0)
    ended = scan(doser, DOSE, 102.0, interlocked=False, alive=False, auger=LIVELY)
    assert (ended.status.result, ended.alarms) == (Result.INTERRUPTED, Alarm.DOSE_SHORT)


def test_dose_scatters_in_the_hopper_and_not_in_the_counter() -> None:
    """The PLC counts turns; what falls is up to 3 % more or less, and the same again for the same seed."""
    ended = dosed(SCATTERED, 11.0)
    assert (ended.status.result, ended.total_g) == (Result.DONE, 1200)
    fell_g = 5000 - ended.hopper_g
    assert fell_g != 200
    assert 194 <= fell_g <= 206
    assert dosed(SCATTERED, 4.0, 11.0) == ended
    assert dosed(replace(SCATTERED, seed="2"), 11.0).hopper_g != ended.hopper_g


def test_hopper_that_runs_out_gives_no_more_than_it_held() -> None:
    """Whatever the scatter."""
    ended = dosed(SCATTERED, 11.0, hopper_g=150)
    assert (ended.status.result, ended.hopper_g, ended.alarms) == (Result.SHORT, 0, Alarm.DOSE_SHORT)


def test_alarm_of_a_jam_outlasts_a_portion_that_is_whole() -> None:
    """Only clearing it takes it back."""
    assert latched(Alarm.JAM | Alarm.DOSE_SHORT | Alarm.DOSE_OVER_TIME, NO_ALARM) == Alarm.JAM


def test_auger_that_somebody_worked_at_is_sound() -> None:
    """Whatever it had."""
    assert replace(SOUND, jammed=True, tripped=True, pace=0.1).repaired() == SOUND


@given(st.lists(st.floats(0, 90_000), min_size=1, max_size=20), st.integers(0, 2000), st.integers(1, 240))
def test_lively_feeder_in_steps_feeds_as_much_as_at_once(steps: list[float], portion_g: int, interval_min: int) -> None:
    """How often the clock is looked at makes no difference to the fish."""
    settings = Settings(portion_g=portion_g, interval_min=interval_min, enabled=True)
    stepped = FEEDER
    for at_s in sorted(steps):
        stepped = advance(stepped, settings, EIGHT + at_s, SCATTERED)
    at_once = advance(FEEDER, settings, EIGHT + max(steps), SCATTERED)
    assert abs(stepped.given_g - at_once.given_g) <= 1
    assert abs(stepped.hopper_kg - at_once.hopper_kg) < 0.002
