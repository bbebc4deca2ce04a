"""An independent reader of a PLC: Debian's mbpoll where it is, else the bytes of the Modbus specification."""

from __future__ import annotations

import re
import socket
import struct
import subprocess

from gateway.demo.programs import find


def holding_register(host: str, port: int, unit: int, register: int) -> int:
    """One holding register (zero-based), read by nothing that we have written or depend on."""
    mbpoll = find("mbpoll")
    if mbpoll is None:
        return _by_bytes(host, port, unit, register)
    argv = [
        str(mbpoll),
        "-m",
        "tcp",
        "-a",
        str(unit),
        "-0",
        "-r",
        str(register),
        "-c",
        "1",
        "-1",
        "-p",
        str(port),
        host,
    ]
    done = subprocess.run(argv, check=True, capture_output=True, text=True, timeout=10)
    found = re.search(rf"^\[{register}\]:\s+(\d+)", done.stdout, re.MULTILINE)
    assert found, done.stdout
    return int(found[1])


def _by_bytes(host: str, port: int, unit: int, register: int) -> int:
    with socket.create_connection((host, port), timeout=5) as plc, plc.makefile("rb") as answer:
        plc.sendall(struct.pack(">HHHBBHH", 7, 0, 6, unit, 3, register, 1))
        transaction, _, _, _, function, size, value = struct.unpack(">HHHBBBH", answer.read(11))
    assert (transaction, function, size) == (7, 3, 2)
    return int(value)
