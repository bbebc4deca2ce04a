"""The feed: one thread that reads what has changed, once for all who listen to a stream of this facade.

Who listens gets a place in the order first, then what lies before it from the database, then what comes. So nothing is
missed and nothing told twice, wherever a stream broke off. One who cannot keep up is cut off, and goes on from there.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, Protocol

import structlog

from gateway.changes import Change, Span
from gateway.protocol.errors import Unavailable
from http_facade.refusals import TooManyStreams

log = structlog.get_logger(__name__)

#: Between two looks; what changes meanwhile is told together.
LOOK_S: Final = 0.15
#: While the database is away.
RETRY_S: Final = 1.0
#: Changes that are read at once.
PAGE: Final = 500
#: For a place, when all seem to be taken.
ROOM_S: Final = 1.0
#: Of one stream; beyond that its reader is too slow.
WAITING: Final = 5_000


class Changes(Protocol):
    """:class:`gateway.changes.Changes`."""

    def span(self) -> Span:
        """What can be read now."""

    def after(self, number: int, *, limit: int, sites: frozenset[str] | None = None) -> Sequence[Change]:
        """The next changes behind that number."""


@dataclass(frozen=True, slots=True)
class Told:
    """A change as it goes over the wire."""

    number: int
    site: str
    text: str


class Listener:
    """One stream; ``begins`` is its place in the order: what comes behind it is put here."""

    def __init__(self, sites: frozenset[str] | None, begins: int) -> None:
        self.sites = sites
        self.begins = begins
        #: Its reader is too slow, or the facade stops.
        self.over = False
        self._waiting: list[Told] = []
        self._seen = begins
        self._changing = threading.Lock()
        self._woken = threading.Event()

    def put(self, told: Sequence[Told], seen: int) -> None:
        """In the feed's thread: never waits. ``seen`` is how far it has come, whatever of that this one wants."""
        wanted = [each for each in told if self.sites is None or each.site in self.sites]
        with self._changing:
            full = len(self._waiting) + len(wanted) > WAITING
            if not full:
                self._waiting += wanted
                self._seen = seen
        if full:
            self.end()
        elif wanted:
            self._woken.set()

    def probe(self) -> None:
        """Let its reader say something: if nobody is there any more, that shows, and its place is free."""
        self._woken.set()

    def end(self) -> None:
        """Let its reader go."""
        self.over = True
        self._woken.set()

    def take(self, timeout_s: float) -> tuple[Sequence[Told], int]:
        """What has come, nothing after that time; and up to which number that is all."""
        self._woken.wait(timeout_s)
        self._woken.clear()
        with self._changing:
            taken, self._waiting = self._waiting, []
            return taken, self._seen


class Feed:
    """For at most ``most`` streams; ``render`` makes the texts, and may raise Unavailable."""

    def __init__(self, changes: Changes, *, render: Callable[[Sequence[Change]], Sequence[Told]], most: int) -> None:
        self._changes = changes
        self._render = render
        self._most = most
        self._listeners: set[Listener] = set()
        self._changing = threading.Condition()
        self._last = 0
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None

    @contextmanager
    def listening(self, sites: frozenset[str] | None) -> Iterator[Listener]:
        """A place among those who listen.

        Raises:
            TooManyStreams: there is none.
            Unavailable: the database does not answer.
        """
        with self._changing:
            self._make_room()
            if not self._listeners:
                self._last = self._changes.span().last
            listener = Listener(sites, self._last)
            self._listeners.add(listener)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="feed", daemon=True)
                self._thread.start()
        try:
            yield listener
        finally:
            with self._changing:
                self._listeners.discard(listener)
                self._changing.notify_all()

    def _make_room(self) -> None:
        """A line that was closed is noticed only when something is written to it; when all places are taken, now."""
        if self._listeners and len(self._listeners) >= self._most:
            for each in self._listeners:
                each.probe()
            self._changing.wait_for(lambda: len(self._listeners) < self._most, ROOM_S)
        if self._closed.is_set() or len(self._listeners) >= self._most:
            raise TooManyStreams(self._most)

    def before(self, number: int, listener: Listener) -> Iterator[Sequence[Told]]:
        """What changed behind ``number`` up to the listener's place, page after page."""
        while number < listener.begins:
            found = self._changes.after(number, limit=PAGE, sites=listener.sites)
            page = [each for each in found if each.number <= listener.begins]
            if page:
                yield self._render(page)
            if len(found) < PAGE or len(page) < len(found):
                return
            number = found[-1].number

    def span(self) -> Span:
        """What a stream can go on from; raises Unavailable."""
        return self._changes.span()

    def close(self) -> None:
        """Let all who listen go."""
        self._closed.set()
        with self._changing:
            for each in self._listeners:
                each.end()

    def join(self, timeout_s: float) -> None:
        """Wait, once it is closed, until the thread has given the database back what it read with."""
        if self._thread is not None:
            self._thread.join(timeout_s)

    def _work(self) -> None:
        pause_s = LOOK_S
        while not self._closed.wait(pause_s):
            try:
                self._look()
                pause_s = LOOK_S
            except Unavailable as error:
                if pause_s != RETRY_S:
                    log.warning("feed-waits", part=error.part, detail=error.detail)
                pause_s = RETRY_S
            except Exception:  # whatever it is, the others' streams must go on
                log.exception("feed-failed")
                pause_s = RETRY_S

    def _look(self) -> None:
        while True:
            with self._changing:
                if not self._listeners:
                    return  # the next one who listens begins where the order then ends
                last = self._last
            found = self._changes.after(last, limit=PAGE)
            told = self._render(found) if found else ()
            with self._changing:
                if not self._listeners or self._last != last:
                    return
                if found:
                    self._last = found[-1].number
                for each in self._listeners:
                    each.put(told, self._last)
            if len(found) < PAGE:
                return
