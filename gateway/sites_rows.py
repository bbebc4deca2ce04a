"""What the centre knows of sites and devices, and how it lies in the tables."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Row

from gateway.database.tables import microseconds, storable
from gateway.protocol.codec import decode
from gateway.protocol.description import Description
from gateway.protocol.messages import DeviceState, Heartbeat, PlcLink, SiteState, Status


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusSeen:
    """What a site, or its will, said about itself."""

    site: str
    status: Status
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class BeatSeen:
    """The last heartbeat of a site, and when it was received."""

    site: str
    heartbeat: Heartbeat
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DescriptionSeen:
    """A device's description as it was sent; ``epoch`` is the highest that was known of the site."""

    site: str
    device: str
    payload: bytes
    epoch: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StateSeen:
    """A device's values; ``retained`` if the broker repeated what it had stored."""

    site: str
    device: str
    state: DeviceState
    payload: bytes
    retained: bool
    epoch: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteRecord:
    """What was last heard of a site. ``state`` is what it said, not whether it lives: that is for the gate."""

    site: str
    epoch: int
    boot: str | None
    state: SiteState | None
    since: datetime | None
    version: str | None
    reason: str | None
    last_beat_at: datetime | None
    last_beat_epoch: int | None
    last_beat_seq: int | None
    plcs: Mapping[str, PlcLink]
    outbox: int | None
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceRecord:
    """What was last heard of a device."""

    site: str
    device: str
    description: Description | None
    state: DeviceState | None
    state_at: datetime | None
    epoch: int
    received_at: datetime


def status_row(seen: StatusSeen) -> dict[str, Any]:
    """Columns of ``sites``."""
    status = seen.status
    return {
        "site": seen.site,
        "epoch": status.epoch,
        "boot": status.boot,
        "state": status.state.value,
        "since": microseconds(status.since),
        "version": storable(status.version),
        "reason": storable(status.reason),
        "updated_at": microseconds(seen.at),
    }


def beat_row(seen: BeatSeen) -> dict[str, Any]:
    """Columns of ``sites``."""
    beat = seen.heartbeat
    return {
        "site": seen.site,
        "epoch": beat.epoch,
        "last_beat_at": microseconds(seen.at),
        "last_beat_epoch": beat.epoch,
        "last_beat_seq": beat.seq,
        "plcs": json.dumps(beat.plcs, separators=(",", ":")),
        "outbox": beat.outbox,
        "updated_at": microseconds(seen.at),
    }


def description_row(seen: DescriptionSeen) -> dict[str, Any]:
    """Columns of ``devices``."""
    return {
        "site": seen.site,
        "device": seen.device,
        "description": seen.payload.decode(),
        "epoch": seen.epoch,
        "received_at": microseconds(seen.at),
    }


def state_row(seen: StateSeen) -> dict[str, Any]:
    """Columns of ``devices``."""
    return {
        "site": seen.site,
        "device": seen.device,
        "state": seen.payload.decode(),
        "state_at": microseconds(seen.state.at),
        "epoch": seen.epoch,
        "received_at": microseconds(seen.at),
    }


def site_of(row: Row[Any]) -> SiteRecord:
    """A row of ``sites``."""
    columns = dict(row._mapping)
    columns["state"] = None if columns["state"] is None else SiteState(columns["state"])
    columns["plcs"] = {name: PlcLink(link) for name, link in json.loads(columns["plcs"] or "{}").items()}
    return SiteRecord(**columns)


def device_of(row: Row[Any]) -> DeviceRecord:
    """A row of ``devices``."""
    columns = dict(row._mapping)
    columns["description"] = None if columns["description"] is None else description_of(columns["description"])
    columns["state"] = None if columns["state"] is None else state_of(columns["state"])
    return DeviceRecord(**columns)


@lru_cache(maxsize=4_096)
def description_of(text: str) -> Description:
    """A stored description; they rarely change and are asked for at every write."""
    return decode(Description, "the database", text.encode())


def state_of(text: str) -> DeviceState:
    """A stored state."""
    return decode(DeviceState, "the database", text.encode())
