"""A Modbus TCP server that misbehaves on order, and remembers what it really did.

It shares no code with the driver or pymodbus, so its log of executed writes is the ground truth of every test
about effects. It lives in a thread of its own and may be scripted from any other::

    from tests.plc import FaultyPlc, Write
    from tests.plc_faults import DROP, LOST, WRITES, refuse

    with FaultyPlc.running() as plc:
        plc.misbehave(LOST, on=WRITES)          # the next write: executed, never answered
        plc.misbehave(refuse(3), on=WRITES)     # the one after it: exception 3
        plc.misbehave(DROP, times=None)         # from then on: nothing is answered any more
        ...
        assert plc.writes == [Write(6, 0, (120,))]
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
import time
from collections.abc import Collection, Coroutine, Iterator
from dataclasses import dataclass, field
from typing import Any, Self

from tests.plc_faults import ALL, OK, READ, WRITE_ONE, WRITES, Fault, Kind, Request, frame, parse, spoilt
from tests.plc_feeder import Dose, Feeder, Program


@dataclass(frozen=True, slots=True)
class Write:
    """A write that was executed."""

    function_code: int
    address: int
    words: tuple[int, ...]


@dataclass(slots=True)
class _Rule:
    fault: Fault
    on: Collection[int]
    after: int
    times: int | None


@dataclass
class FaultyPlc:
    """The server; :meth:`running` starts one. Lists and registers may be read from any thread at any time."""

    host: str = "127.0.0.1"
    port: int = 0
    unit: int = 1
    size: int = 1000
    #: Registers within that are not there.
    holes: frozenset[int] | set[int] = frozenset()
    writes: list[Write] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    connections_made: int = 0
    registers: list[int] = field(default_factory=list)
    #: Every time that an auger ran for a command: the ground truth about doses.
    doses: list[Dose] = field(default_factory=list)
    #: When each of ``writes`` was executed, by ``time.monotonic()``.
    write_times_s: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.registers = self.registers or [0] * self.size
        self._rules: list[_Rule] = []
        self._lock = threading.Lock()
        self._peers: dict[asyncio.StreamWriter, asyncio.Task[None]] = {}
        self._server: asyncio.Server | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended = asyncio.Event()
        self._thread = threading.Thread(target=self._live, name="faulty-plc", daemon=True)
        self._ready = threading.Event()
        self.feeders: dict[int, Program] = {}

    # --- scripting and evidence, from any thread -----------------------------------------------------------

    def misbehave(self, fault: Fault, *, on: Collection[int] = ALL, after: int = 0, times: int | None = 1) -> Self:
        """Of the requests with these function codes, let ``after`` pass, then apply ``fault`` to ``times`` (None: all).

        Rules are asked in the order given; the first that applies wins.
        """
        with self._lock:
            self._rules.append(_Rule(fault, on, after, times))
        return self

    def behave(self) -> None:
        """Forget all rules."""
        with self._lock:
            self._rules.clear()

    def set(self, address: int, *words: int) -> None:
        """Change registers as a panel at the PLC does; not in ``writes``."""
        self.registers[address : address + len(words)] = words

    def get(self, address: int, count: int = 1) -> tuple[int, ...]:
        """What the registers hold."""
        return tuple(self.registers[address : address + count])

    def add_feeder(self, base: int, *, dose_s: float = 0.0) -> Feeder:
        """Let a feeder with a mailbox live on the registers from ``base`` on; ``dose_s`` is how long a dose takes."""
        feeder = Feeder(self.registers, base, self.doses, dose_s)
        self.install(base, feeder)
        return feeder

    def feeder(self, base: int) -> Feeder:
        """The feeder that lives on the registers from ``base`` on."""
        found = self.feeders[base]
        assert isinstance(found, Feeder)
        return found

    def install(self, base: int, program: Program) -> None:
        """Let any program live on the registers from ``base`` on."""
        self.feeders[base] = program

    # --- lifetime ------------------------------------------------------------------------------------------

    @classmethod
    @contextlib.contextmanager
    def running(cls, **options: Any) -> Iterator[Self]:  # noqa: ANN401 # the fields of the class
        """A PLC that listens, on a free port unless told otherwise; stopped at the end."""
        plc = cls(**options)
        plc.start()
        try:
            yield plc
        finally:
            plc.stop()

    def start(self) -> None:
        """Start the thread and listen; returns when connections are accepted."""
        self._thread.start()
        if not self._ready.wait(5):
            raise TimeoutError("the PLC does not listen")

    def stop(self) -> None:
        """Reset all connections and end the thread."""
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join(5)

    def power_off(self) -> None:
        """Reset all connections, refuse new ones, and end what runs."""
        self._run(self._cut())

    def power_on(self, *, zeroed: bool = False) -> None:
        """Listen again on the same port; ``zeroed`` if the memory was not retentive."""
        self._run(self._boot(zeroed=zeroed))

    async def _cut(self) -> None:
        await self._power_off()
        for feeder in self.feeders.values():
            feeder.power_off()

    async def _boot(self, *, zeroed: bool) -> None:
        if zeroed:
            self.registers[:] = [0] * self.size
        await self._listen()

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        assert self._loop is not None
        asyncio.run_coroutine_threadsafe(work, self._loop).result(5)

    def _live(self) -> None:
        asyncio.run(self._main())

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        await self._listen()
        self._ready.set()
        await self._ended.wait()
        await self._power_off()

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, self.host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _power_off(self) -> None:
        for _ in range(4):  # asyncio leaks a connection that is being accepted while its server closes
            await asyncio.sleep(0)
        server, self._server = self._server, None
        if server is not None:
            server.close()
        peers = dict(self._peers)
        for writer, task in peers.items():
            _reset(writer)
            task.cancel()
        await asyncio.gather(*peers.values(), return_exceptions=True)

    # --- serving -------------------------------------------------------------------------------------------

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections_made += 1
        task = asyncio.current_task()
        assert task is not None
        self._peers[writer] = task
        if self._server is None:  # accepted just before the power went off
            _reset(writer)
        try:
            # Cancelled by power_off alone; a cancelled task makes asyncio's streams of Python 3.11 log a traceback.
            with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
                while not writer.is_closing():
                    header = await reader.readexactly(7)
                    body = await reader.readexactly(int.from_bytes(header[4:6], "big") - 1)
                    await self._handle(parse(header, body), writer)
        finally:
            writer.close()
            self._peers.pop(writer, None)

    async def _handle(self, request: Request, writer: asyncio.StreamWriter) -> None:
        self.requests.append(request)
        fault = self._fault_for(request.function_code)
        if fault.kind is Kind.DROP:
            return
        if fault.kind is Kind.RESET_BEFORE:
            _reset(writer)
            return
        code = fault.exception_code if fault.kind is Kind.REFUSE else self._objection(request)
        if code:
            writer.write(frame(request, bytes([request.function_code | 0x80, code])))
            return
        if fault.kind is Kind.LATE:
            await asyncio.sleep(fault.delay_s)
        self._scan()
        self._execute(request, fault)
        if fault.kind is Kind.DELAY:
            await asyncio.sleep(fault.delay_s)
        if fault.kind is Kind.RESET_AFTER:
            _reset(writer)
        elif fault.kind is not Kind.LOST:
            writer.write(spoilt(request, self._reply(request), fault))

    def _fault_for(self, function_code: int) -> Fault:
        with self._lock:
            for rule in self._rules:
                if function_code not in rule.on or rule.times == 0:
                    continue
                if rule.after:
                    rule.after -= 1
                    continue
                if rule.times is not None:
                    rule.times -= 1
                return rule.fault
        return OK

    def _objection(self, request: Request) -> int:
        if request.function_code not in ALL:
            return 1
        if request.unit != self.unit:
            return 11
        asked = range(request.address, request.address + request.count)
        return 0 if asked.stop <= self.size and self.holes.isdisjoint(asked) else 2

    def _execute(self, request: Request, fault: Fault) -> None:
        if request.function_code not in WRITES or fault.kind is Kind.LIE:
            return
        words = (fault.value,) * request.count if fault.kind is Kind.CLAMP else request.words
        self.registers[request.address : request.address + request.count] = words
        self.write_times_s.append(time.monotonic())
        self.writes.append(Write(request.function_code, request.address, words))
        self._scan()

    def _scan(self) -> None:
        for feeder in self.feeders.values():
            feeder.scan()

    def _reply(self, request: Request) -> bytes:
        code = request.function_code
        if code == READ:
            return struct.pack(
                f">BB{request.count}H", code, 2 * request.count, *self.get(request.address, request.count)
            )
        return struct.pack(">BHH", code, request.address, request.words[0] if code == WRITE_ONE else request.count)


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close with RST, as a PLC does whose power or cable is pulled and plugged, or whose watchdog bites."""
    sock = writer.get_extra_info("socket")
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
