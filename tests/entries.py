"""Made-up commands, acks and reports for tests."""

from __future__ import annotations

import secrets
import time
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from gateway.events import EventSeen, Source
from gateway.ledger import Answer, Asked
from gateway.protocol.history import Happening
from gateway.protocol.ids import command_id
from gateway.protocol.lifecycle import State
from gateway.protocol.messages import Ack, Heartbeat, PlcLink, Severity, SiteState, Status

NOON: Final = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
BOOT: Final = "0123456789abcdef"


def new_id() -> str:
    """A command id that nobody has used."""
    return command_id(time.time_ns() // 1_000_000, secrets.randbits(74))


def asked(**fields: object) -> Asked:
    """A command of the facade to change one setting."""
    values: dict[str, Any] = {
        "id": new_id(),
        "site": "arava-1",
        "device": "feeder-1",
        "name": "write",
        "requester": "@facade",
        "actor": "dana",
        "reason": None,
        "input": {"portion_g": 120},
        "expect_revision": None,
        "issued_at": NOON,
        "ttl_s": 10.0,
        "source_address": "192.0.2.7",
    }
    return Asked(**{**values, **fields})


def ack(**fields: object) -> Ack:
    """What an agent says once the PLC was read equal."""
    values: dict[str, Any] = {
        "id": new_id(),
        "device": "feeder-1",
        "name": "write",
        "input": {"portion_g": 120},
        "state": State.APPLIED,
        "code": "applied",
        "detail": "",
        "result": {"portion_g": 120},
        "epoch": 7,
        "at": NOON + timedelta(seconds=1),
    }
    return Ack(**{**values, **fields})


def answer(
    command: Asked,
    state: State = State.APPLIED,
    *,
    site: str | None = None,
    requester: str | None = None,
    **fields: object,
) -> Answer:
    """The ack of ``command``, from its own site to its own requester unless told otherwise."""
    said = ack(id=command.id, device=command.device, state=state, input=dict(command.input), **fields)
    return Answer(site=site or command.site, requester=requester or command.requester, ack=said)


def heartbeat(*, epoch: int = 1, seq: int = 1) -> Heartbeat:
    """Proof of life of a site with one PLC."""
    return Heartbeat(epoch=epoch, seq=seq, at=NOON, plcs={"plc-1": PlcLink.OK})


def status(state: SiteState = SiteState.ONLINE, *, epoch: int = 1) -> Status:
    """What an agent, or its will, says about itself."""
    return Status(state=state, epoch=epoch, boot=BOOT, since=NOON, version="0.1.0")


def event_seen(*, site: str = "arava-1", source: Source = Source.AGENT, **fields: object) -> EventSeen:
    """An alarm that was raised, unless ``fields`` of the event say otherwise."""
    parts: dict[str, object] = {
        "id": new_id(),
        "device": "feeder-1",
        "name": "jam",
        "at": NOON,
        "detail": "jam reads true",
        "active": True,
        "title": "The auger is jammed",
        "severity": Severity.CRITICAL,
        "data": {"jam": True},
        **fields,
    }
    return EventSeen(site=site, event=Happening.model_validate(parts), at=NOON, source=source)
