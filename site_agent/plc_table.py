"""``[[plcs]]`` of a site's file: where a PLC is, how it may be asked, and how it is known to be the right one."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, FiniteFloat, StrictBool, StrictInt, StrictStr, model_validator

from gateway.protocol.errors import Fault
from gateway.protocol.ids import Name
from site_agent.action_tables import Register, Table
from site_agent.drivers.wires import Parity, SerialWire, TcpWire, Wire
from site_agent.property_tables import Cells, cell_faults
from site_agent.reading import Reads
from site_agent.registers import ByteOrder, RegisterType, WordOrder


def _without_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    if colon and ":" not in name:  # an IPv6 address has more of them
        raise ValueError(f"the port is a key of its own: host = '{name}', port = {port}")
    return host


#: A name or an address of a machine.
Host = Annotated[StrictStr, Field(min_length=1, max_length=255), AfterValidator(_without_port)]


class MarkerTable(Cells):
    """``[plcs.marker]``: a value that only the right PLC holds at this place; nothing is written to any other."""

    value: StrictBool | StrictInt | FiniteFloat


class Framing(StrEnum):
    """What travels over TCP: Modbus TCP, or the frames of a serial line behind a gateway."""

    TCP = "tcp"
    RTU = "rtu"


class SerialTable(Table):
    """``[plcs.serial]``: a serial line of this machine, with eight data bits."""

    device: str
    baud_rate: Annotated[StrictInt, Field(ge=300, le=4_000_000)] = 19_200
    parity: Parity = Parity.EVEN
    stop_bits: Literal[1, 2] = 1


class OpcUaTable(Table):
    """``[plcs.opcua]``: an OPC UA server instead of a Modbus one, reached without encryption."""

    endpoint: Annotated[StrictStr, Field(pattern=r"^opc\.tcp://[^@\s]+$")]
    user: StrictStr | None = None
    password_file: Path | None = None


class PlcTable(Table):
    """``[[plcs]]``: a Modbus server, or one of OPC UA; ``poll_s`` is the period between two reads of its devices.

    ``largest_read`` and ``largest_gap`` count registers, ``unreadable`` holds first and last of ranges that it refuses.
    """

    name: Name
    host: Host | None = None
    port: Annotated[StrictInt, Field(ge=1, le=65_535)] = 502
    framing: Framing = Framing.TCP
    serial: SerialTable | None = None
    opcua: OpcUaTable | None = None
    unit: Annotated[StrictInt, Field(ge=0, le=255)] = 1
    timeout_s: Annotated[FiniteFloat, Field(gt=0, le=30)] = 1.0
    poll_s: Annotated[FiniteFloat, Field(ge=0.05, le=3_600)] = 1.0
    refresh_s: Annotated[FiniteFloat, Field(ge=1, le=86_400)] = 60.0
    word_order: WordOrder = WordOrder.BIG
    byte_order: ByteOrder = ByteOrder.BIG
    largest_read: Annotated[StrictInt, Field(ge=1, le=125)] = 120
    largest_gap: Annotated[StrictInt, Field(ge=0, le=124)] = 16
    unreadable: Annotated[tuple[tuple[Register, Register], ...], Field(max_length=64)] = ()
    marker: MarkerTable | None = None

    @property
    def wire(self) -> Wire:
        """The way to it."""
        if self.serial is not None:
            line = self.serial
            return SerialWire(line.device, line.baud_rate, line.parity, line.stop_bits)
        return TcpWire(self.host or "", self.port, rtu=self.framing is Framing.RTU)

    @property
    def address(self) -> str:
        """Where it is, for people."""
        if self.opcua is not None:
            return self.opcua.endpoint
        return f"{self.wire.peer} unit {self.unit}"

    @property
    def reads(self) -> Reads:
        """How its registers may be read."""
        return Reads(largest=self.largest_read, gap=self.largest_gap, unreadable=self.unreadable)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if sum(each is not None for each in (self.host, self.serial, self.opcua)) != 1:
            raise ValueError("a PLC has a host, or a serial line, or an OPC UA server, and only one of them")
        for first, last in self.unreadable:
            if first > last:
                raise ValueError(f"unreadable: {first} is above {last}")
        return self


def marker_faults(marker: MarkerTable, here: str) -> Iterator[Fault]:
    """What contradicts itself in a PLC's marker."""
    if marker.type is RegisterType.STRING:
        yield Fault(f"{here}/type", "wrong-type", "a marker is a number or a bool")
        return
    yield from cell_faults(marker, 1, here)
    try:
        marker.layout.encode(marker.value)
    except ValueError as error:
        yield Fault(f"{here}/value", "wrong-type", str(error))
