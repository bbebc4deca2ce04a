"""``/v1/overview``: every site on one page, with what needs somebody and what fell today."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Final

from pydantic import BaseModel, Field

from gateway.alarm_counts import AlarmCount
from gateway.protocol.errors import Unavailable
from gateway.protocol.messages import Severity
from http_facade import reports, representations, schemas
from http_facade.auth import caller
from http_facade.openapi import blueprint
from http_facade.refusals import Overloaded
from http_facade.representations import Json
from http_facade.services import services
from http_facade.today import Fed

api = blueprint("overview", "Every site at a glance.")

_NONE: Final = AlarmCount()


class CountOf(BaseModel):
    """Alarms of one severity."""

    active: int
    unacknowledged: int = Field(description="of which nobody has taken note since they were raised")


class AlarmsOf(BaseModel):
    """Alarms of one site."""

    critical: CountOf
    warning: CountOf


class FedToday(reports.Fed):
    """Grams of the day that it is at the site, so far; as in its feed totals."""

    date: date


class OverviewOf(schemas.Site):
    """A site, and what needs somebody there."""

    zone: str | None = Field(description="IANA time zone of its days; null: nothing is known of its devices")
    alarms: AlarmsOf
    today: FedToday | None = Field(description="of all its feeders; null: it has none, or nothing is known of them")


class Overview(BaseModel):
    """Every site of the caller, by name."""

    items: list[OverviewOf]
    fed_as_of: datetime | None = Field(
        description="when `today` was worked out; a minute ago at most; null: it could not be, and `zone` is null too"
    )


@api.get("/v1/overview", responses={200: Overview})
def read_overview() -> Json:
    """Read every site at a glance: what it is, how many alarms are active, and what fell today.

    Whether a site is online and its alarms are as they are now; `today` is some seconds old.
    """
    parts = services()
    records = [each for each in parts.sites.all() if caller().sees(each.site)]
    beats, cause = parts.beats([record.site for record in records])
    counts, fed = parts.alarm_counts.all(), _fed()
    now, expiry_s = datetime.now(UTC), parts.liveness.expiry_s
    items = []
    for each in records:
        told = representations.site(each, beats.get(each.site), cause, now, alive_expiry_s=expiry_s)
        found = counts.get(each.site, {})
        alarms = {severity.value: _count(found.get(severity, _NONE)) for severity in reversed(Severity)}
        items.append(told | {"alarms": alarms} | _today(each.site, fed))
    return {"items": items, "fed_as_of": representations.instant(None if fed is None else fed.as_of)}


def _fed() -> Fed | None:
    """None if it could not be worked out in time: gates and alarms are worth telling all the same."""
    try:
        return services().today.now()
    except (Unavailable, Overloaded):
        return None


def _count(found: AlarmCount) -> Json:
    return {"active": found.active, "unacknowledged": found.unacknowledged}


def _today(site: str, fed: Fed | None) -> Json:
    found = None if fed is None else fed.sites.get(site)
    if found is None:
        return {"zone": None, "today": None}
    return {"zone": found.zone.key, "today": reports.fed_today(found) if found.fed else None}
