"""The stream's order where facades are not equally far."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import ExitStack

from gateway.changes import Change, Span
from http_facade.feed import Feed, Listener, Told
from http_facade.resources import stream


class _NoChanges:
    def span(self) -> Span:
        """Nothing yet."""
        return Span(0, 0)

    def after(self, number: int, *, limit: int, sites: frozenset[str] | None = None) -> Sequence[Change]:
        """Nothing comes by itself."""
        del number, limit, sites
        return ()


def _told(number: int) -> Told:
    return Told(number, "arava-1", f"id: {number}\n\n")


def test_stream_tells_nothing_again_that_a_quicker_facade_has_told() -> None:
    """It begins behind the listener's last number, and the number that it says while quiet never goes back."""
    listener = Listener(None, begins=5)
    feed = Feed(_NoChanges(), render=lambda _: (), most=1)
    texts = stream._told(feed, listener, ExitStack(), 7, lambda: True, forgotten=0, last=8)
    next(texts)
    listener.put([_told(6), _told(7)], 7)
    assert next(texts) == ": still here\nid: 7\n\n"
    listener.put([_told(8)], 8)
    assert next(texts) == "id: 8\n\n"


class _SlowChanges(_NoChanges):
    """A look takes until somebody lets it end."""

    def __init__(self) -> None:
        self.looking, self.go_on = threading.Event(), threading.Event()
        self.left = False

    def after(self, number: int, *, limit: int, sites: frozenset[str] | None = None) -> Sequence[Change]:
        """As a statement that the database takes its time for."""
        self.looking.set()
        self.go_on.wait(10)
        self.left = True
        return super().after(number, limit=limit, sites=sites)


def test_feed_that_is_closed_gives_the_database_back_before_that_is_left() -> None:
    """Otherwise a connection would be forgotten that is still in use."""
    changes = _SlowChanges()
    feed = Feed(changes, render=lambda _: (), most=1)
    with feed.listening(None):
        assert changes.looking.wait(10)
        feed.close()
        threading.Timer(0.1, changes.go_on.set).start()
        feed.join(10)
    assert changes.left
