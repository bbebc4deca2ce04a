"""A closed-loop HTTP load that costs little itself: raw bytes over kept connections, one thread, one event loop."""

from __future__ import annotations

import asyncio
import collections
import itertools
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Result:
    """Latencies in seconds, sorted, and what was answered."""

    latencies_s: list[float]
    elapsed_s: float
    statuses: collections.Counter[int]

    @property
    def p50_ms(self) -> float:
        """The median, milliseconds."""
        return self.latencies_s[len(self.latencies_s) // 2] * 1e3

    @property
    def p99_ms(self) -> float:
        """Ninety-nine of a hundred were quicker, milliseconds."""
        return self.latencies_s[int(len(self.latencies_s) * 0.99)] * 1e3

    @property
    def per_s(self) -> float:
        """Answers per second."""
        return len(self.latencies_s) / self.elapsed_s


#: Makes the bytes of the n-th request.
Requests = Callable[[int], bytes]


class _Connection(asyncio.Protocol):
    def __init__(self) -> None:
        self._answer: asyncio.Future[int] | None = None
        self._bytes = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        raw: socket.socket = transport.get_extra_info("socket")
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(exc or ConnectionResetError("the server hung up"))

    def data_received(self, data: bytes) -> None:
        self._bytes += data
        head, mark, body = self._bytes.partition(b"\r\n\r\n")
        if not mark:
            return
        length = int(head.lower().split(b"content-length: ", 1)[1].split(b"\r\n", 1)[0])
        if len(body) >= length:
            self._bytes = b""
            assert self._answer is not None
            self._answer.set_result(int(head[9:12]))

    async def ask(self, request: bytes) -> int:
        """Send one request; the status of its answer."""
        self._answer = asyncio.get_running_loop().create_future()
        assert self._transport is not None
        self._transport.write(request)
        return await self._answer


def request(method: str, path: str, *, token: str = "", body: str = "") -> bytes:
    """The bytes of one request."""
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", f"Content-Length: {len(body)}"]
    if token:
        lines.append(f"Authorization: Bearer {token}")
    if body:
        lines.append("Content-Type: application/merge-patch+json")
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


def run(port: int, requests: Requests, *, count: int, at_once: int) -> Result:
    """Send ``count`` requests, ``at_once`` of them open at any time; ``requests`` makes the n-th."""
    return asyncio.run(_run(port, requests, count, at_once))


async def _run(port: int, requests: Requests, count: int, at_once: int) -> Result:
    loop = asyncio.get_running_loop()
    numbers, latencies = iter(range(count)), list[float]()
    statuses: collections.Counter[int] = collections.Counter()

    async def work(connection: _Connection, mine: Iterator[int]) -> None:
        for number in mine:
            began_s = time.perf_counter()
            statuses[await connection.ask(requests(number))] += 1
            latencies.append(time.perf_counter() - began_s)

    connections = [(await loop.create_connection(_Connection, "127.0.0.1", port))[1] for _ in range(at_once)]
    began_s = time.perf_counter()
    await asyncio.gather(*(work(each, itertools.islice(numbers, None)) for each in connections))
    elapsed_s = time.perf_counter() - began_s
    return Result(sorted(latencies), elapsed_s, statuses)
