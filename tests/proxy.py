"""A TCP proxy that does to a connection what networks do: passes, holds, swallows, cuts.

Held bytes are kept and come later, in order; so does the end of a connection, since a dead wire carries no FIN
either. One listener and two threads for each connection; scripted from any other thread::

    with Proxy.to(broker_port) as wire:
        wire.hold(Way.TO_SERVER)    # nothing of what clients send arrives, for now
        wire.release()              # now it does, late
        wire.cut()                  # every connection is reset
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator
from enum import Enum, auto
from typing import Final, Self

_CHUNK: Final = 65_536


class Way(Enum):
    """A direction through the proxy."""

    TO_SERVER = auto()
    TO_CLIENT = auto()


class _Mode(Enum):
    PASS = auto()
    HOLD = auto()
    DROP = auto()


class Proxy:
    """Listens on ``port`` from the first moment and until ``close``."""

    def __init__(self, listener: socket.socket, target_port: int) -> None:
        self._listener = listener
        self._target_port = target_port
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
    def to(cls, target_port: int) -> Iterator[Self]:
        """A proxy on a free port to a server of this machine, which need not be there yet."""
        listener = socket.create_server(("127.0.0.1", 0))
        proxy = cls(listener, target_port)
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

    def release(self) -> None:
        """Let everything pass again, what was held first; new connections too."""
        self._refusing = False
        self._set(_Mode.PASS, ())

    def cut(self, *, refuse: bool = False) -> None:
        """Reset every connection, with all that is held; ``refuse`` new ones until :meth:`release`."""
        self._refusing = refuse
        with self._changed:
            pairs, self._pairs = self._pairs, []
        for pair in pairs:
            for each in pair:
                _reset(each)
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
                _reset(client)
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
        with contextlib.suppress(OSError):
            while self._move(way, source, sink):
                pass
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

    def _move(self, way: Way, source: socket.socket, sink: socket.socket) -> bool:
        """Move what comes next; False if that was the end."""
        try:
            data = source.recv(_CHUNK)
        except OSError:
            data = b""
        with self._changed:
            self._changed.wait_for(lambda: self._modes[way] is not _Mode.HOLD or not self._holds(source))
            dropping = self._modes[way] is _Mode.DROP
        if data and not dropping:
            sink.sendall(data)
        return bool(data)

    def _holds(self, source: socket.socket) -> bool:
        return any(source in pair for pair in self._pairs)


def _reset(connection: socket.socket) -> None:
    """End it so that both the peer and our own thread that reads from it notice at once."""
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.shutdown(socket.SHUT_RDWR)
