"""The site's TOML file: which PLCs there are, and which registers make up a device.

Everything wrong with a file is reported at once, each fault with its key and the reason.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from gateway.protocol.codec import faults_of
from gateway.protocol.errors import Fault, SettingsError
from gateway.protocol.ids import Id, Name
from gateway.protocol.messages import Text
from site_agent.registers import RegisterType, WordOrder, words_of

#: What one Modbus write of function 16 can carry (Modbus Application Protocol 1.1b3, section 6.12).
MAX_REGISTER = 65_535


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class BrokerTable(_Table):
    """``[broker]``: where the broker is and how the site proves who it is."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65_535)] = 1884
    password_file: Path
    keepalive_s: Annotated[int, Field(ge=2, le=60)] = 10
    will_delay_s: Annotated[int, Field(ge=1, le=30)] = 5


class AgentTable(_Table):
    """``[agent]``: the agent's own folder and rhythm."""

    folder: Path = Path("agent")
    heartbeat_s: Annotated[float, Field(ge=0.2, le=60)] = 20.0


class PlcTable(_Table):
    """``[[plcs]]``: a Modbus TCP server; ``poll_s`` is the period between two reads of its devices."""

    name: Name
    host: str
    port: Annotated[int, Field(ge=1, le=65_535)] = 502
    unit: Annotated[int, Field(ge=0, le=255)] = 1
    timeout_s: Annotated[float, Field(gt=0, le=30)] = 1.0
    poll_s: Annotated[float, Field(ge=0.05, le=3_600)] = 1.0


class PropertyTable(_Table):
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


class DeviceTable(_Table):
    """``[[devices]]``: a device on a PLC, with its properties."""

    id: Id
    title: Text
    plc: Name
    properties: Annotated[dict[Name, PropertyTable], Field(min_length=1, max_length=256)]


class SiteConfiguration(_Table):
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
    yield from _overlaps(configuration)


def _overlaps(configuration: SiteConfiguration) -> Iterator[Fault]:
    # Two settings on one register would overwrite each other and both read back wrong.
    owners: dict[tuple[str, int], str] = {}
    for number, device in enumerate(configuration.devices):
        for name, table in device.properties.items():
            for register in range(table.register_, table.register_ + table.words):
                owner = owners.setdefault((device.plc, register), f"{device.id}.{name}")
                if owner != f"{device.id}.{name}":
                    pointer = f"/devices/{number}/properties/{name}/register"
                    yield Fault(pointer, "overlap", f"register {register} of {device.plc} belongs to {owner} already")


def _with_absolute_paths(configuration: SiteConfiguration, folder: Path) -> SiteConfiguration:
    broker: dict[str, Any] = {"password_file": folder / configuration.broker.password_file}
    agent: dict[str, Any] = {"folder": folder / configuration.agent.folder}
    return configuration.model_copy(
        update={
            "broker": configuration.broker.model_copy(update=broker),
            "agent": configuration.agent.model_copy(update=agent),
        }
    )
