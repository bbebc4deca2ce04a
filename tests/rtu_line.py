"""A serial line with a PLC at its end: RTU frames on a pseudo terminal or a TCP port, turned to and from a FaultyPlc.

It shares no code with the product: the check is computed anew. What it may do wrong is told by ``spoil``.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import struct
import termios
import threading
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_EXCEPTION, _WRITE = 5, 8


class RtuLine:
    """Serves one master; ``spoil`` turns each answer into the pieces that are really sent."""

    def __init__(self, plc_port: int, read: Callable[[], bytes], write: Callable[[bytes], object]) -> None:
        self.spoil: Callable[[bytes], list[bytes]] = lambda answer: [answer]
        self._plc_port = plc_port
        self._read, self._write = read, write
        self._thread = threading.Thread(target=self._serve, name="rtu-line", daemon=True)

    @classmethod
    @contextmanager
    def on_terminal(cls, plc_port: int) -> Iterator[tuple[RtuLine, str]]:
        """On a pseudo terminal; gives the line and the device's name."""
        master, slave = os.openpty()
        tty.setraw(master)
        tty.setraw(slave, termios.TCSANOW)
        ended = threading.Event()

        def read() -> bytes:
            while not ended.is_set():
                if select.select([master], [], [], 0.05)[0]:
                    return os.read(master, 300)
            return b""

        line = cls(plc_port, read, lambda data: os.write(master, data))
        line._thread.start()
        try:
            yield line, os.ttyname(slave)
        finally:
            ended.set()
            line._thread.join(5)
            os.close(master)
            os.close(slave)

    @classmethod
    @contextmanager
    def on_tcp(cls, plc_port: int) -> Iterator[tuple[RtuLine, int]]:
        """On a TCP port, as a serial gateway; gives the line and the port. Connections come one after the other."""
        with socket.create_server(("127.0.0.1", 0)) as server:
            server.settimeout(0.05)
            ended, peers = threading.Event(), list[socket.socket]()

            def read() -> bytes:
                while not ended.is_set():
                    if not peers:
                        try:
                            peers.append(server.accept()[0])
                        except TimeoutError:
                            continue
                    if select.select([peers[0]], [], [], 0.05)[0]:
                        data = peers[0].recv(300)
                        if data:
                            return data
                        peers.pop(0).close()
                return b""

            line = cls(plc_port, read, lambda data: peers[0].sendall(data) if peers else None)
            line._thread.start()
            try:
                yield line, server.getsockname()[1]
            finally:
                ended.set()
                line._thread.join(5)
                for peer in peers:
                    peer.close()

    def _serve(self) -> None:
        with socket.create_connection(("127.0.0.1", self._plc_port)) as plc:
            plc.settimeout(10)
            pending = b""
            while data := self._read():
                pending += data
                size = _request_size(pending)
                if size is None or len(pending) < size:
                    continue
                frame, pending = pending[:size], pending[size:]
                assert _check(frame[:-2]) == frame[-2:], f"a request with a wrong check: {frame.hex(' ')}"
                with contextlib.suppress(OSError):  # the PLC is gone, so its line is mute
                    plc.sendall(struct.pack(">HHH", 1, 0, len(frame) - 2) + frame[:-2])
                    head = _exactly(plc, 6)
                    body = _exactly(plc, int.from_bytes(head[4:6], "big"))
                    for piece in self.spoil(body + _check(body)):
                        self._write(piece)


def _request_size(data: bytes) -> int | None:
    if len(data) < 7:
        return None
    return 9 + data[6] if data[1] in (15, 16) else 8


def _exactly(peer: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        piece = peer.recv(count - len(data))
        if not piece:
            raise ConnectionError("the PLC ended the connection")
        data += piece
    return data


def _check(data: bytes) -> bytes:
    """CRC-16 of Modbus by its remainders, as a table would have them."""
    register = 0xFFFF
    for byte in data:
        remainder = (register ^ byte) & 0xFF
        for _ in range(8):
            remainder = (remainder >> 1) ^ (0xA001 * (remainder & 1))
        register = (register >> 8) ^ remainder
    return struct.pack("<H", register)
