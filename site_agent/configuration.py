"""The site's TOML file: which PLCs there are, and which registers make up a device.

Everything wrong with a file is reported at once, each fault with its key and the reason.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import Field, ValidationError

from gateway.protocol.codec import faults_of
from gateway.protocol.errors import Fault, SettingsError
from gateway.protocol.ids import Id, Name
from gateway.protocol.messages import Text
from site_agent import mailbox
from site_agent.action_tables import (
    ActionTable,
    ArgumentTable,
    InterlockTable,
    MailboxTable,
    Table,
    action_faults,
    interlock_faults,
)
from site_agent.claims import Claim, overlaps
from site_agent.plc_table import MarkerTable, PlcTable, marker_faults
from site_agent.property_tables import PropertyTable, property_faults, value_types
from site_agent.registers import Space

C = TypeVar("C", PropertyTable, MarkerTable, ArgumentTable)


class BrokerTable(Table):
    """``[broker]``: where the broker is and how the site proves who it is."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65_535)] = 1884
    password_file: Path
    keepalive_s: Annotated[int, Field(ge=2, le=60)] = 10
    will_delay_s: Annotated[int, Field(ge=1, le=30)] = 5


class AgentTable(Table):
    """``[agent]``: the agent's own folder and rhythm."""

    folder: Path = Path("agent")
    heartbeat_s: Annotated[float, Field(ge=0.2, le=60)] = 20.0


class DeviceTable(Table):
    """``[[devices]]``: a device on a PLC, with its properties, its actions, and what forbids them."""

    id: Id
    title: Text
    plc: Name
    properties: Annotated[dict[Name, PropertyTable], Field(min_length=1, max_length=256)]
    mailbox: MailboxTable | None = None
    actions: Annotated[dict[Name, ActionTable], Field(max_length=64)] = Field(default_factory=dict)
    interlocks: Annotated[tuple[InterlockTable, ...], Field(max_length=16)] = ()

    def claims(self) -> Iterator[Claim]:
        """Everything that lies in registers and belongs to one owner."""
        for name, each in self.properties.items():
            yield Claim(f"properties/{name}", each.table, each.register_, each.layout.words, each.bit)
        if self.mailbox is not None:
            yield Claim("mailbox", Space.HOLDING, self.mailbox.register_, mailbox.SIZE)
        for name, action in self.actions.items():
            for argument, table in action.input.items():
                if table.register_ is not None:
                    count = table.layout.words
                    yield Claim(f"actions/{name}/input/{argument}", Space.HOLDING, table.register_, count)
            if action.trigger is not None:
                yield Claim(f"actions/{name}/trigger", Space.HOLDING, action.trigger.register_, 1)


class SiteConfiguration(Table):
    """The whole file."""

    site: Id
    broker: BrokerTable
    agent: AgentTable = AgentTable()
    plcs: Annotated[tuple[PlcTable, ...], Field(min_length=1, max_length=256)]
    devices: Annotated[tuple[DeviceTable, ...], Field(min_length=1, max_length=1_024)]


def load(path: Path) -> SiteConfiguration:
    """Read a site's file; paths in it are taken relative to the file.

    Raises:
        SettingsError: unreadable, not TOML, or breaking a rule; lists every fault with its key.
    """
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(str(path), [Fault("", "unreadable", str(error))]) from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(str(path), [Fault("", "not-toml", str(error))]) from None
    try:
        configuration = SiteConfiguration.model_validate(raw)
    except ValidationError as error:
        raise SettingsError(str(path), faults_of(error)) from None
    faults = tuple(_contradictions(configuration))
    if faults:
        raise SettingsError(str(path), faults)
    return _with_orders(_with_absolute_paths(configuration, path.resolve().parent))


def _contradictions(configuration: SiteConfiguration) -> Iterator[Fault]:
    plcs = {plc.name for plc in configuration.plcs}
    for kind, names in (
        ("plcs", [plc.name for plc in configuration.plcs]),
        ("devices", [device.id for device in configuration.devices]),
    ):
        for name, times in Counter(names).items():
            if times > 1:
                yield Fault(f"/{kind}", "twice", f"{name!r} is there {times} times; every name must be unique")
    for number, device in enumerate(configuration.devices):
        if device.plc not in plcs:
            known = ", ".join(sorted(plcs))
            yield Fault(f"/devices/{number}/plc", "unknown-plc", f"there is no PLC {device.plc!r}; there are: {known}")
        place = f"/devices/{number}"
        yield from property_faults(device.properties, place)
        counts = {name for name, each in device.properties.items() if each.counts}
        yield from action_faults(device.actions, device.mailbox is not None, counts, place)
        yield from interlock_faults(device.interlocks, device.actions, value_types(device.properties), place)
    for number, plc in enumerate(configuration.plcs):
        if plc.marker is not None:
            yield from marker_faults(plc.marker, f"/plcs/{number}/marker")
    yield from overlaps(_claims(configuration))


def _claims(configuration: SiteConfiguration) -> Iterator[tuple[str, str, str, Claim]]:
    for number, device in enumerate(configuration.devices):
        for claim in device.claims():
            yield device.plc, device.id, f"/devices/{number}", claim


def _with_orders(configuration: SiteConfiguration) -> SiteConfiguration:
    """Whatever names no order of words and bytes has that of its PLC."""
    plcs = {plc.name: plc for plc in configuration.plcs}
    devices = [_ordered_device(device, plcs[device.plc]) for device in configuration.devices]
    return configuration.model_copy(
        update={
            "plcs": tuple(
                plc if plc.marker is None else plc.model_copy(update={"marker": _ordered(plc.marker, plc)})
                for plc in configuration.plcs
            ),
            "devices": tuple(devices),
        }
    )


def _ordered_device(device: DeviceTable, plc: PlcTable) -> DeviceTable:
    properties = {name: _ordered(each, plc) for name, each in device.properties.items()}
    actions = {
        name: action.model_copy(
            update={"input": {argument: _ordered(each, plc) for argument, each in action.input.items()}}
        )
        for name, action in device.actions.items()
    }
    return device.model_copy(update={"properties": properties, "actions": actions})


def _ordered(cells: C, plc: PlcTable) -> C:
    orders = {"word_order": cells.word_order or plc.word_order, "byte_order": cells.byte_order or plc.byte_order}
    return cells.model_copy(update=orders)


def _with_absolute_paths(configuration: SiteConfiguration, folder: Path) -> SiteConfiguration:
    broker: dict[str, Any] = {"password_file": folder / configuration.broker.password_file}
    agent: dict[str, Any] = {"folder": folder / configuration.agent.folder}
    return configuration.model_copy(
        update={
            "broker": configuration.broker.model_copy(update=broker),
            "agent": configuration.agent.model_copy(update=agent),
        }
    )
