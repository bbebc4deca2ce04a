"""The stream's order where facades are not equally far."""

from __future__ import annotations

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
