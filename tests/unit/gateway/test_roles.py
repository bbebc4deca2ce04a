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
