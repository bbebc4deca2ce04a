"""Modbus TCP with nothing but a socket: an oracle that shares no code with what it judges."""

from __future__ import annotations

import socket
import struct


def read_register(port: int, address: int, *, unit: int = 1) -> int:
    """One holding register (function 3) of a PLC on this machine."""
    request = struct.pack(">HHHBBHH", 1, 0, 6, unit, 3, address, 1)
    with socket.create_connection(("127.0.0.1", port), timeout=5) as plc, plc.makefile("rb") as answer:
        plc.sendall(request)
        transaction, _, length, _, function, size, value = struct.unpack(">HHHBBBH", answer.read(11))
    assert (transaction, length, function, size) == (1, 5, 3, 2), "not an answer to the question"
    return int(value)
