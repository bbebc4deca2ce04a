"""The ways to a Modbus PLC: TCP, RTU frames through a TCP gateway, RTU on a serial line.

RTU has no transaction id: a late answer looks like the answer to the next question. So on these wires the line is left
alone after a failure for longer than any answer takes, and bytes that nobody asked for end the connection.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient
from pymodbus.client.base import ModbusBaseClient
from pymodbus.framer import FramerType

from site_agent.drivers import frames, frames_rtu

#: A request that got no answer may still get one for so many time-outs.
QUIET: Final = 2.0

OnBytes = Callable[[bool, bytes], bytes]
OnConnection = Callable[[bool], None]
#: Whether the bytes received are the whole answer to the request; raises MismatchError.
Judge = Callable[[bytes, bytes], bool]


class Parity(StrEnum):
    """Of a serial line."""

    NONE = "none"
    EVEN = "even"
    ODD = "odd"


class Wire(Protocol):
    """How to reach a PLC; ``rtu`` if answers cannot be told apart by an id."""

    @property
    def peer(self) -> str:
        """Its address, for people."""

    @property
    def rtu(self) -> bool:
        """Whether frames are RTU's."""

    @property
    def judge(self) -> Judge:
        """What compares answers with their requests."""

    def client(self, timeout_s: float, on_bytes: OnBytes, on_connection: OnConnection) -> ModbusBaseClient:
        """A pymodbus client that neither repeats nor reconnects."""


@dataclass(frozen=True, slots=True)
class TcpWire:
    """A TCP server, of Modbus TCP or of RTU frames as they come from a serial line behind it."""

    host: str
    port: int
    rtu: bool = False

    @property
    def peer(self) -> str:
        """Host and port."""
        return f"{self.host}:{self.port}"

    @property
    def judge(self) -> Judge:
        """By the framing."""
        return frames_rtu.answered if self.rtu else frames.answered

    def client(self, timeout_s: float, on_bytes: OnBytes, on_connection: OnConnection) -> ModbusBaseClient:
        """One connection; asyncio sets TCP_NODELAY by itself, and a test watches over it."""
        return AsyncModbusTcpClient(
            self.host,
            port=self.port,
            framer=FramerType.RTU if self.rtu else FramerType.SOCKET,
            timeout=timeout_s,
            retries=0,
            reconnect_delay=0,
            trace_packet=on_bytes,
            trace_connect=on_connection,
        )


@dataclass(frozen=True, slots=True)
class SerialWire:
    """A serial line of this machine, as ``/dev/ttyUSB0`` or ``COM3``; always eight data bits."""

    device: str
    baud_rate: int
    parity: Parity
    stop_bits: int

    @property
    def peer(self) -> str:
        """Device and speed."""
        return f"{self.device} at {self.baud_rate} baud"

    @property
    def rtu(self) -> bool:
        """Always."""
        return True

    @property
    def judge(self) -> Judge:
        """RTU's."""
        return frames_rtu.answered

    def client(self, timeout_s: float, on_bytes: OnBytes, on_connection: OnConnection) -> ModbusBaseClient:
        """The line, opened."""
        return AsyncModbusSerialClient(
            self.device,
            framer=FramerType.RTU,
            baudrate=self.baud_rate,
            parity=self.parity.value[0].upper(),
            stopbits=self.stop_bits,
            timeout=timeout_s,
            retries=0,
            reconnect_delay=0,
            trace_packet=on_bytes,
            trace_connect=on_connection,
        )
