from __future__ import annotations

from site_agent.simulator import block
from site_agent.simulator.memory import DEFAULTS, at_power_up


def test_feeder_without_a_memory_starts_with_the_defaults() -> None:
    """And all else is 0."""
    held = block.decode(at_power_up([], same_day=False))
    assert {name: value for name, value in held.items() if value} == {
        name: value for name, value in DEFAULTS.items() if value
    }


def test_memory_of_the_same_day_is_kept_but_for_the_watchdog() -> None:
    """Nobody has counted since the power came back."""
    kept = list(range(100, 100 + block.SIZE))
    words = at_power_up(kept, same_day=True)
    assert [at for at in range(block.SIZE) if words[at] != kept[at]] == [block.WATCHDOG]
    assert words[block.WATCHDOG] == 0


def test_memory_of_another_day_starts_with_nothing_fed_today() -> None:
    """Settings, hopper and lifetime total stay."""
    kept = list(range(100, 100 + block.SIZE))
    before, after = block.decode(kept), block.decode(at_power_up(kept, same_day=False))
    assert {name for name in before if before[name] != after[name]} == {"fed_today_g"}
    assert after["fed_today_g"] == 0
