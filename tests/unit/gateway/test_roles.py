"""What roles cover."""

from __future__ import annotations

import pytest

from gateway.roles import Caller, Role

ORDER = [Role.VIEWER, Role.OPERATOR, Role.ENGINEER, Role.ADMIN]


@pytest.mark.parametrize("role", ORDER)
@pytest.mark.parametrize("needed", ORDER)
def test_role_covers_itself_and_those_before_it(role: Role, needed: Role) -> None:
    """And none after it."""
    assert role.covers(needed) == (ORDER.index(role) >= ORDER.index(needed))


def test_caller_may_only_at_its_own_sites() -> None:
    """Whatever its role is."""
    caller = Caller("dana", Role.ADMIN, frozenset({"arava-1"}))
    assert (caller.may(Role.VIEWER, "arava-1"), caller.may(Role.VIEWER, "arava-2")) == (True, False)
    assert Caller("root", Role.VIEWER).may(Role.VIEWER, "arava-2")


@pytest.mark.parametrize(
    ("caller", "role", "sites", "may"),
    [
        (Caller("a", Role.ADMIN), Role.ADMIN, None, True),
        (Caller("a", Role.ADMIN, frozenset({"arava-1"})), Role.ADMIN, frozenset({"arava-1"}), True),
        (Caller("a", Role.ADMIN, frozenset({"arava-1"})), Role.VIEWER, None, False),
        (Caller("a", Role.ADMIN, frozenset({"arava-1"})), Role.VIEWER, frozenset({"arava-1", "arava-2"}), False),
        (Caller("a", Role.ENGINEER), Role.ADMIN, frozenset({"arava-1"}), False),
    ],
)
def test_rights_reach_no_further_than_their_giver_s(
    caller: Caller, role: Role, sites: frozenset[str] | None, may: bool
) -> None:
    """Neither in what they cover nor in where."""
    assert caller.has(role, sites) is may
