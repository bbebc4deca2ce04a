from __future__ import annotations

from itertools import pairwise

from site_agent.simulator.pond import Climate, Pond, drift_g
from site_agent.simulator.scenario import BY_NAME

CLIMATE = Climate(mean=7.8, swing=1.3)
NOON = 12 * 3600.0


def oxygen(hour: float, climate: Climate = CLIMATE, seed: str = "1") -> float:
    """Without a meal."""
    return Pond(now_s=hour * 3600, seed=seed).oxygen_mg_l(climate)


def test_oxygen_is_lowest_before_dawn_and_highest_in_the_afternoon() -> None:
    """Algae make it by day, and everybody breathes it by night."""
    by_hour = [oxygen(hour) for hour in range(24)]
    assert by_hour.index(min(by_hour)) in range(3, 7)
    assert by_hour.index(max(by_hour)) in range(15, 19)


def test_oxygen_falls_with_a_meal_and_comes_back() -> None:
    """Digesting takes it, the air gives it again."""
    fed = Pond(now_s=NOON).later(CLIMATE, NOON, 300)
    assert fed.oxygen_mg_l(CLIMATE) < Pond(now_s=NOON).oxygen_mg_l(CLIMATE) - 0.4
    later = fed.later(CLIMATE, NOON + 4 * 3600, 0)
    assert later.oxygen_mg_l(CLIMATE) > oxygen(16) - 0.02


def test_oxygen_in_two_steps_is_that_of_one() -> None:
    """How often it is looked at makes no difference."""
    fed = Pond(now_s=NOON).later(CLIMATE, NOON, 300)
    stepped = fed.later(CLIMATE, NOON + 600, 0).later(CLIMATE, NOON + 1200, 0)
    assert abs(stepped.demand_mg_l - fed.later(CLIMATE, NOON + 1200, 0).demand_mg_l) < 1e-9


def test_oxygen_under_a_clock_that_is_set_back_stays() -> None:
    """Time that runs backwards gives no breath."""
    fed = Pond(now_s=NOON).later(CLIMATE, NOON, 300)
    assert fed.later(CLIMATE, NOON - 600, 0) == fed


def test_oxygen_of_the_same_seed_is_the_same() -> None:
    """And of another one another."""
    assert oxygen(12, seed="1") == oxygen(12, seed="1")
    assert len({oxygen(12, seed=str(seed)) for seed in range(10)}) > 1


def test_oxygen_of_the_night_falls_under_four_before_dawn_only() -> None:
    """Of all scenarios this one is for that."""
    night, ordinary = (BY_NAME[name].climate for name in ("night-oxygen", "ordinary-day"))
    assert night is not None
    assert ordinary is not None
    assert min(oxygen(hour / 4, night) for hour in range(8, 28)) < 4
    assert all(oxygen(hour, night) > 4 for hour in range(9, 24))
    assert all(oxygen(hour, ordinary) > 5 for hour in range(24))


def test_scale_wanders_slowly_both_ways_and_not_too_far() -> None:
    """In the steps of its display, and the same for the same seed."""
    day = [drift_g("1", hour * 600.0, 150) for hour in range(144 * 3)]
    assert min(day) < 0 < max(day)
    assert max(map(abs, day)) <= 150
    assert all(abs(after - before) <= 20 for before, after in pairwise(day))
    assert all(grams % 10 == 0 for grams in day)
