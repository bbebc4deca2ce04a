"""The documents as the tests read them: fenced blocks, links, and the tables that code can write."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from gateway.protocol import codes, lifecycle
from gateway.protocol.topics import ROOT, TOPICS
from gateway.settings import PREFIX, ServerSettings
from http_facade.settings import FacadeSettings
from site_agent.action_tables import (
    ActionTable,
    ArgumentTable,
    InterlockTable,
    LimitsTable,
    MailboxTable,
    TriggerTable,
)
from site_agent.alarm_tables import AlarmTable, MealsTable, SlotTable
from site_agent.configuration import AgentTable, BrokerTable, DeviceTable
from site_agent.plc_table import MarkerTable, OpcUaTable, PlcTable, SerialTable
from site_agent.property_tables import PropertyTable, VerifyTable
from site_agent.sealing.trust import Trust

DOCS: Final = Path("docs")
DECISIONS: Final = DOCS / "adr"
PAGES: Final = [Path("README.md"), Path("CHANGELOG.md"), *sorted(DOCS.rglob("*.md"))]
TABLES: Final[dict[str, type[BaseModel]]] = {
    "[broker]": BrokerTable,
    "[agent]": AgentTable,
    "[[plcs]]": PlcTable,
    "[plcs.serial]": SerialTable,
    "[plcs.opcua]": OpcUaTable,
    "[plcs.marker]": MarkerTable,
    "[[devices]]": DeviceTable,
    "[devices.properties.NAME]": PropertyTable,
    "[devices.properties.NAME.verify]": VerifyTable,
    "[devices.mailbox]": MailboxTable,
    "[devices.actions.NAME]": ActionTable,
    "[devices.actions.NAME.input.ARGUMENT]": ArgumentTable,
    "[devices.actions.NAME.trigger]": TriggerTable,
    "[devices.actions.NAME.limits]": LimitsTable,
    "[[devices.interlocks]]": InterlockTable,
    "[devices.alarms.NAME]": AlarmTable,
    "[devices.meals]": MealsTable,
    "[[devices.meals.slots]]": SlotTable,
    "trust.toml": Trust,
}

_FENCE: Final = re.compile(r"^```(?P<info>[^\n`]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK: Final = re.compile(r"\[[^\]]*\]\((?P<target>[^)#\s]+)(#[^)]*)?\)")


@dataclass(frozen=True, slots=True)
class Fence:
    """A fenced block: the words after the back-ticks, and what stands between them."""

    info: tuple[str, ...]
    text: str
    line: int


def fences(page: Path, *kind: str) -> list[Fence]:
    """The fenced blocks of a page whose info string begins with ``kind``."""
    text = page.read_text(encoding="utf-8")
    found = [
        Fence(tuple(match["info"].split()), match["text"], text.count("\n", 0, match.start()) + 1)
        for match in _FENCE.finditer(text)
    ]
    return [each for each in found if each.info[: len(kind)] == kind]


def links(page: Path) -> Iterator[str]:
    """Relative links of a page."""
    for match in _LINK.finditer(page.read_text(encoding="utf-8")):
        if "://" not in match["target"]:
            yield match["target"]


def row(cells: Sequence[str]) -> str:
    """A row of a Markdown table."""
    return f"| {' | '.join(cells)} |"


def topic_rows() -> list[str]:
    """The protocol's table."""
    return [
        row(
            [
                f"`{ROOT}/{cls.pattern}`",
                cls.sender,
                "yes" if cls.retain else "no",
                {"Command": "its `ttl_s`"}.get(cls.body.__name__, f"{cls.expiry_s} s" if cls.expiry_s else "none"),
                f"[{cls.body.__name__}](#{cls.body.__name__.lower()})",
            ]
        )
        for cls in TOPICS
    ]


def code_rows() -> list[str]:
    """The codes of acks."""
    return [row([f"`{code}`", codes.MEANING[code]]) for code in codes.AckCode]


def evidence_rows() -> list[str]:
    """By what the end of a command is known."""
    return [row([f"`{evidence}`", codes.EVIDENCE[evidence]]) for evidence in codes.Evidence]


def state_rows() -> list[str]:
    """The states of a command."""
    return [row([f"`{state}`", "yes" if state.final else "no", lifecycle.MEANING[state]]) for state in lifecycle.State]


def server_rows() -> list[str]:
    """The settings of gateway and facade."""
    return [
        row(
            [
                f"`{PREFIX}{name.upper()}`",
                _default(field),
                "both" if name in shared else "facade",
                field.description or "",
            ]
        )
        for shared in [set(ServerSettings.model_fields)]
        for name, field in FacadeSettings.model_fields.items()
    ]


def site_rows(table: str) -> list[list[str]]:
    """Key and default of each key of a table of the site's file."""
    return [[f"`{field.alias or name}`", _default(field)] for name, field in TABLES[table].model_fields.items()]


def _default(field: FieldInfo) -> str:
    value: Any = field.default
    if field.default_factory is not None or value in ((), {}) or isinstance(value, BaseModel):
        return ""  # nothing of the kind
    if value is PydanticUndefined:
        return "required"
    if value is None or str(value) in {"", "."}:
        return ""
    if field.alias is None and field.annotation is not None and value == "@facade":
        return "`@gateway`, `@facade`"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"
