"""A TCP proxy that does to a connection what networks do: passes, holds, swallows, cuts, delays, slices.

Held bytes are kept and come later, in order; so does the end of a connection, since a dead wire carries no FIN
either. With ``frames`` it also knows whole MQTT packets or Modbus frames, and can treat single ones. One listener and
two threads for each connection; scripted from any other thread::

    with Proxy.to(broker_port, frames=mqtt, seed=7) as wire:
        wire.hold(Way.TO_SERVER)    # nothing of what clients send arrives, for now
        wire.release()              # now it does, late
        wire.delay(0.1, jitter_s=0.4)
        rule = wire.treat(Verb.DUPLICATE, Way.TO_CLIENT, publish("/commands/"), after=2)
        wire.cut()                  # every connection is reset
        assert rule.hits == 1       # the third command came twice
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from enum import Enum, auto
from random import Random
from typing import Final, Self

from tests.proxy_frames import Cutter, Frame
from tests.proxy_rules import Match, Rule, Verb, Way, anything
from tests.proxy_stream import Cut, Shape, Stream, reset

__all__ = ["Proxy", "Verb", "Way"]
_CHUNK: Final = 65_536


class _Mode(Enum):
    PASS = auto()
    HOLD = auto()
    DROP = auto()


class Proxy:
    """Listens on ``port`` from the first moment and until ``close``."""

    def __init__(
        self, listener: socket.socket, target_port: int, *, frames: Cutter | None = None, seed: int = 0
    ) -> None:
        self._listener = listener
        self._target_port = target_port
        self._cutter = frames
        self._random = Random(seed)  # noqa: S311 # misfortune that can be played again
        self._rules: list[Rule] = []
        self._shapes = {way: Shape() for way in Way}
        #: By the socket that they read from.
        self._streams: dict[socket.socket, Stream] = {}
        self.port: int = listener.getsockname()[1]
        self._modes = dict.fromkeys(Way, _Mode.PASS)
        self._refusing = False
        self._closed = False
        self._changed = threading.Condition()
        #: The two sockets of each connection.
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._threads = [threading.Thread(target=self._accept, name="proxy", daemon=True)]
        self._threads[0].start()

    @classmethod
    @contextlib.contextmanager
    def to(cls, target_port: int, *, port: int = 0, frames: Cutter | None = None, seed: int = 0) -> Iterator[Self]:
        """A proxy, on a free port unless told otherwise, to a server of this machine, which need not be there yet."""
        listener = socket.create_server(("127.0.0.1", port))
        proxy = cls(listener, target_port, frames=frames, seed=seed)
        try:
            yield proxy
        finally:
            proxy.close()

    # --- scripting, from any thread ------------------------------------------------------------------------

    def hold(self, *ways: Way) -> None:
        """Keep what comes, these ways (both if none is named), until :meth:`release`."""
        self._set(_Mode.HOLD, ways)

    def drop(self, *ways: Way) -> None:
        """Swallow what comes; afterwards a connection is good for nothing but :meth:`cut`."""
        self._set(_Mode.DROP, ways)

    def delay(self, delay_s: float, *ways: Way, jitter_s: float = 0.0) -> None:
        """Let what comes arrive this much later, and up to ``jitter_s`` more, until :meth:`release`."""
        for way in ways or tuple(Way):
            self._shapes[way].delay_s, self._shapes[way].jitter_s = delay_s, jitter_s

    def slice(self, size: int, *ways: Way) -> None:
        """Send what comes in pieces of so many bytes, until :meth:`release`."""
        for way in ways or tuple(Way):
            self._shapes[way].slice = size

    def treat(
        self,
        verb: Verb,
        way: Way,
        match: Match = anything,
        *,
        after: int = 0,
        times: int | None = 1,
        chance: float = 1.0,
    ) -> Rule:
        """Treat single frames until :meth:`release`; of several rules for a frame the first wins."""
        assert self._cutter is not None, "this proxy does not know frames"
        rule = Rule(verb=verb, way=way, match=match, after=after, times=times, chance=chance)
        with self._changed:
            self._rules.append(rule)
        return rule

    def release(self) -> None:
        """Forget all of the above and let everything pass again, what was held first; new connections too."""
        self._refusing = False
        with self._changed:
            self._rules.clear()
            self._shapes.update({way: Shape() for way in Way})
            streams = list(self._streams.values())
        for stream in streams:
            stream.release()
        self._set(_Mode.PASS, ())

    def cut(self, *, refuse: bool = False) -> None:
        """Reset every connection, with all that is held; ``refuse`` new ones until :meth:`release`."""
        self._refusing = refuse
        with self._changed:
            pairs, self._pairs = self._pairs, []
        for pair in pairs:
            for each in pair:
                reset(each)
        with self._changed:
            self._changed.notify_all()

    def close(self) -> None:
        """Cut everything, listen no more, and end the threads."""
        self._closed = True
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut(refuse=True)
        for thread in self._threads:
            thread.join(5)

    def _set(self, mode: _Mode, ways: tuple[Way, ...]) -> None:
        with self._changed:
            self._modes.update(dict.fromkeys(ways or tuple(Way), mode))
            self._changed.notify_all()

    # --- moving bytes --------------------------------------------------------------------------------------

    def _accept(self) -> None:
        while not self._closed:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            pair = None if self._refusing else self._pair(client)
            if pair is None:
                reset(client)
                client.close()
                continue
            done = threading.Barrier(2)
            for way, source, sink in ((Way.TO_SERVER, *pair), (Way.TO_CLIENT, *reversed(pair))):
                pump = threading.Thread(target=self._pump, args=(way, source, sink, done), name="proxy", daemon=True)
                self._threads.append(pump)
                pump.start()

    def _pair(self, client: socket.socket) -> tuple[socket.socket, socket.socket] | None:
        try:
            server = socket.create_connection(("127.0.0.1", self._target_port), timeout=5)
        except OSError:
            return None
        server.settimeout(None)
        for each in (client, server):
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._changed:
            self._pairs.append((client, server))
        return client, server

    def _pump(self, way: Way, source: socket.socket, sink: socket.socket, done: threading.Barrier) -> None:
        stream = Stream(way, sink, self._cutter, self._judge)
        with self._changed:
            self._streams[source] = stream
        try:
            with contextlib.suppress(OSError):
                while self._move(way, source, stream):
                    pass
        except Cut:
            for each in (source, sink):
                reset(each)
        # The source ended, or the sink did: of that its own pump tells the other side, when its way is free.
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)
        with contextlib.suppress(OSError):
            while source.recv(_CHUNK):
                pass
        done.wait()
        source.close()
        with self._changed:
            self._pairs = [pair for pair in self._pairs if source not in pair]
            del self._streams[source]

    def _move(self, way: Way, source: socket.socket, stream: Stream) -> bool:
        """Move what comes next; False if that was the end."""
        try:
            data = source.recv(_CHUNK)
        except OSError:
            data = b""
        with self._changed:
            self._changed.wait_for(lambda: self._modes[way] is not _Mode.HOLD or not self._holds(source))
            dropping = self._modes[way] is _Mode.DROP
        if data and not dropping:
            for piece in stream.pieces(data):
                self._linger(way, source)
                stream.send(piece, self._shapes[way].slice)
        return bool(data)

    def _linger(self, way: Way, source: socket.socket) -> None:
        late_s = self._shapes[way].lateness_s(self._random)
        if late_s:
            with self._changed:
                self._changed.wait_for(lambda: not self._holds(source), timeout=late_s)

    def _judge(self, way: Way, frame: Frame) -> tuple[Verb, Match | None]:
        with self._changed:
            for rule in self._rules:
                if rule.takes(way, frame, self._random):
                    return rule.verb, rule.match
        return Verb.PASS, None

    def _holds(self, source: socket.socket) -> bool:
        return any(source in pair for pair in self._pairs)
