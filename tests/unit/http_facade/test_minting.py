"""Ids that sort by the order in which they were made."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.protocol.ids import is_command_id
from http_facade.minting import CommandIds


@given(st.lists(st.integers(0, 2**47), min_size=1, max_size=50))
def test_ids_rise_whatever_the_clock_does(times_ms: list[int]) -> None:
    """Neither one millisecond nor a step back of the clock brings them out of order."""
    times = iter(times_ms)
    ids = CommandIds(lambda: next(times) * 1_000_000)
    made = [ids.next() for _ in times_ms]
    assert made == sorted(set(made))
    assert all(map(is_command_id, made))
