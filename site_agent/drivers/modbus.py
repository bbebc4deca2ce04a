"""Modbus over pymodbus, so that a request is sent once, and a reply is believed only if it answers that request.

pymodbus is the transport and the codec. It never retries (a lost reply would write again), never reconnects (the
caller decides when), and is never cancelled during a request (the PLC would act all the same). Its own check of
replies is too weak (another function, address, value, count or a transaction 0 would pass), so each frame is
compared with its request by :mod:`site_agent.drivers.frames` before pymodbus sees it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from pymodbus.client.base import ModbusBaseClient
from pymodbus.exceptions import ModbusException
from pymodbus.pdu import ModbusPDU

from site_agent import clock
from site_agent.drivers.frames import MismatchError
from site_agent.drivers.port import (
    RULES_OUT_EFFECT,
    PlcConfused,
    PlcError,
    PlcRefused,
    PlcSilent,
    PlcUnreachable,
    PlcUnsure,
)
from site_agent.drivers.wires import QUIET, TcpWire, Wire
from site_agent.registers import Space

#: Cells of one request: words and bits (Modbus Application Protocol 1.1b3, sections 6.1, 6.3, 6.11 and 6.12).
MAX_READ, MAX_WRITE = 125, 123
MAX_READ_BITS, MAX_WRITE_BITS = 2000, 1968

#: The functions that write one cell and several.
_WRITES: Final = {Space.COIL: (5, 15), Space.HOLDING: (6, 16)}

_Client = ModbusBaseClient
_Send = Callable[[_Client], Awaitable[ModbusPDU]]
_Read = Callable[..., Awaitable[ModbusPDU]]


class ModbusDriver:
    """The cells of one unit at the end of one wire; see :class:`site_agent.drivers.port.Driver`."""

    def __init__(self, wire: Wire, unit: int, timeout_s: float) -> None:
        self._wire = wire
        self._unit = unit
        self._timeout_s = timeout_s
        self._link: _Link | None = None
        #: Until then a late answer may come over a wire whose answers cannot be told apart.
        self._quiet_until_s = 0.0

    @property
    def connected(self) -> bool:
        """Whether a request could be sent now."""
        return self._link is not None and self._link.usable

    @property
    def watching(self) -> bool:
        """A Modbus server only answers."""
        return False

    async def open(self) -> None:
        """Connect; does nothing when connected.

        Raises:
            PlcUnreachable: no connection within ``timeout_s``.
        """
        if self.connected:
            return
        await self.close()
        _silence_pymodbus()
        await asyncio.sleep(self._quiet_until_s - clock.elapsed_s())
        link = _Link(self._wire, self._timeout_s)
        await link.connect()
        self._link = link

    async def close(self) -> None:
        """Disconnect, after a request on its way has ended (within ``timeout_s``)."""
        link, self._link = self._link, None
        if link is not None:
            failed = not link.usable
            await link.close()
            if failed and self._wire.rtu:
                self._quiet_until_s = clock.elapsed_s() + QUIET * self._timeout_s

    async def read(self, address: int, count: int, space: Space = Space.HOLDING) -> tuple[int, ...]:
        """Read ``count`` cells (1 to 125 registers, 1 to 2000 bits); errors as in the port."""
        _check_span(address, count, MAX_READ_BITS if space.bits else MAX_READ)
        reply = await self._ask(lambda client: _read_of(client, space)(address, count=count, device_id=self._unit))
        if reply.isError():
            raise PlcRefused(reply.exception_code)
        # Bits come in whole bytes; what is beyond the last one asked for is nobody's.
        return tuple(map(int, reply.bits[:count])) if space.bits else tuple(reply.registers)

    async def write(
        self, address: int, words: Sequence[int], space: Space = Space.HOLDING, function: int | None = None
    ) -> None:
        """Write 1 to 123 registers or 1 to 1968 coils once; errors as in the port."""
        send = self._write_of(address, list(words), space, function)
        reply = await self._ask(send)
        if reply.isError():
            if reply.exception_code in RULES_OUT_EFFECT:
                raise PlcRefused(reply.exception_code)
            await self.close()
            raise PlcUnsure(reply.exception_code)

    def _write_of(self, address: int, words: list[int], space: Space, function: int | None) -> _Send:
        one, many = _WRITES.get(space, (None, None))
        chosen = function or (one if len(words) == 1 else many)
        if chosen not in (one, many) or chosen is None or (chosen == one and len(words) != 1):
            raise ValueError(f"function {function} does not write {len(words)} cells of {space}")
        _check_span(address, len(words), MAX_WRITE_BITS if space.bits else MAX_WRITE)
        largest, what = (1, "coil") if space.bits else (0xFFFF, "register")
        if not all(0 <= word <= largest for word in words):
            raise ValueError(f"a {what} holds 0 to {largest}, not {words}")
        unit, bits = self._unit, [bool(word) for word in words]
        sends: dict[int, _Send] = {
            5: lambda client: client.write_coil(address, bits[0], device_id=unit),
            6: lambda client: client.write_register(address, words[0], device_id=unit),
            15: lambda client: client.write_coils(address, bits, device_id=unit),
            16: lambda client: client.write_registers(address, words, device_id=unit),
        }
        return sends[chosen]

    async def _ask(self, send: _Send) -> ModbusPDU:
        if self._link is None:
            raise PlcUnreachable("is not connected")
        return await self._link.ask(send)


def _read_of(client: _Client, space: Space) -> _Read:
    reads: dict[Space, _Read] = {
        Space.COIL: client.read_coils,
        Space.DISCRETE: client.read_discrete_inputs,
        Space.HOLDING: client.read_holding_registers,
        Space.INPUT: client.read_input_registers,
    }
    return reads[space]


class ModbusTcpDriver(ModbusDriver):
    """Modbus TCP."""

    def __init__(self, host: str, port: int, unit: int, timeout_s: float) -> None:
        super().__init__(TcpWire(host, port), unit, timeout_s)


class _Link:
    """One connection; the first reply that is missing or wrong ends it, since what follows cannot be trusted."""

    def __init__(self, wire: Wire, timeout_s: float) -> None:
        self._wire = wire
        self._peer = wire.peer
        self._timeout_s = timeout_s
        self._client = wire.client(timeout_s, self._on_bytes, self._on_connection)
        self._turn = asyncio.Lock()
        self._asking: asyncio.Task[ModbusPDU] | None = None
        self._request = b""
        self._verified = False
        self._failure: PlcError | None = None

    @property
    def usable(self) -> bool:
        return self._failure is None and self._client.connected

    async def connect(self) -> None:
        up = False
        try:
            up = await self._client.connect()
        finally:
            if not up:
                self._client.close()
        if not up:
            raise PlcUnreachable(f"{self._peer} accepts no connection within {self._timeout_s:g} s")

    async def close(self) -> None:
        try:
            async with self._turn:
                pass
        finally:
            self._fail(PlcUnreachable("the connection was closed"))

    async def ask(self, send: _Send) -> ModbusPDU:
        # A task of its own, so that cancelling the caller leaves the request whole: the next one waits for its end.
        asking = asyncio.create_task(self._ask(send))
        asking.add_done_callback(_heard)
        return await asyncio.shield(asking)

    async def _ask(self, send: _Send) -> ModbusPDU:
        async with self._turn:
            if not self.usable:
                raise PlcUnreachable(f"{self._peer} is not connected")
            self._request, self._verified = b"", False
            try:
                reply = await self._sent(send)
            except asyncio.CancelledError:
                if self._failure is None:
                    raise  # the whole process ends
                raise self._failure from None
            except ModbusException as error:
                raise self._fail(self._unanswered(error)) from error
            if not self._verified:
                raise self._fail(PlcConfused(f"{self._peer} gave a reply that was not compared with its request"))
            return reply

    async def _sent(self, send: _Send) -> ModbusPDU:
        self._asking = asyncio.current_task()
        try:
            return await send(self._client)
        finally:
            self._asking = None

    def _unanswered(self, error: ModbusException) -> PlcError:
        if not self._request:
            return PlcUnreachable(f"{self._peer} was not asked: {error}")
        return PlcSilent(f"{self._peer} gave no whole answer within {self._timeout_s:g} s")

    def _on_bytes(self, sending: bool, data: bytes) -> bytes:
        """A hook of pymodbus: each frame it sends, and all bytes received since."""
        if sending:
            self._request = data
        elif self._asking is not None and not self._verified:
            try:
                self._verified = self._wire.judge(self._request, data)
            except MismatchError as error:
                self._fail(PlcConfused(f"{self._peer} {error}"))
                return b""
        elif self._wire.rtu:
            self._fail(PlcConfused(f"{self._peer} sent bytes that nobody asked for"))
            return b""
        return data

    def _on_connection(self, connected: bool) -> None:
        if not connected:
            self._fail(PlcSilent(f"{self._peer} broke the connection"))

    def _fail(self, error: PlcError) -> PlcError:
        if self._failure is None:
            self._failure = error
            if self._asking is not None:
                self._asking.cancel()
            self._client.close()
        return error


def _heard(asking: asyncio.Task[ModbusPDU]) -> None:
    """Nobody may be left to hear of its failure, and then asyncio would complain."""
    if not asking.cancelled():
        asking.exception()


def _check_span(address: int, count: int, most: int) -> None:
    if not (1 <= count <= most and 0 <= address <= 0x1_0000 - count):
        raise ValueError(f"cannot ask for {count} registers or bits at {address}: 1 to {most} within 0 to 65535")


def _silence_pymodbus() -> None:
    # It logs every failure with its last twenty frames; all of them are raised here, and the lane reports them.
    log = logging.getLogger("pymodbus.logging")
    if log.level == logging.NOTSET:
        log.setLevel(logging.CRITICAL)
