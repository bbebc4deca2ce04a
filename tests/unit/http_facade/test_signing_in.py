"""Signing in costs a core and 32 MiB each time, and nobody has to prove anything to ask for it."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import cast

import pytest

from gateway.accounts import Accounts
from http_facade.refusals import NotSignedIn, Overloaded
from http_facade.signing_in import AT_ONCE, WAITING, SigningIn
from tests.conditions import eventually


class SlowAccounts:
    """Takes as long as the test likes; knows nobody."""

    def __init__(self) -> None:
        self.busy = 0
        self.go_on = threading.Event()

    def sign_in(self, name: str, password: str) -> str | None:  # noqa: ARG002 # as Accounts
        """Nobody."""
        self.busy += 1
        self.go_on.wait(20)
        return None


@pytest.mark.invariant("I15")
def test_those_who_sign_in_take_few_of_the_threads_that_commands_need() -> None:
    """However many come at once: some are looked at, a few wait, and all others are told so at once."""
    accounts = SlowAccounts()
    signing_in = SigningIn(cast("Accounts", accounts))
    with ThreadPoolExecutor(AT_ONCE + WAITING) as pool:
        asked = [pool.submit(signing_in.sign_in, "ana", "x", f"192.0.2.{number}") for number in range(AT_ONCE)]
        eventually(lambda: accounts.busy == AT_ONCE, what="the first ones")
        asked += [pool.submit(signing_in.sign_in, "ana", "x", f"192.0.2.{99 + number}") for number in range(WAITING)]
        eventually(lambda: signing_in._seats._value == 0, what="those who wait")
        with pytest.raises(Overloaded):
            signing_in.sign_in("ana", "x", "192.0.2.250")
        accounts.go_on.set()
        assert {type(each.exception(20)) for each in asked} == {NotSignedIn}
    with pytest.raises(NotSignedIn):
        signing_in.sign_in("ana", "x", "192.0.2.250")
