"""A device as the agent knows it: its description, where its values live, and what its settings amount to."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from gateway.protocol.description import Interlock
from gateway.protocol.ids import Id
from gateway.protocol.messages import Value
from gateway.protocol.topics import WRITE
from site_agent.action_tables import ArgumentTable
from site_agent.configuration import DeviceTable, PropertyTable
from site_agent.describing import describe, interlocks_of
from site_agent.registers import decode_words, encode_value, same

#: Unused registers that are cheaper to read along than to skip with a request of their own.
GAP_REGISTERS = 16
#: A Modbus read carries at most 125 registers (Modbus Application Protocol 1.1b3, section 6.3).
READ_REGISTERS = 120
#: A Modbus write of function 16 carries at most 123.
WRITE_REGISTERS = 120

#: What the raw registers of a PLC held, by address.
Words = Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Block:
    """Registers that are read or written in one request."""

    address: int
    count: int


@dataclass(frozen=True, slots=True)
class WriteBlock:
    """Words for one write request, and the settings they carry."""

    address: int
    words: tuple[int, ...]
    names: tuple[str, ...]


class Device:
    """One device of the site's file; pure, it reads and writes nothing by itself."""

    def __init__(self, site: Id, table: DeviceTable) -> None:
        self.id = table.id
        self.plc = table.plc
        self.mailbox = table.mailbox
        self.actions = table.actions
        self._properties = table.properties
        self._interlocks = table.interlocks
        self.description = describe(site, table)
        self.settings = self.description.settings

    def interlocks_for(self, command: str) -> tuple[Interlock, ...]:
        """What forbids ``write``, or an action."""
        return interlocks_of(self._interlocks, command)

    def check_encodable(self, name: str, values: Mapping[str, Value]) -> None:
        """Make sure that registers can carry these valid values, before anything is promised.

        Raises:
            ValueError: one is beyond the range of its type.
        """
        tables: Mapping[str, PropertyTable | ArgumentTable]
        tables = self._properties if name == WRITE else self.actions[name].input
        for each, value in values.items():
            encode_value(tables[each].type, value, tables[each].word_order)

    def once_writes(self, action: str, values: Mapping[str, Value]) -> tuple[WriteBlock, ...]:
        """The requests that start an action of a PLC without a mailbox: its arguments, and last of all the trigger."""
        table = self.actions[action]
        blocks = [
            WriteBlock(each.register_, encode_value(each.type, values[name], each.word_order), (name,))
            for name, each in table.input.items()
            if each.register_ is not None
        ]
        if table.trigger is not None:
            blocks.append(WriteBlock(table.trigger.register_, (table.trigger.value,), ()))
        return tuple(blocks)

    def read_blocks(self, names: Iterable[str] | None = None) -> tuple[Block, ...]:
        """The requests that read these properties (all by default)."""
        wanted = self._properties if names is None else {name: self._properties[name] for name in names}
        return plan_reads((table.register_, table.words) for table in wanted.values())

    def write_blocks(self, values: Mapping[str, Value]) -> tuple[WriteBlock, ...]:
        """The requests that write these settings; neighbours travel together, so they change together."""
        blocks: list[WriteBlock] = []
        for name in sorted(values, key=lambda name: self._properties[name].register_):
            table = self._properties[name]
            words = encode_value(table.type, values[name], table.word_order)
            last = blocks[-1] if blocks else None
            if (
                last
                and last.address + len(last.words) == table.register_
                and len(last.words) + len(words) <= WRITE_REGISTERS
            ):
                blocks[-1] = WriteBlock(last.address, last.words + words, (*last.names, name))
            else:
                blocks.append(WriteBlock(table.register_, words, (name,)))
        return tuple(blocks)

    def decode(self, words: Words, names: Iterable[str] | None = None) -> dict[str, Value | None]:
        """Values from register words; a property whose registers are not all there, or make no sense, is None."""
        return {name: _decode(self._properties[name], words) for name in (self._properties if names is None else names)}

    def differing(self, asked: Mapping[str, Value], read: Mapping[str, Value | None]) -> tuple[str, ...]:
        """Names of the settings whose read value is not the asked one."""
        return tuple(
            name
            for name, value in asked.items()
            if (held := read.get(name)) is None or not same(self._properties[name].type, value, held)
        )

    def revision(self, values: Mapping[str, Value | None]) -> str | None:
        """The revision of the settings: a hash of their values, so it changes exactly when one of them does.

        None while a setting has not been read.
        """
        settings = {name: values.get(name) for name in sorted(self.settings)}
        if None in settings.values():
            return None
        text = json.dumps(settings, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def plan_reads(spans: Iterable[tuple[int, int]]) -> tuple[Block, ...]:
    """Few requests that cover all ``(address, count)`` spans, bridging small gaps, none above the limit."""
    blocks: list[Block] = []
    for address, count in sorted(spans):
        last = blocks[-1] if blocks else None
        if (
            last
            and address <= last.address + last.count + GAP_REGISTERS
            and address + count - last.address <= READ_REGISTERS
        ):
            blocks[-1] = Block(last.address, max(last.count, address + count - last.address))
        else:
            blocks.append(Block(address, count))
    return tuple(blocks)


def _decode(table: PropertyTable, words: Words) -> Value | None:
    span: Sequence[int | None] = [words.get(table.register_ + offset) for offset in range(table.words)]
    known = tuple(word for word in span if word is not None)
    return decode_words(table.type, known, table.word_order) if len(known) == table.words else None
