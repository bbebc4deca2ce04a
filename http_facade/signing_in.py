"""Name and password become a session; whoever guesses is slowed down, and never heard beyond a number of guesses.

Unlike a token, a password can be guessed, so what comes too often is not even tried: per address and name together, per
address, and, for many addresses at once, per name. Who is signed in notices nothing of it.
"""

from __future__ import annotations

import threading
from typing import Final

import structlog

from gateway.accounts import Accounts
from http_facade.attempts import Attempts
from http_facade.refusals import NotSignedIn, Overloaded, TooManyAttempts

#: Wrong ones in a minute.
MOST_OF_ONE_FOR_ONE: Final = 10
MOST_OF_ONE: Final = 30
MOST_FOR_ONE: Final = 100
#: A hash takes 32 MiB and a core; so many at once, and so many others wait for this long (I15). They wait on threads
#: which commands need as well, and nobody has to prove anything to be one of them.
AT_ONCE: Final = 2
WAITING: Final = 6
_PATIENCE_S: Final = 3.0
_CROWDED: Final = "too many want to sign in at once; try again in a moment"

log = structlog.get_logger(__name__)


class SigningIn:
    """Safe from any thread."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts
        self._seats = threading.BoundedSemaphore(AT_ONCE + WAITING)
        self._places = threading.BoundedSemaphore(AT_ONCE)
        self._pairs, self._addresses = Attempts(MOST_OF_ONE_FOR_ONE), Attempts(MOST_OF_ONE)
        self._names = Attempts(MOST_FOR_ONE)

    def sign_in(self, name: str, password: str, address: str | None) -> str:
        """A new session's secret.

        Raises:
            NotSignedIn: they do not fit.
            TooManyAttempts: too many that did not fit came; this one was not looked at.
            Overloaded: too many want to sign in at once.
        """
        counts = ((self._pairs, f"{address} {name}"), (self._addresses, f"{address}"), (self._names, name))
        waits = [wait_s for attempts, who in counts if (wait_s := attempts.waits(who)) is not None]
        if waits:
            raise TooManyAttempts(max(waits))
        secret = self._asked(name, password)
        if secret is None:
            for attempts, who in counts:
                attempts.failed(who)
            log.warning("sign-in-refused", name=name, address=address)
            raise NotSignedIn
        log.info("signed-in", name=name, address=address)
        return secret

    def _asked(self, name: str, password: str) -> str | None:
        if not self._seats.acquire(blocking=False):
            raise Overloaded(_CROWDED)
        try:
            if not self._places.acquire(timeout=_PATIENCE_S):
                raise Overloaded(_CROWDED)
            try:
                return self._accounts.sign_in(name, password)
            finally:
                self._places.release()
        finally:
            self._seats.release()
