"""One direction of one connection through a proxy: from the bytes that come to those that go, and when."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from tests.proxy_frames import Cutter, Frame
from tests.proxy_rules import Match, Verb, Way


@dataclass(slots=True)
class Shape:
    """How bytes of one way travel: each piece ``delay_s`` late, plus up to ``jitter_s``, cut into ``slice``."""

    delay_s: float = 0.0
    jitter_s: float = 0.0
    slice: int | None = None

    def lateness_s(self, random: Random) -> float:
        """For the next piece."""
        return self.delay_s + (random.uniform(0, self.jitter_s) if self.jitter_s else 0.0)


#: The verb for a frame, and what the next one must match if they are to be swapped.
Judge = Callable[[Way, Frame], tuple[Verb, Match | None]]


class Cut(Exception):
    """A rule ends the connection here."""


class Stream:
    """Sends what it is given, frame by frame if it has a ``cutter``; frames that wait are sent by :meth:`release`."""

    def __init__(self, way: Way, sink: socket.socket, cutter: Cutter | None, judge: Judge) -> None:
        self._way = way
        self._sink = sink
        self._cutter = cutter
        self._judge = judge
        self._buffer = bytearray()
        self._sending = threading.Lock()
        self._waiting: list[bytes] = []
        self._swap: tuple[bytes, Match] | None = None

    def pieces(self, data: bytes) -> Sequence[bytes]:
        """What of this may be handled by itself: the whole frames that are complete now, or just the bytes."""
        if self._cutter is None:
            return [data]
        self._buffer += data
        return [piece for frame in self._cutter(self._buffer) for piece in self._treated(frame)]

    def send(self, piece: bytes, size: int | None) -> None:
        """Send it, in slices if asked to.

        Raises:
            Cut: an empty piece stands for the end that a rule wants.
        """
        if not piece:
            raise Cut
        with self._sending:
            for start in range(0, len(piece), size or len(piece)):
                self._sink.sendall(piece[start : start + (size or len(piece))])

    def release(self) -> None:
        """Send the frames that were held, and one that waits to be swapped."""
        with self._sending, contextlib.suppress(OSError):
            waiting, self._waiting = self._waiting, []
            swap, self._swap = self._swap, None
            for piece in (*waiting, *([swap[0]] if swap else [])):
                self._sink.sendall(piece)

    def _treated(self, frame: Frame) -> Sequence[bytes]:
        swap = self._swap
        if swap is not None and swap[1](frame):
            self._swap = None
            return [frame.raw, swap[0]]
        verb, match = self._judge(self._way, frame)
        if verb is Verb.HOLD:
            self._waiting.append(frame.raw)
        if verb is Verb.SWAP and match is not None:
            self._swap = (frame.raw, match)
        return {
            Verb.PASS: [frame.raw],
            Verb.DUPLICATE: [frame.raw, frame.again()],
            Verb.CUT_BEFORE: [b""],
            Verb.CUT_AFTER: [frame.raw, b""],
        }.get(verb, [])


def reset(connection: socket.socket) -> None:
    """End it so that both the peer and our own thread that reads from it notice at once."""
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.shutdown(socket.SHUT_RDWR)
