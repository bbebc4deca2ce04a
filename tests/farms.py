"""A simulated farm, asked by plain bytes: nothing here is of the driver or of pymodbus."""

from __future__ import annotations

import asyncio
import struct

from site_agent.simulator import block
from site_agent.simulator.farm import Farm


class Clock:
    """Seconds of a farm's calendar, moved by hand."""

    def __init__(self, hour: float) -> None:
        self.now_s = hour * 3600

    def __call__(self) -> float:
        """The time now."""
        return self.now_s


async def ask(farm: Farm, pdu: bytes, *, plc: str = "plc-1", unit: int = 1) -> bytes:
    """Function code and data of the reply to these bytes, over a plain socket."""
    address = farm.addresses[plc]
    reader, writer = await asyncio.open_connection(address.host, address.port)
    writer.write(struct.pack(">HHHB", 7, 0, len(pdu) + 1, unit) + pdu)
    async with asyncio.timeout(5):
        header = await reader.readexactly(7)
        reply = await reader.readexactly(int.from_bytes(header[4:6], "big") - 1)
    writer.close()
    await writer.wait_closed()
    return reply


async def values(farm: Farm, *, plc: str = "plc-1", base: int = 0) -> dict[str, object]:
    """A feeder's values as plain bytes from the wire give them."""
    reply = await ask(farm, struct.pack(">BHH", 3, base, block.SIZE), plc=plc)
    return dict(block.decode(struct.unpack(f">{block.SIZE}H", reply[2:])))
