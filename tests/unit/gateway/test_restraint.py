"""How much of something each may have."""

from __future__ import annotations

from gateway import restraint
from gateway.restraint import Quota


def test_quota_is_used_up_and_comes_back() -> None:
    """At its own pace, and never to more than all of it."""
    each = Quota(per_s=10, at_once=100)
    assert each.take("a", 100, 0.0)
    assert not each.take("a", 1, 0.0)
    assert each.take("a", 20, 2.0)
    assert not each.take("a", 1, 2.0)
    assert not each.take("a", 101, 1_000.0)
    assert each.take("a", 100, 1_000.0)


def test_quota_of_one_is_not_anothers() -> None:
    """Each has all of it."""
    each = Quota(per_s=10, at_once=100)
    assert each.take("a", 100, 0.0)
    assert each.take("b", 100, 0.0)


def test_what_is_refused_costs_nothing() -> None:
    """Who asks for too much may still have less."""
    each = Quota(per_s=10, at_once=100)
    assert not each.take("a", 200, 0.0)
    assert each.take("a", 100, 0.0)


def test_names_whose_quota_is_whole_again_are_forgotten() -> None:
    """However many there ever were."""
    each = Quota(per_s=10, at_once=100)
    for number in range(3 * restraint._REMEMBERED):
        each.take(f"site-{number}", 1, float(number))
    assert len(each._left) <= restraint._REMEMBERED
