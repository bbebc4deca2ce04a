"""A PLC made of somebody else's Modbus: pyModbusTCP, which shares no code with pymodbus or with us."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, Self

from pyModbusTCP.client import ModbusClient
from pyModbusTCP.server import DataBank, ModbusServer

from site_agent.registers import Space
from tests.conditions import eventually

HOST: Final = "127.0.0.1"


@dataclass(frozen=True)
class IndependentPlc:
    """Its memory, to look into and to turn as a panel does; :meth:`running` starts one."""

    port: int
    memory: DataBank

    @classmethod
    @contextmanager
    def running(cls, *, registers: int = 0x1_0000) -> Iterator[Self]:
        """Serving so many cells of each kind; stopped at the end."""
        with socket.create_server((HOST, 0)) as free:
            port = free.getsockname()[1]
        memory = DataBank(coils_size=registers, d_inputs_size=registers, h_regs_size=registers, i_regs_size=registers)
        server = ModbusServer(host=HOST, port=port, no_block=True, data_bank=memory)
        server.start()
        try:
            eventually(lambda: server.is_run, what="the independent PLC")
            yield cls(port, memory)
        finally:
            server.stop()

    def get(self, space: Space, address: int, count: int = 1) -> tuple[int, ...]:
        """What the cells hold."""
        ways = {
            Space.HOLDING: self.memory.get_holding_registers,
            Space.INPUT: self.memory.get_input_registers,
            Space.COIL: self.memory.get_coils,
            Space.DISCRETE: self.memory.get_discrete_inputs,
        }
        return tuple(map(int, ways[space](address, count)))

    def set(self, space: Space, address: int, *words: int) -> None:
        """Change cells by hand."""
        ways = {
            Space.HOLDING: self.memory.set_holding_registers,
            Space.INPUT: self.memory.set_input_registers,
            Space.COIL: self.memory.set_coils,
            Space.DISCRETE: self.memory.set_discrete_inputs,
        }
        assert ways[space](address, [bool(word) if space.bits else word for word in words])


def read_by_other(port: int, space: Space, address: int, count: int) -> Sequence[int] | None:
    """Cells of any PLC on this machine, read by pyModbusTCP's client."""
    client = ModbusClient(host=HOST, port=port, timeout=5, auto_open=True, auto_close=True)
    ways = {
        Space.HOLDING: client.read_holding_registers,
        Space.INPUT: client.read_input_registers,
        Space.COIL: client.read_coils,
        Space.DISCRETE: client.read_discrete_inputs,
    }
    answer = ways[space](address, count)
    return None if answer is None else tuple(map(int, answer))
