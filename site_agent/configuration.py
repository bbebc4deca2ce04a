"""The site's TOML file: which PLCs there are, and which registers make up a device.

Everything wrong with a file is reported at once, each fault with its key and the reason.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, ValidationError, model_validator

from gateway.protocol.codec import faults_of
from gateway.protocol.errors import Fault, SettingsError
from gateway.protocol.ids import Id, Name
from gateway.protocol.messages import Text
from site_agent import mailbox
from site_agent.action_tables import (
    MAX_REGISTER,
    ActionTable,
    InterlockTable,
    MailboxTable,
    Table,
    action_faults,
    interlock_faults,
)
from site_agent.registers import RegisterType, WordOrder, words_of


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


class PlcTable(Table):
    """``[[plcs]]``: a Modbus TCP server; ``poll_s`` is the period between two reads of its devices."""

    name: Name
    host: str
    port: Annotated[int, Field(ge=1, le=65_535)] = 502
    unit: Annotated[int, Field(ge=0, le=255)] = 1
    timeout_s: Annotated[float, Field(gt=0, le=30)] = 1.0
    poll_s: Annotated[float, Field(ge=0.05, le=3_600)] = 1.0


class PropertyTable(Table):
    """``[devices.properties.NAME]``: a value on holding registers; ``writable`` makes it a setting."""

    title: Text | None = None
    description: Text | None = None
    type: RegisterType
    register_: Annotated[int, Field(ge=0, le=MAX_REGISTER, alias="register")]
    word_order: WordOrder = WordOrder.BIG
    writable: bool = False
    unit: Text | None = None
    minimum: float | None = None
    maximum: float | None = None
    step: Annotated[float, Field(gt=0)] | None = None

    @property
    def words(self) -> int:
        """How many registers the value takes."""
        return words_of(self.type)

    @model_validator(mode="after")
    def _within_limits(self) -> Self:
        if self.register_ + self.words - 1 > MAX_REGISTER:
            raise ValueError(f"the value reaches beyond register {MAX_REGISTER}")
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise ValueError(f"minimum {self.minimum} is above maximum {self.maximum}")
        return self


class DeviceTable(Table):
    """``[[devices]]``: a device on a PLC, with its properties, its actions, and what forbids them."""

    id: Id
    title: Text
    plc: Name
    properties: Annotated[dict[Name, PropertyTable], Field(min_length=1, max_length=256)]
    mailbox: MailboxTable | None = None
    actions: Annotated[dict[Name, ActionTable], Field(max_length=64)] = Field(default_factory=dict)
    interlocks: Annotated[tuple[InterlockTable, ...], Field(max_length=16)] = ()

    def spans(self) -> Iterator[tuple[str, int, int]]:
        """Everything that lies in registers: key in the file, first register, how many."""
        for name, each in self.properties.items():
            yield f"properties/{name}", each.register_, each.words
        if self.mailbox is not None:
            yield "mailbox", self.mailbox.register_, mailbox.SIZE
        for name, action in self.actions.items():
            for argument, table in action.input.items():
                if table.register_ is not None:
                    yield f"actions/{name}/input/{argument}", table.register_, words_of(table.type)
            if action.trigger is not None:
                yield f"actions/{name}/trigger", action.trigger.register_, 1


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
    return _with_absolute_paths(configuration, path.resolve().parent)


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
        kinds = {name: each.type for name, each in device.properties.items()}
        place = f"/devices/{number}"
        yield from action_faults(device.actions, device.mailbox is not None, kinds, place)
        yield from interlock_faults(device.interlocks, device.actions, kinds, place)
    yield from _overlaps(configuration)


def _overlaps(configuration: SiteConfiguration) -> Iterator[Fault]:
    # Two settings on one register would overwrite each other and both read back wrong.
    owners: dict[tuple[str, int], str] = {}
    for number, device in enumerate(configuration.devices):
        for key, first, count in device.spans():
            me = f"{device.id}.{key.rsplit('/', 1)[-1]}"
            taken = {owners.setdefault((device.plc, register), me) for register in range(first, first + count)} - {me}
            for owner in sorted(taken):
                where = f"register {first}" if count == 1 else f"one of the registers {first} to {first + count - 1}"
                pointer = f"/devices/{number}/{key}/register"
                yield Fault(pointer, "overlap", f"{where} of {device.plc} belongs to {owner} already")


def _with_absolute_paths(configuration: SiteConfiguration, folder: Path) -> SiteConfiguration:
    broker: dict[str, Any] = {"password_file": folder / configuration.broker.password_file}
    agent: dict[str, Any] = {"folder": folder / configuration.agent.folder}
    return configuration.model_copy(
        update={
            "broker": configuration.broker.model_copy(update=broker),
            "agent": configuration.agent.model_copy(update=agent),
        }
    )
