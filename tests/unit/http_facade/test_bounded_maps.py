"""What a facade remembers is bounded, however many names it is asked about (I15)."""

from __future__ import annotations

import pytest

from gateway.liveness import Alive
from gateway.protocol.messages import Heartbeat
from http_facade import catalogue, gate
from http_facade.catalogue import Recent
from http_facade.gate import Ages
from tests.fake_ledger import NOW

MOST = 8


@pytest.mark.invariant("I15")
def test_recent_answers_are_bounded_and_the_oldest_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sites and descriptions: what was asked for last stays."""
    monkeypatch.setattr(catalogue, "MAX_REMEMBERED", MOST)
    asked: list[int] = []

    def ask(key: int) -> int:
        asked.append(key)
        return key

    recent: Recent[int, int] = Recent(ask, lambda: 0.0)
    for key in range(3 * MOST):
        recent.get(key)
    assert len(recent._known) == MOST
    asked.clear()
    recent.get(3 * MOST - 1)
    recent.get(0)
    assert asked == [0]


@pytest.mark.invariant("I15")
def test_recent_forgets_at_once_what_was_not_there() -> None:
    """Names that nobody has do not fill the map."""
    recent: Recent[int, int] = Recent(lambda _: None, lambda: 0.0)
    for key in range(MOST):
        recent.get(key)
    assert len(recent._known) == 0


@pytest.mark.invariant("I15")
def test_ages_of_beats_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sites that were asked about, alive or not."""
    monkeypatch.setattr(gate, "MAX_SITES", MOST)
    ages, alive = Ages(), Alive(heartbeat=Heartbeat(epoch=1, seq=1, at=NOW, plcs={}), age_s=1.0)
    for number in range(3 * MOST):
        ages.absent(f"silent-{number}", 0.0)
        ages.age_s(f"alive-{number}", alive, asked_s=0.0, now_s=0.0)
    assert len(ages._seen) == MOST
