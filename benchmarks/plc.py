"""The least that a Modbus TCP PLC can do: holding registers, three functions, no checks. The same for every run."""

from __future__ import annotations

import asyncio
import socket
import struct
import sys
from collections.abc import Callable

_REGISTERS = 1_000


async def serve(*ports: int) -> None:
    """Serve one PLC on each port until cancelled."""
    servers = [await asyncio.start_server(Plc().talk, "127.0.0.1", port) for port in ports]
    await asyncio.gather(*(server.serve_forever() for server in servers))


class Plc:
    """One PLC; ``note`` hears function, address and count of each request."""

    def __init__(self, note: Callable[[int, int, int], None] | None = None) -> None:
        self._words = [0] * _REGISTERS
        self._note = note

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        raw: socket.socket = writer.transport.get_extra_info("socket")
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            while True:
                head = await reader.readexactly(8)
                transaction, _, length, unit, function = struct.unpack(">HHHBB", head)
                answer = self._answer(function, await reader.readexactly(length - 2))
                writer.write(struct.pack(">HHHB", transaction, 0, len(answer) + 1, unit) + answer)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    def _answer(self, function: int, body: bytes) -> bytes:
        address, value = struct.unpack(">HH", body[:4])
        if self._note is not None:
            self._note(function, address, value)
        if function == 3:
            words = self._words[address : address + value]
            return struct.pack(f">BB{value}H", 3, 2 * value, *words)
        if function == 6:
            self._words[address] = value
        else:
            self._words[address : address + value] = struct.unpack(f">{value}H", body[5:])
        return struct.pack(">BHH", function, address, value)


if __name__ == "__main__":
    asyncio.run(serve(*map(int, sys.argv[1:])))
