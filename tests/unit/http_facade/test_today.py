"""What fell today is worked out by one thread, and told to many."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime

import pytest

from gateway.feed_today import SiteToday
from gateway.protocol.description import Description
from gateway.protocol.errors import Unavailable
from http_facade import today
from http_facade.refusals import Overloaded
from http_facade.today import FRESH_S, OLDEST_S, Today
from tests.conditions import eventually


@dataclass
class Slow:
    """Sites and their feed; each look lasts until it is let go."""

    looks: int = 0
    at_once: int = 0
    most_at_once: int = 0
    failure: Exception | None = None
    gate: threading.Event = field(default_factory=threading.Event)

    def descriptions(self) -> Mapping[str, Mapping[str, Description]]:
        """As Sites."""
        return {}

    def of(self, sites: Mapping[str, Mapping[str, Description]], now: datetime) -> Mapping[str, SiteToday]:  # noqa: ARG002 # the port's signature
        """As FeedToday."""
        self.looks += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        assert self.gate.wait(10)
        self.at_once -= 1
        if self.failure is not None:
            raise self.failure
        return {}


@dataclass
class Clock:
    """Stands until it is set on."""

    now_s: float = 0.0

    def __call__(self) -> float:
        """Seconds."""
        return self.now_s


@pytest.fixture
def slow() -> Slow:
    """Let go at once, unless a test holds it."""
    made = Slow()
    made.gate.set()
    return made


@pytest.fixture
def clock() -> Clock:
    """At 0."""
    return Clock()


@pytest.fixture
def board(slow: Slow, clock: Clock) -> Iterator[Today]:
    """Closed at the end."""
    made = Today(slow, slow, clock=clock)
    yield made
    slow.gate.set()
    made.close()


@pytest.mark.invariant("I15")
def test_many_who_ask_at_once_cause_one_look(board: Today, slow: Slow) -> None:
    """All of them get what it has found."""
    slow.gate.clear()
    with ThreadPoolExecutor(20) as pool:
        asked = [pool.submit(board.now) for _ in range(20)]
        eventually(lambda: slow.looks == 1, what="the look")
        slow.gate.set()
        found = {id(each.result(10)) for each in asked}
    assert (len(found), slow.looks, slow.most_at_once) == (1, 1, 1)


def test_who_asks_soon_again_is_told_the_same(board: Today, slow: Slow, clock: Clock) -> None:
    """Without another look."""
    first = board.now()
    clock.now_s = FRESH_S
    assert board.now() is first
    assert slow.looks == 1


def test_who_asks_later_waits_for_nothing_and_the_next_one_is_told_the_news(
    board: Today, slow: Slow, clock: Clock
) -> None:
    """The look runs beside; only one, however many ask."""
    first = board.now()
    slow.gate.clear()
    clock.now_s = FRESH_S + 1
    assert [board.now() for _ in range(5)] == [first] * 5
    slow.gate.set()
    eventually(lambda: board.now() is not first, what="the news")
    assert slow.looks == 2


def test_who_asks_after_a_pause_is_not_told_of_long_ago(board: Today, clock: Clock) -> None:
    """But waits for the look."""
    first = board.now()
    clock.now_s = OLDEST_S + 1
    assert board.now() is not first


def test_failure_is_told_only_when_the_former_is_too_old(board: Today, slow: Slow, clock: Clock) -> None:
    """And the next one who asks has it tried again."""
    first = board.now()
    slow.failure = Unavailable("database", "gone")
    clock.now_s = FRESH_S + 1
    assert board.now() is first
    clock.now_s = OLDEST_S + 1
    with pytest.raises(Unavailable):
        board.now()
    slow.failure = None
    assert board.now() is not first


@pytest.mark.invariant("I15")
def test_look_that_takes_too_long_refuses(board: Today, slow: Slow, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for ever."""
    monkeypatch.setattr(today, "WAIT_S", 0.05)
    slow.gate.clear()
    with pytest.raises(Overloaded):
        board.now()


def test_closed_one_begins_nothing(board: Today, slow: Slow) -> None:
    """The facade stops."""
    board.close()
    with pytest.raises(Overloaded):
        board.now()
    assert slow.looks == 0
