"""One simulated PLC: a Modbus TCP server whose memory is the only state there is."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from gateway.protocol.errors import Unavailable
from site_agent.simulator.block import SIZE, acts, refusal

UNIT: Final = 1
#: The library's device that answers for each unit that is not there.
_ANY_OTHER_UNIT: Final = 0
_READ, _WRITE_ONE, _WRITE_MANY, _MASK_WRITE, _READ_WRITE = 3, 6, 16, 22, 23
_SERVED: Final = frozenset({_READ, _WRITE_ONE, _WRITE_MANY, _MASK_WRITE, _READ_WRITE})


class SimulatedPlc:
    """Blocks of feeder registers behind a Modbus TCP port; clients may write settings only, the program anything.

    ``on_write`` is awaited when a client's write has been stored, before its answer leaves, and told whether the
    program must act upon it at once.
    """

    def __init__(
        self, host: str, port: int, memory: Mapping[int, Sequence[int]], on_write: Callable[[bool], Awaitable[None]]
    ) -> None:
        self._host = host
        self._port = port
        self._memory = memory
        self._on_write = on_write
        self._server: ModbusTcpServer | None = None
        self._inside = False

    @property
    def port(self) -> int:
        """The TCP port; known once started."""
        return self._port

    async def start(self) -> None:
        """Listen.

        Raises:
            Unavailable: the port is taken.
        """
        blocks = [
            SimData(base, values=list(words), datatype=DataType.REGISTERS) for base, words in self._memory.items()
        ]
        others = SimDevice(_ANY_OTHER_UNIT, [SimData(0, datatype=DataType.REGISTERS)], action=_nobody)
        devices = [SimDevice(UNIT, blocks, action=self._judge), others]
        server = ModbusTcpServer(devices, address=(self._host, self._port))
        try:
            await server.serve_forever(background=True)
        except RuntimeError:
            raise Unavailable(
                f"TCP port {self._port} of {self._host}",
                "the simulated PLC cannot listen there; is another program using it?",
            ) from None
        self._port = server.transport.sockets[0].getsockname()[1]  # type: ignore[attr-defined]  # an asyncio.Server
        self._server = server

    async def stop(self) -> None:
        """Drop all connections and stop listening; the memory is lost, as in a PLC without a battery."""
        if self._server is not None:
            # asyncio leaks a connection that is being accepted while its server closes; let accepting end first.
            await _settle()
            await self._server.shutdown()  # type: ignore[no-untyped-call]  # the library left it untyped
            self._server = None
            await _settle()

    async def read(self, address: int, count: int) -> tuple[int, ...]:
        """Registers as the program sees them."""
        return tuple(int(word) for word in await self._running().async_getValues(UNIT, _READ, address, count))

    async def write(self, address: int, words: Sequence[int]) -> None:
        """Change any register, as the program or the panel at the PLC does."""
        self._inside = True
        try:
            await self._running().async_setValues(UNIT, _WRITE_MANY, address, list(words))
        finally:
            self._inside = False

    def _running(self) -> ModbusTcpServer:
        if self._server is None:
            raise Unavailable("the simulated PLC", "it is not running")
        return self._server

    async def _judge(
        self,
        function_code: int,
        _start: int,
        address: int,
        _count: int,
        _registers: list[int],
        values: list[int] | list[bool] | None,
    ) -> ExcCodes | None:
        """The server's hook on every access; pymodbus calls it, and stores or answers if it returns None."""
        if self._inside:
            return None
        if function_code not in _SERVED:
            return ExcCodes.ILLEGAL_FUNCTION
        if not values:
            return None
        words = [int(value) for value in values]
        base = max((base for base in self._memory if base <= address), default=0)
        if address - base + len(words) > SIZE:
            return ExcCodes.ILLEGAL_ADDRESS
        if code := refusal(address - base, words):
            return ExcCodes(code)
        # The library has no hook behind its storing. So store now; that it then stores the same again changes nothing,
        # because the program changes no register that clients may write.
        await self.write(address, words)
        await self._on_write(acts(address - base, words))
        return None


async def _nobody(*_: object) -> ExcCodes:
    """What a gateway answers for a unit that is not behind it."""
    return ExcCodes.GATEWAY_NO_RESPONSE


async def _settle() -> None:
    """Let the event loop run what is due: accepting takes it three rounds, closing one."""
    for _ in range(4):
        await asyncio.sleep(0)
