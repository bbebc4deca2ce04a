from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from site_agent.simulator.feeder import DAY_S, MOST_FED_G, Feeder, Settings, advance

EIGHT = 8 * 3600.0
FEEDER = Feeder(now_s=EIGHT, timer_s=EIGHT, hopper_kg=25.0, fed_today_g=0)
ON = Settings(portion_g=120, interval_min=30, enabled=True)
OFF = replace(ON, enabled=False)


def test_feeder_before_its_interval_is_over_gives_nothing() -> None:
    """No meal comes early."""
    assert advance(FEEDER, ON, EIGHT + 1799).fed_today_g == 0


def test_feeder_after_its_interval_gives_one_portion_from_the_hopper() -> None:
    """A meal is counted and leaves the hopper."""
    fed = advance(FEEDER, ON, EIGHT + 1800)
    assert (fed.fed_today_g, fed.hopper_kg) == (120, 24.88)


def test_feeder_after_three_intervals_gave_three_portions() -> None:
    """A long step holds every meal in it."""
    assert advance(FEEDER, ON, EIGHT + 3 * 1800 + 10).fed_today_g == 360


def test_feeder_switched_off_gives_nothing() -> None:
    """A feeder at rest rests."""
    assert advance(FEEDER, OFF, EIGHT + 7200).fed_today_g == 0


def test_feeder_switched_on_again_starts_a_whole_interval() -> None:
    """Missed meals are not made up for."""
    rested = advance(FEEDER, OFF, EIGHT + 7200)
    assert advance(rested, ON, EIGHT + 7200 + 1799).fed_today_g == 0
    assert advance(rested, ON, EIGHT + 7200 + 1800).fed_today_g == 120


def test_feeder_with_a_shortened_interval_that_is_over_feeds_once_and_now() -> None:
    """A meal that is due by the new interval comes at once, and only once."""
    waited = advance(FEEDER, ON, EIGHT + 1200)
    assert advance(waited, replace(ON, interval_min=5), EIGHT + 1201).fed_today_g == 120


def test_hopper_with_less_than_a_portion_gives_what_is_left() -> None:
    """The last meal may be short, and the counter says so."""
    fed = advance(replace(FEEDER, hopper_kg=0.05), ON, EIGHT + 1800)
    assert (fed.fed_today_g, fed.hopper_kg) == (50, 0.0)


def test_empty_hopper_gives_nothing() -> None:
    """An auger that turns in an empty hopper feeds no fish."""
    assert advance(replace(FEEDER, hopper_kg=0.0), ON, EIGHT + 7200).fed_today_g == 0


def test_midnight_resets_what_was_fed_today() -> None:
    """A new day starts at zero; its first meal counts for it."""
    late = Feeder(now_s=DAY_S - 60.0, timer_s=DAY_S - 60.0, hopper_kg=25.0, fed_today_g=900)
    assert advance(late, ON, DAY_S + 1.0).fed_today_g == 0
    assert advance(late, ON, DAY_S + 1740.0).fed_today_g == 120


def test_counter_of_the_day_stops_at_its_end() -> None:
    """A uint16 does not wrap to zero in the middle of a day."""
    heavy = replace(FEEDER, fed_today_g=MOST_FED_G - 10)
    assert advance(heavy, ON, EIGHT + 1800).fed_today_g == MOST_FED_G


def test_time_that_runs_backwards_changes_nothing() -> None:
    """A clock that is set back makes no meal."""
    assert advance(FEEDER, ON, EIGHT - 100) == FEEDER


def test_water_drifts_within_what_fish_stand() -> None:
    """Over a day the water moves, slowly and within a few degrees."""
    day = [replace(FEEDER, now_s=EIGHT + hour * 3600.0).water_c for hour in range(24)]
    assert len(set(day)) > 12
    assert all(14 < water_c < 22 for water_c in day)


@given(
    st.lists(st.floats(0, 5 * DAY_S), min_size=1, max_size=20),
    st.integers(0, 2000),
    st.integers(1, 1440),
)
def test_feeder_advanced_in_steps_is_the_feeder_advanced_at_once(
    steps: list[float], portion_g: int, interval_min: int
) -> None:
    """How often the clock is looked at makes no difference."""
    settings = Settings(portion_g=portion_g, interval_min=interval_min, enabled=True)
    stepped = FEEDER
    for at_s in sorted(steps):
        stepped = advance(stepped, settings, EIGHT + at_s)
    assert stepped == advance(FEEDER, settings, EIGHT + max(steps))


@given(st.floats(0, 25), st.integers(0, 2000), st.floats(0, DAY_S))
def test_food_is_neither_made_nor_lost(hopper_kg: float, portion_g: int, elapsed_s: float) -> None:
    """What left the hopper is what was fed."""
    start = replace(FEEDER, now_s=0.0, timer_s=0.0, hopper_kg=round(hopper_kg, 3))
    end = advance(start, replace(ON, portion_g=portion_g, interval_min=60), min(elapsed_s, DAY_S - 1))
    assert round(1000 * (start.hopper_kg - end.hopper_kg)) == end.fed_today_g
