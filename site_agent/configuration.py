"""The tables of a site's file: broker, agent, PLCs and devices. :mod:`site_agent.site_file` reads one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, Field, FiniteFloat, StrictInt, StrictStr, StringConstraints, model_validator

from gateway.protocol.ids import NAME_PATTERN, Id, Name
from gateway.protocol.meals import zone
from gateway.protocol.messages import Text
from site_agent import mailbox
from site_agent.action_tables import ActionTable, InterlockTable, MailboxTable, Register, Table
from site_agent.alarm_tables import AlarmTable, MealsTable
from site_agent.claims import Claim
from site_agent.plc_table import Host, PlcTable
from site_agent.property_tables import PropertyTable
from site_agent.registers import Space


class BrokerTable(Table):
    """``[broker]``: where the broker is and how the site proves who it is.

    By ``identity``, the folder that ``tidegate agent enrol`` made, with TLS; or by a password, with TLS if there is a
    ``ca_file``.
    """

    host: Host = "127.0.0.1"
    port: Annotated[StrictInt, Field(ge=1, le=65_535)] = 1884
    identity: Path | None = None
    password_file: Path | None = None
    ca_file: Path | None = None
    keepalive_s: Annotated[StrictInt, Field(ge=2, le=60)] = 10
    will_delay_s: Annotated[StrictInt, Field(ge=1, le=30)] = 5

    @model_validator(mode="after")
    def _one_proof(self) -> Self:
        if (self.identity is None) == (self.password_file is None):
            raise ValueError("needs either identity (see: tidegate agent enrol --help) or password_file")
        if self.identity is not None and self.ca_file is not None:
            raise ValueError("ca_file is for a password; the identity brings its own")
        return self


class AgentTable(Table):
    """``[agent]``: the agent's own folder and rhythm, and what it keeps while the centre is away."""

    folder: Path = Path("agent")
    heartbeat_s: Annotated[FiniteFloat, Field(ge=0.2, le=60)] = 20.0
    outbox_samples: Annotated[int, Field(ge=1_000, le=100_000_000)] = 5_000_000
    outbox_days: Annotated[FiniteFloat, Field(ge=1, le=366)] = 30.0
    catch_up_per_s: Annotated[FiniteFloat, Field(ge=10, le=100_000)] = 5_000.0


#: A part of a profile by its name, or where the name stands for several kinds, by its kind too.
Part = Annotated[str, StringConstraints(pattern=rf"^((properties|actions|alarms|interlocks)/)?{NAME_PATTERN[1:]}")]


class DeviceTable(Table):
    """``[[devices]]``: a device on a PLC, with its properties, its actions, and what forbids them.

    Once a file is loaded, the tables hold what the profile gives too, and registers are the PLC's, counted from zero.
    """

    id: Id
    title: Text | None = None
    plc: Name
    profile: Name | None = None
    base: Register | dict[Space, Register] = 0
    without: Annotated[tuple[Part, ...], Field(max_length=256)] = ()
    properties: Annotated[dict[Name, PropertyTable], Field(max_length=256)] = Field(default_factory=dict)
    mailbox: MailboxTable | None = None
    actions: Annotated[dict[Name, ActionTable], Field(max_length=64)] = Field(default_factory=dict)
    interlocks: Annotated[tuple[InterlockTable, ...], Field(max_length=16)] = ()
    alarms: Annotated[dict[Name, AlarmTable], Field(max_length=64)] = Field(default_factory=dict)
    meals: MealsTable | None = None

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


def _known_zone(name: str) -> str:
    zone(name)
    return name


class SiteConfiguration(Table):
    """The whole file; meals are planned in the PLCs' ``time_zone``."""

    site: Id
    time_zone: Annotated[StrictStr, AfterValidator(_known_zone)] = "UTC"
    profiles: Path = Path("profiles")
    broker: BrokerTable
    agent: AgentTable = AgentTable()
    plcs: Annotated[tuple[PlcTable, ...], Field(max_length=256)] = ()
    devices: Annotated[tuple[DeviceTable, ...], Field(max_length=1_024)] = ()
