from __future__ import annotations

from dataclasses import replace

import pytest

from site_agent.mailbox import MailboxCommand, MailboxStatus, Result
from site_agent.simulator.dosing import FEED, FLOW_G_PER_S, WATCHDOG_S, Doser, Watch, power_up, scan

FRESH = Doser(
    status=MailboxStatus(done_seq=6, done_check=1, result=1, counter_before=0, counter_after=0, busy_seq=0, fence=3),
    total_g=1000,
    hopper_g=5000,
)
DOSE = MailboxCommand(cmd_seq=7, last_seq=6, fence=3, op=FEED, arg_1=200)


def turn(doser: Doser, now_s: float, command: MailboxCommand = DOSE, *, alive: bool = True) -> Doser:
    """One scan without an interlock."""
    return scan(doser, command.words(), now_s, interlocked=False, alive=alive)


def test_dose_flows_with_time_and_ends_with_its_grams() -> None:
    """Total and hopper move together, and the answer comes as a whole at the end."""
    begun = turn(FRESH, 10.0)
    assert (begun.status.busy_seq, begun.status.done_seq) == (7, 6)
    half = turn(begun, 10.0 + 100 / FLOW_G_PER_S)
    assert (half.total_g, half.hopper_g, half.status) == (1100, 4900, begun.status)
    ended = turn(half, 60.0)
    assert (ended.total_g, ended.hopper_g, ended.run) == (1200, 4800, None)
    assert ended.status == MailboxStatus(
        done_seq=7,
        done_check=DOSE.check,
        result=Result.DONE,
        counter_before=1000,
        counter_after=1200,
        busy_seq=0,
        fence=3,
    )


def test_time_that_runs_backwards_takes_no_food_back() -> None:
    """A clock that is set does not move an auger."""
    half = turn(turn(FRESH, 10.0), 11.0)
    assert turn(half, 5.0).total_g == half.total_g == 1100


def test_dose_ends_short_when_the_hopper_is_empty() -> None:
    """No sooner than it is empty, and with what there was."""
    begun = turn(replace(FRESH, hopper_g=150), 0.0)
    assert turn(begun, 1.0).run is not None
    ended = turn(begun, 2.0)
    assert (ended.status.result, ended.status.counter_after, ended.hopper_g) == (Result.SHORT, 1150, 0)


def test_dose_nobody_watches_is_interrupted_where_it_is() -> None:
    """What had flowed by then counts."""
    ended = turn(turn(FRESH, 0.0), 1.0, alive=False)
    assert (ended.status.result, ended.status.counter_after, ended.run) == (Result.INTERRUPTED, 1100, None)


def test_dose_that_is_over_is_done_although_nobody_watches() -> None:
    """The end came first."""
    assert turn(turn(FRESH, 0.0), 2.0, alive=False).status.result == Result.DONE


def test_power_cut_ends_a_dose_without_a_further_gram() -> None:
    """Time without power moves nothing."""
    half = turn(turn(FRESH, 0.0), 1.0)
    ended = power_up(half)
    assert (ended.status.done_seq, ended.status.result, ended.total_g) == (7, Result.INTERRUPTED, 1100)
    assert power_up(ended) == ended
    assert power_up(FRESH) == FRESH


def test_total_at_its_end_starts_anew() -> None:
    """It is a counter of 32 bits."""
    ended = turn(turn(replace(FRESH, total_g=0xFFFF_FFFF), 0.0), 9.0)
    assert (ended.status.counter_before, ended.status.counter_after) == (0xFFFF_FFFF, 199)


@pytest.mark.parametrize(
    "change",
    [{"cmd_seq": 0}, {"cmd_seq": 6}, {"last_seq": 5}, {"last_seq": 7}, {"fence": 2}],
)
def test_command_that_does_not_fit_changes_nothing(change: dict[str, int]) -> None:
    """Not even the fence."""
    assert turn(FRESH, 0.0, replace(DOSE, **change)) == FRESH


@pytest.mark.parametrize("place", range(10))
def test_command_with_a_flipped_bit_changes_nothing(place: int) -> None:
    """Wherever it is."""
    words = [word ^ (1 if at == place else 0) for at, word in enumerate(DOSE.words())]
    assert scan(FRESH, words, 0.0, interlocked=False, alive=True) == FRESH


def test_command_of_a_higher_fence_shuts_out_the_former_agent() -> None:
    """From its begin on."""
    begun = turn(FRESH, 0.0, replace(DOSE, fence=9))
    ended = turn(begun, 9.0, replace(DOSE, fence=9))
    assert (begun.status.fence, ended.status.fence) == (9, 9)
    assert turn(ended, 10.0, replace(DOSE, cmd_seq=8, last_seq=7, fence=8)) == ended


def test_watch_bites_only_after_the_word_was_counted() -> None:
    """An agent that counts no watchdog is not waited for."""
    watch = Watch()
    assert watch.see(0, 1e9).alive(2e9)
    counted = watch.see(1, 100.0)
    assert counted.alive(100.0 + WATCHDOG_S)
    assert not counted.alive(100.1 + WATCHDOG_S)


def test_watch_starts_anew_with_each_count_and_each_dose() -> None:
    """Counting over the word's end is counting too."""
    watch = Watch().see(0xFFFF, 0.0).see(0, 50.0)
    assert watch.alive(50.0 + WATCHDOG_S)
    assert not watch.alive(200.0)
    assert watch.anew(200.0).see(0, 210.0).alive(200.0 + WATCHDOG_S)
    assert not watch.anew(200.0).alive(200.1 + WATCHDOG_S)
