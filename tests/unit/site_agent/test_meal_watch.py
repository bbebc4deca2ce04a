"""Was a meal missed? By the counter, over time, silences included."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from gateway.protocol.meals import MealPlan, MealSlot
from gateway.protocol.messages import Value
from site_agent.meal_watch import Feeding, Judgement, judge, unseen

BY_INTERVAL = MealPlan(counter="total", enabled="enabled", interval="interval", portion="portion", window_min=10)
BY_SLOTS = MealPlan(counter="total", slots=(MealSlot(minute="m1", grams="g1"), MealSlot(minute="m2", grams="g2")))
MORNING = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
SPAN = 2**16


def _interval(total: int, **more: Value) -> dict[str, Value | None]:
    return {"total": total, "enabled": True, "interval": 30, "portion": 120, **more}


def _slots(total: int, **more: Value) -> dict[str, Value | None]:
    return {"total": total, "m1": 7 * 60, "g1": 100, "m2": 12 * 60, "g2": 200, **more}


def _watched(plan: MealPlan, looks: Iterable[tuple[int, dict[str, Value | None]]]) -> list[Judgement]:
    """The judgements of looks at minutes after six."""
    known: Feeding | None = None
    found = []
    for minute, values in looks:
        judgement = judge(plan, known, values, MORNING + timedelta(minutes=minute), span=SPAN)
        assert judgement is not None
        known = judgement.feeding
        found.append(judgement)
    return found


def _missed(plan: MealPlan, looks: Iterable[tuple[int, dict[str, Value | None]]]) -> list[str]:
    return [each.missed.detail for each in _watched(plan, looks) if each.missed is not None]


def _each_minute(minutes: int, total: int = 0) -> list[tuple[int, dict[str, Value | None]]]:
    return [(minute, _interval(total)) for minute in range(minutes)]


def test_interval_counter_that_stands_still_is_missed_after_interval_and_window() -> None:
    """Not before: the meal may be late by the window."""
    assert _missed(BY_INTERVAL, _each_minute(41)) == []
    assert _missed(BY_INTERVAL, _each_minute(42)) == [
        "no meal since 2026-11-23 06:00 UTC, though one is due every 30 min"
    ]


def test_interval_missed_meal_is_told_once_until_the_next_is_due() -> None:
    """Not at every look."""
    assert len(_missed(BY_INTERVAL, _each_minute(80))) == 1
    assert len(_missed(BY_INTERVAL, _each_minute(84))) == 2


def test_interval_counter_that_rises_in_time_is_fed() -> None:
    """And the interval counts from there."""
    looks = [(minute, _interval(120 * (minute // 35))) for minute in range(200)]
    assert _missed(BY_INTERVAL, looks) == []


def test_interval_counter_that_starts_anew_has_risen() -> None:
    """A 16-bit counter ends at 65535."""
    looks = [(0, _interval(65_500)), *((minute, _interval(84)) for minute in range(1, 41))]
    assert [each.fed for each in _watched(BY_INTERVAL, looks)][:3] == [False, True, False]


def test_interval_counter_that_was_set_back_is_no_meal() -> None:
    """Somebody has changed the PLC; nothing was fed by that."""
    looks = [(0, _interval(500)), *((minute, _interval(0)) for minute in range(1, 45))]
    assert not any(each.fed for each in _watched(BY_INTERVAL, looks))
    assert len(_missed(BY_INTERVAL, looks)) == 1


def test_feeder_that_rests_misses_nothing() -> None:
    """Switched off, or a portion of nothing."""
    for more in ({"enabled": False}, {"portion": 0}):
        assert _missed(BY_INTERVAL, [(minute, _interval(0, **more)) for minute in range(200)]) == []


def test_plan_that_was_changed_counts_from_the_change() -> None:
    """A shorter interval is not missed for what lies before it."""
    looks = [(minute, _interval(0, interval=600)) for minute in range(100)]
    looks += [(minute, _interval(0)) for minute in range(100, 140)]
    assert _missed(BY_INTERVAL, looks) == []


def test_slot_counter_that_did_not_rise_within_the_window_is_missed() -> None:
    """When the window closes, with the time where the feeder is."""
    there = BY_SLOTS.model_copy(update={"time_zone": "Asia/Jerusalem"})
    looks = [(minute, _slots(0, m1=9 * 60)) for minute in range(72)]
    assert _missed(there, looks) == ["the meal of 2026-11-23 09:00 IST (100 g) was not given: the counter did not rise"]
    assert _missed(there, looks[:70]) == []


def test_slot_meal_that_came_a_little_early_or_late_is_fed() -> None:
    """Clocks of a PLC and of a PC differ."""
    for at in (51, 60, 69):
        looks = [(minute, _slots(0 if minute < at else 100)) for minute in range(200)]
        assert _missed(BY_SLOTS, looks) == []


def test_slot_meal_before_its_window_is_no_meal_of_it() -> None:
    """A dose at half past six is not the breakfast at seven."""
    looks = [(minute, _slots(0 if minute < 30 else 100)) for minute in range(72)]
    assert len(_missed(BY_SLOTS, looks)) == 1


def test_slot_that_the_agent_first_saw_after_its_window_opened_is_not_judged() -> None:
    """The meal may have been given before the first look."""
    looks = [(minute, _slots(0)) for minute in range(55, 80)]
    assert _missed(BY_SLOTS, looks) == []


def test_slot_that_was_moved_here_within_its_window_is_not_judged() -> None:
    """Who sets a meal to now does not mean one of a minute ago."""
    looks = [(minute, _slots(0, m1=0)) for minute in range(55)]
    looks += [(minute, _slots(0)) for minute in range(55, 80)]
    assert _missed(BY_SLOTS, looks) == []


def test_two_meals_close_together_need_a_rise_each() -> None:
    """Their windows end halfway between them."""
    close = {"m2": 7 * 60 + 8}
    once = [(minute, _slots(0 if minute < 60 else 100, **close)) for minute in range(90)]
    twice = [(minute, _slots(0 if minute < 60 else 100 if minute < 68 else 300, **close)) for minute in range(90)]
    assert len(_missed(BY_SLOTS, once)) == 1
    assert _missed(BY_SLOTS, twice) == []


def test_slots_over_a_gap_are_judged_by_their_grams() -> None:
    """Nobody saw when the counter rose, only by how much."""
    assert _missed(BY_SLOTS, [(0, _slots(0)), (600, _slots(300))]) == []
    assert _missed(BY_SLOTS, [(0, _slots(0)), (600, _slots(200))]) == [
        "300 g were planned between 2026-11-23 06:00 UTC and 2026-11-23 16:00 UTC, when the counter could not be read;"
        " it rose by 200 g"
    ]


def test_interval_over_a_gap_is_judged_by_its_grams() -> None:
    """One meal fewer than fits, since nobody knows where in its interval the feeder was."""
    assert _missed(BY_INTERVAL, [(0, _interval(0)), (300, _interval(9 * 120))]) == []
    assert len(_missed(BY_INTERVAL, [(0, _interval(0)), (300, _interval(5 * 120))])) == 1


def test_clock_set_back_begins_anew() -> None:
    """No meal is missed by that."""
    assert _missed(BY_SLOTS, [(300, _slots(0)), (0, _slots(0)), (40, _slots(0))]) == []


def test_counter_that_was_not_read_judges_nothing() -> None:
    """Nor does one that makes no sense."""
    assert judge(BY_SLOTS, None, {"total": None}, MORNING, span=SPAN) is None
    assert judge(BY_SLOTS, None, {"total": "many"}, MORNING, span=SPAN) is None


def test_plc_that_is_silent_over_a_meal_is_told() -> None:
    """Before it is back: somebody should look now."""
    feeding = _watched(BY_SLOTS, [(0, _slots(0))])[0].feeding
    assert unseen(BY_SLOTS, feeding, MORNING + timedelta(minutes=69)) is None
    missed = unseen(BY_SLOTS, feeding, MORNING + timedelta(minutes=71))
    assert missed is not None
    assert missed.grams == 100
    assert "not been read since 2026-11-23 06:00 UTC" in missed.detail


def test_plc_that_is_silent_over_an_interval_is_told() -> None:
    """By then a meal was due, wherever in its interval the feeder was."""
    feeding = _watched(BY_INTERVAL, [(0, _interval(0))])[0].feeding
    assert unseen(BY_INTERVAL, feeding, MORNING + timedelta(minutes=39)) is None
    assert unseen(BY_INTERVAL, feeding, MORNING + timedelta(minutes=40)) is not None


def test_interval_of_next_to_nothing_is_no_plan() -> None:
    """A float with its words in a wrong order reads 2e-41; nobody divides by it."""
    for interval in (2.4e-41, 0, -5):
        values = _interval(0, interval=interval)
        assert _missed(BY_INTERVAL, [(minute, values) for minute in range(200)]) == []
        known = _watched(BY_INTERVAL, [(0, values)])[-1].feeding
        assert unseen(BY_INTERVAL, known, MORNING + timedelta(hours=5)) is None


def test_clock_that_goes_back_a_little_forgets_nothing() -> None:
    """A week without a meal, and a clock that is corrected by 0.15 s every hour."""
    known: Feeding | None = None
    missed = 0
    for second in range(0, 7 * 86_400, 60):
        back = timedelta(seconds=0.15) if second % 3_600 == 60 else timedelta()
        at = MORNING + timedelta(seconds=second) + (timedelta(seconds=0) if back else timedelta(seconds=0.2)) - back
        judgement = judge(BY_INTERVAL, known, _interval(0), at, span=SPAN)
        assert judgement is not None
        known, missed = judgement.feeding, missed + (judgement.missed is not None)
    assert missed > 200


def test_meal_whose_time_a_silence_ended_in_may_still_be_missed() -> None:
    """What the counter rose by was the meal before it: the second one is not taken for given."""
    looks = [(0, _slots(0)), (365, _slots(100)), *((minute, _slots(100)) for minute in range(366, 400))]
    assert _missed(BY_SLOTS, looks) == [
        "the meal of 2026-11-23 12:00 UTC (200 g) was not given: the counter did not rise"
    ]


def test_meal_that_was_given_before_a_silence_is_no_unseen_one() -> None:
    """Within its window, though before its minute."""
    known = _watched(BY_SLOTS, [(0, _slots(0)), (58, _slots(0)), (59, _slots(100))])[-1].feeding
    assert unseen(BY_SLOTS, known, MORNING + timedelta(minutes=75)) is None


def test_moved_feeding_tells_the_same_by_a_clock_that_was_set() -> None:
    """An hour on, while the counter is read all the time: nothing was missed by that."""
    known = _watched(BY_SLOTS, [(0, _slots(0)), (30, _slots(0))])[-1].feeding
    step = timedelta(hours=1)
    judgement = judge(BY_SLOTS, known.moved(step), _slots(0), MORNING + timedelta(minutes=31) + step, span=SPAN)
    assert judgement is not None
    assert judgement.missed is None
