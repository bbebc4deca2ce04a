"""Wrong tokens are counted per address and id, in bounded memory."""

from __future__ import annotations

import pytest

from http_facade import attempts
from http_facade.attempts import Attempts


def test_wrong_tokens_are_told_to_wait_after_some() -> None:
    """For the rest of the minute; others are not."""
    counted = Attempts(most=3, window_s=60)
    assert [counted.failed("a") for _ in range(3)] == [None] * 3
    assert 0 < (counted.failed("a") or 0) <= 60
    assert counted.failed("b") is None


def test_one_of_several_that_sent_too_many_is_enough() -> None:
    """The same id from many addresses, or many ids from one."""
    counted = Attempts(most=3, window_s=60)
    waits = [counted.failed(f"address {number}", "id 1") for number in range(5)]
    assert [wait is None for wait in waits] == [True, True, True, False, False]


def test_window_that_is_over_counts_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then it begins anew."""
    now_s = [0.0]
    monkeypatch.setattr("http_facade.attempts.time.monotonic", lambda: now_s[0])
    counted = Attempts(most=1, window_s=60)
    assert (counted.failed("a"), counted.failed("a")) == (None, 60.0)
    now_s[0] = 60.0
    assert counted.failed("a") is None


@pytest.mark.invariant("I15")
def test_memory_of_wrong_tokens_is_bounded() -> None:
    """However many addresses somebody has."""
    counted = Attempts()
    for number in range(attempts.REMEMBERED + 100):
        counted.failed(f"address {number}")
    assert len(counted._counts) == attempts.REMEMBERED
