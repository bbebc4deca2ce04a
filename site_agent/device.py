"""A device as the agent knows it: its description, where its values live, and what its settings amount to."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from gateway.protocol.description import Interlock
from gateway.protocol.ids import Id
from gateway.protocol.meals import MealPlan
from gateway.protocol.messages import Severity, Value
from gateway.protocol.topics import WRITE
from site_agent.configuration import DeviceTable
from site_agent.describing import describe, interlocks_of
from site_agent.property_tables import PropertyTable
from site_agent.reading import Block, Reads, plan
from site_agent.registers import RANGES, Space
from site_agent.reporting import Reporting
from site_agent.sampling import Sampling

#: A Modbus write of function 16 carries at most 123 (Modbus Application Protocol 1.1b3, section 6.12).
WRITE_CELLS: Final = 120
#: Functions that write one cell.
_ALONE: Final = frozenset({5, 6})

#: What cells of a PLC held, by space and address; a coil is 0 or 1.
Words = Mapping[tuple[Space, int], int]


@dataclass(frozen=True, slots=True)
class WriteBlock:
    """Words for one write request, and the settings they carry; ``function`` None is the usual one."""

    address: int
    words: tuple[int, ...]
    names: tuple[str, ...]
    space: Space = Space.HOLDING
    function: int | None = None


@dataclass(frozen=True, slots=True)
class Meals:
    """What must not be missed, and by which counter that shows; it starts anew after ``span - 1``."""

    plan: MealPlan
    severity: Severity
    span: int


class Device:
    """One device of the site's file; pure, it reads and writes nothing by itself."""

    def __init__(
        self, site: Id, table: DeviceTable, reads: Reads = Reads(), *, time_zone: str = "UTC", plc_address: str = ""
    ) -> None:
        self.id = table.id
        self._plc_address = plc_address
        self._reads = reads
        self._layouts = {name: each.layout for name, each in table.properties.items()}
        self.plc = table.plc
        self.mailbox = table.mailbox
        self.actions = table.actions
        self._properties = table.properties
        self._interlocks = table.interlocks
        self.alarms = table.alarms
        self.meals = _meals(table, time_zone)
        self.description = describe(site, table, None if self.meals is None else self.meals.plan)
        self.settings = self.description.settings

    def periods(self, usual_s: float) -> dict[float, tuple[str, ...]]:
        """Its properties by how often they are read."""
        found: dict[float, tuple[str, ...]] = {}
        for name, table in self._properties.items():
            period_s = table.poll_s or usual_s
            found[period_s] = (*found.get(period_s, ()), name)
        return found

    def addresses(self, names: Iterable[str]) -> frozenset[int]:
        """Where these values are read."""
        return frozenset(self._properties[name].read_at[1] for name in names)

    def reporting(self, refresh_s: float) -> Reporting:
        """What decides which of its readings are worth a message."""
        return Reporting(self._properties, refresh_s=refresh_s)

    def sampling(self, refresh_s: float, usual_s: float) -> Sampling:
        """What decides which of its readings are kept."""
        periods = {name: period_s for period_s, names in self.periods(usual_s).items() for name in names}
        return Sampling(self.id, self._properties, refresh_s=refresh_s, periods=periods)

    def interlocks_for(self, command: str) -> tuple[Interlock, ...]:
        """What forbids ``write``, or an action."""
        return interlocks_of(self._interlocks, command)

    def place(self, name: str, values: Iterable[str]) -> str:
        """Where the PLC shows what became of a command: another place than then is no evidence of it."""
        if name == WRITE:
            where: list[Any] = [[each, self._properties[each].place] for each in sorted(values)]
        else:
            mailbox = self.actions[name].op is not None and self.mailbox
            where = [mailbox.register_] if mailbox else []
        text = json.dumps([self._plc_address, name, where], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    def check_encodable(self, name: str, values: Mapping[str, Value]) -> None:
        """Make sure that registers can carry these valid values, before anything is promised.

        Raises:
            ValueError: one is beyond the range of its type.
        """
        for each, value in values.items():
            layout = self._layouts[each] if name == WRITE else self.actions[name].input[each].layout
            layout.encode(value)

    def once_writes(self, action: str, values: Mapping[str, Value]) -> tuple[WriteBlock, ...]:
        """The requests that start an action of a PLC without a mailbox: its arguments, and last of all the trigger."""
        table = self.actions[action]
        blocks = [
            WriteBlock(each.register_, each.layout.encode(values[name]), (name,))
            for name, each in table.input.items()
            if each.register_ is not None
        ]
        if table.trigger is not None:
            blocks.append(WriteBlock(table.trigger.register_, (table.trigger.value,), ()))
        return tuple(blocks)

    def read_blocks(self, names: Iterable[str] | None = None) -> tuple[Block, ...]:
        """The requests that read these properties (all by default)."""
        wanted = self._properties if names is None else {name: self._properties[name] for name in names}
        return plan((self._span(name, table) for name, table in wanted.items()), self._reads)

    def write_blocks(self, values: Mapping[str, Value]) -> tuple[WriteBlock, ...]:
        """The requests that write these settings; neighbours travel together, so they change together."""
        blocks: list[WriteBlock] = []
        for name in sorted(values, key=lambda name: (self._properties[name].table, self._properties[name].register_)):
            table = self._properties[name]
            words = self._layouts[name].encode(values[name])
            fresh = WriteBlock(table.register_, words, (name,), table.table, table.write_function)
            joined = _joined(blocks[-1], fresh) if blocks else None
            if joined is None:
                blocks.append(fresh)
            else:
                blocks[-1] = joined
        return tuple(blocks)

    def decode(self, words: Words, names: Iterable[str] | None = None) -> dict[str, Value | None]:
        """Values from what was read; a property whose cells are not all there, or make no sense, is None."""
        return {name: self._decoded(name, words) for name in (self._properties if names is None else names)}

    def is_proved_elsewhere(self, names: Iterable[str]) -> bool:
        """Whether one of these settings is read in another place than it is written in."""
        return any(self._properties[name].verify is not None for name in names)

    def differing(self, asked: Mapping[str, Value], read: Mapping[str, Value | None]) -> tuple[str, ...]:
        """Names of the settings whose read value is not the asked one."""
        return tuple(
            name
            for name, value in asked.items()
            if (held := read.get(name)) is None or not self._layouts[name].same(value, held)
        )

    def _span(self, name: str, table: PropertyTable) -> Block:
        space, address = table.read_at
        return Block(address, self._layouts[name].words, space)

    def _decoded(self, name: str, words: Words) -> Value | None:
        layout, (space, address) = self._layouts[name], self._properties[name].read_at
        span = [words.get((space, address + offset)) for offset in range(layout.words)]
        known = [word for word in span if word is not None]
        return layout.decode(known) if len(known) == layout.words else None

    def revision(self, values: Mapping[str, Value | None]) -> str | None:
        """The revision of the settings: a hash of their values, so it changes exactly when one of them does.

        None while a setting has not been read.
        """
        settings = {name: values.get(name) for name in sorted(self.settings)}
        if None in settings.values():
            return None
        text = json.dumps(settings, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def _meals(table: DeviceTable, time_zone: str) -> Meals | None:
    if table.meals is None:
        return None
    counter = table.properties[table.meals.counter]
    return Meals(table.meals.plan(time_zone), table.meals.severity, span=RANGES[counter.type][1] + 1)


def _joined(block: WriteBlock, fresh: WriteBlock) -> WriteBlock | None:
    """Both in one request, if they are neighbours, and neither insists on another function."""
    functions = {block.function, fresh.function} - {None}
    if block.space is not fresh.space or functions & _ALONE or len(block.words) + len(fresh.words) > WRITE_CELLS:
        return None
    if block.address + len(block.words) != fresh.address:
        return None
    function = block.function or fresh.function
    return WriteBlock(block.address, block.words + fresh.words, block.names + fresh.names, block.space, function)
