"""What fell today at every site, kept for some seconds: it takes a look at many samples, and pages ask for it often.

One thread at a time works it out, and nobody waits for it who can be told what was so a moment ago (I15).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Protocol

import structlog

from gateway.feed_today import SiteToday
from gateway.protocol.description import Description
from gateway.protocol.errors import Unavailable
from http_facade.refusals import Overloaded

log = structlog.get_logger(__name__)

#: Whoever asks later lets it be worked out anew, and is told the former meanwhile.
FRESH_S: Final = 10.0
#: Nobody is told anything older.
OLDEST_S: Final = 60.0
#: For the first one, and after a pause.
WAIT_S: Final = 10.0


class Descriptions(Protocol):
    """:class:`gateway.sites.Sites`."""

    def descriptions(self) -> Mapping[str, Mapping[str, Description]]:
        """What every device is, by site and by name."""


class Feed(Protocol):
    """:class:`gateway.feed_today.FeedToday`."""

    def of(self, sites: Mapping[str, Mapping[str, Description]], now: datetime) -> Mapping[str, SiteToday]:
        """Of each site."""


@dataclass(frozen=True, slots=True)
class Fed:
    """Every site's day so far, as it was at ``as_of``."""

    as_of: datetime
    sites: Mapping[str, SiteToday]


class Today:
    """Safe from any thread; nothing runs while nobody asks."""

    def __init__(self, sites: Descriptions, feed: Feed, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._sites = sites
        self._feed = feed
        self._clock = clock
        self._changing = threading.Condition()
        self._found: Fed | None = None
        self._found_s = 0.0
        self._failure: Exception | None = None
        self._thread: threading.Thread | None = None
        self._closed = False

    def now(self) -> Fed:
        """What is known, :data:`OLDEST_S` old at most.

        Raises:
            Unavailable: the database does not answer.
            Overloaded: it takes too long, or the facade stops.
        """
        with self._changing:
            if self._age_s() > FRESH_S:
                self._begin()
            if self._age_s() > OLDEST_S:
                self._changing.wait_for(lambda: self._thread is None, WAIT_S)
            if self._found is not None and self._age_s() <= OLDEST_S:
                return self._found
            if self._thread is None and self._failure is not None:
                raise self._failure
        raise Overloaded(f"what fell today could not be worked out within {WAIT_S:g} s")

    def close(self) -> None:
        """Begin nothing more, and wait for what is under way."""
        with self._changing:
            self._closed = True
            thread = self._thread
        if thread is not None:
            thread.join()

    def _age_s(self) -> float:
        return float("inf") if self._found is None else self._clock() - self._found_s

    def _begin(self) -> None:
        if self._thread is None and not self._closed:
            self._thread = threading.Thread(target=self._work, name="feed-today", daemon=True)
            self._thread.start()

    def _work(self) -> None:
        found: Fed | None = None
        failure: Exception | None = None
        began_s, now = self._clock(), datetime.now(UTC)
        try:
            found = Fed(now, self._feed.of(self._sites.descriptions(), now))
        except Unavailable as error:
            failure = error
        except Exception as error:  # whoever waits must hear of it
            log.exception("feed-today-failed")
            failure = error
        with self._changing:
            self._failure, self._thread = failure, None
            if found is not None:
                self._found, self._found_s = found, began_s
            self._changing.notify_all()
