"""``python -m benchmarks.listeners PORT TOKEN-FILE COUNT READY-FILE``: open streams, and read whatever comes."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path


async def _listen(port: int, token: str) -> asyncio.StreamReader:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET /v1/stream HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n".encode())
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.split()[1] == b"200", head
    return reader


async def _read(reader: asyncio.StreamReader) -> None:
    while await reader.read(65_536):
        pass


async def main(port: int, token: str, count: int, ready: Path) -> None:
    """Until ended."""
    readers = [await _listen(port, token) for _ in range(count)]
    reading = [asyncio.ensure_future(_read(each)) for each in readers]
    ready.touch()  # noqa: ASYNC240 # once, before anything is measured
    await asyncio.gather(*reading)


if __name__ == "__main__":
    _, _port, _token, _count, _ready = sys.argv
    asyncio.run(main(int(_port), Path(_token).read_text(encoding="utf-8").strip(), int(_count), Path(_ready)))
