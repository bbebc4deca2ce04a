"""How days and changes of settings look in JSON, each beside its schema for OpenAPI."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from itertools import groupby

from pydantic import BaseModel, ConfigDict, Field

from gateway.availability import Available
from gateway.feed_today import SiteToday
from gateway.feed_totals import DayFed
from gateway.protocol.lifecycle import State
from gateway.settings_history import By, SettingsChange
from http_facade.representations import Json, instant
from http_facade.schemas import Scalar


class _Report(BaseModel):
    model_config = ConfigDict(extra="forbid", use_enum_values=True)


class Fed(_Report):
    """Grams of one day."""

    doses: int = Field(description="commands that asked for food")
    asked_g: float = Field(description="asked of the PLC by them")
    counted_g: float = Field(description="counted by the PLC for them")
    short_g: float = Field(description="asked, and known not to have fallen")
    unknown_g: float = Field(description="asked and not counted, and nobody knows yet, or ever, whether it fell")
    refused_g: float = Field(description="asked for, and refused or too late: never asked of the PLC")
    fed_g: float | None = Field(description="all that fell, meals too: how far the PLC's counter rose; null: not read")
    planned_g: float | None = Field(description="meals, by the settings at the day's end; null: they are not known")
    due_g: float | None = Field(description="of these what is due by now: on a day that is over all of them")
    shortfall_g: float | None = Field(description="due and asked, less what fell; null if nobody can know")


class FedOfDevice(Fed):
    """A feeder's day."""

    device: str


class DayOfSite(_Report):
    """A day of all feeders."""

    date: date
    total: Fed
    devices: list[FedOfDevice]


class FeedTotals(_Report):
    """Days as they are counted in ``zone``, oldest first; the last one may not be over."""

    site: str
    zone: str
    days: list[DayOfSite]


class DayAvailable(_Report):
    """Minutes of one day, as far as it is over and the site was known; they add up."""

    date: date
    online_min: float = Field(description="the gate was open")
    away_min: float = Field(description="it was closed, and the site's agent was not connected")
    false_closed_min: float = Field(description="it was closed though the agent was connected: the centre did not hear")


class Availability(_Report):
    """Days as they are counted in ``zone``, oldest first."""

    site: str
    zone: str
    days: list[DayAvailable]


class FromTo(_Report):
    """A setting before and after; ``old`` is null if nobody knows."""

    name: str
    old: Scalar | None
    new: Scalar


class SettingsChangeOf(_Report):
    """Who or what changed settings, and how."""

    id: str = Field(description="of the command, or of the event")
    at: datetime
    by: By
    requester: str | None
    actor: str | None
    state: State | None = Field(description="of the command: applied, or unknown or failed, where it may have changed")
    changes: list[FromTo]


class SettingsChanges(_Report):
    """A page of changes, newest first."""

    items: list[SettingsChangeOf]
    next: str | None = Field(description="the `cursor` of the next page; null at the end")


def feed_totals(found: Sequence[DayFed]) -> Json:
    """Days of a site, of its feeders as they come."""
    days = []
    for day, group in groupby(found, key=lambda each: each.date):
        feeders = list(group)
        devices = [_fed([each]) | {"device": each.device} for each in feeders]
        days.append({"date": day.isoformat(), "total": _fed(feeders), "devices": devices})
    return {"days": days}


def fed_today(found: SiteToday) -> Json:
    """The day that it is at a site, of all its feeders."""
    return {"date": found.day.date.isoformat(), **_fed(found.fed)}


def _fed(feeders: Sequence[DayFed]) -> Json:
    doses = [each.doses for each in feeders]
    return {
        "doses": sum(each.count for each in doses),
        "asked_g": _grams(each.asked_g for each in doses),
        "counted_g": _grams(each.counted_g for each in doses),
        "short_g": _grams(each.short_g for each in doses),
        "unknown_g": _grams(each.unknown_g for each in doses),
        "refused_g": _grams(each.refused_g for each in doses),
        "fed_g": _all_grams([None if each.fed is None else each.fed.amount for each in feeders]),
        "planned_g": _all_grams([None if each.plan is None else each.plan.whole_g for each in feeders]),
        "due_g": _all_grams([None if each.plan is None else each.plan.due_g for each in feeders]),
        "shortfall_g": _all_grams([each.shortfall_g for each in feeders]),
    }


def _grams(parts: Iterable[float]) -> float:
    return round(sum(parts), 1)


def _all_grams(parts: Sequence[float | None]) -> float | None:
    """None if one of them is not known: a sum of what happens to be known would look like the whole."""
    known = [each for each in parts if each is not None]
    return _grams(known) if len(known) == len(parts) else None


def available(each: Available) -> Json:
    """A day's minutes."""
    return {
        "date": each.date.isoformat(),
        "online_min": _minutes(each.online),
        "away_min": _minutes(each.away),
        "false_closed_min": _minutes(each.unheard),
    }


def _minutes(span: timedelta) -> float:
    return round(span / timedelta(minutes=1), 2)


def settings_change(each: SettingsChange) -> Json:
    """A change of settings."""
    return {
        "id": each.id,
        "at": instant(each.at),
        "by": each.by,
        "requester": each.requester,
        "actor": each.actor,
        "state": each.state,
        "changes": [{"name": name, "old": old, "new": new} for name, (old, new) in each.changes.items()],
    }
