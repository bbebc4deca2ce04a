"""``…/feed-totals`` and ``…/availability``: what each day of a site came to, in the site's own time zone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Final
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from gateway.availability import availability
from gateway.days import Day, days, zone_of
from gateway.protocol.errors import Fault, InvalidInput
from gateway.protocol.meals import zone
from gateway.sites import DeviceRecord
from http_facade import bodies, reports
from http_facade.openapi import blueprint, path_parameter, query_parameters, reads_itself
from http_facade.representations import Json
from http_facade.services import services

api = blueprint("days", "What each day of a site came to.")

#: So many days at once.
MOST_DAYS: Final = 92
_WEEK: Final = timedelta(days=6)
#: Beyond them calendars and clocks have no answer.
_FIRST_YEAR: Final = 1980
_LAST_YEAR: Final = 9_000


def _known_zone(name: str) -> str:
    zone(name)
    return name


class DaysQuery(BaseModel):
    """Which days."""

    model_config = ConfigDict(extra="forbid")

    first: date | None = Field(default=None, alias="from", description="the first day; a week before `to` by default")
    last: date | None = Field(default=None, alias="to", description="the last day; today by default")
    zone: Annotated[str, Field(max_length=64), AfterValidator(_known_zone)] | None = Field(
        default=None, description="IANA time zone whose days they are; the site's own by default"
    )


@api.get(
    "/v1/sites/<site>/feed-totals",
    responses={200: reports.FeedTotals},
    openapi_extensions={"parameters": [path_parameter("site"), *query_parameters(DaysQuery)]},
)
@reads_itself
def read_feed_totals(site: str) -> Json:
    """Read grams asked, counted, planned and short, per day: of each feeder, and of the whole site."""
    parts = services()
    parts.catalogue.site(site)
    records = parts.sites.devices(site)
    query, now = bodies.query(DaysQuery), datetime.now(UTC)
    place = _zone(query, records)
    found = parts.feed_totals.of(site, records, _days(query, place, now), now)
    return {"site": site, "zone": place.key, **reports.feed_totals(found)}


@api.get(
    "/v1/sites/<site>/availability",
    responses={200: reports.Availability},
    openapi_extensions={"parameters": [path_parameter("site"), *query_parameters(DaysQuery)]},
)
@reads_itself
def read_availability(site: str) -> Json:
    """Read for how many minutes of each day the gate was open, the site away, or the centre deaf."""
    parts = services()
    record = parts.catalogue.site(site)
    query, now = bodies.query(DaysQuery), datetime.now(UTC)
    place = _zone(query, parts.sites.devices(site))
    asked = _days(query, place, now)
    beats, _ = parts.beats([site])
    silent_since = None
    if beats.get(site) is None and record.last_beat_at is not None:
        silent_since = min(now, record.last_beat_at + timedelta(seconds=parts.liveness.expiry_s))
    silences = parts.silences.of(site, asked[0].start, asked[-1].end)
    found = availability(asked, silences, now=now, silent_since=silent_since)
    return {"site": site, "zone": place.key, "days": [reports.available(each) for each in found]}


def _zone(query: DaysQuery, records: Sequence[DeviceRecord]) -> ZoneInfo:
    """The one that was asked for, else that of the site's feeders."""
    if query.zone is not None:
        return zone(query.zone)
    return zone_of(each.description for each in records if each.description is not None)


def _days(query: DaysQuery, place: ZoneInfo, now: datetime) -> list[Day]:
    faults = [
        Fault(f"/{name}", "out-of-range", f"must lie in the years {_FIRST_YEAR} to {_LAST_YEAR}")
        for name, day in (("from", query.first), ("to", query.last))
        if day is not None and not _FIRST_YEAR <= day.year <= _LAST_YEAR
    ]
    if faults:
        raise InvalidInput(faults)
    last = query.last or now.astimezone(place).date()
    first = query.first or last - _WEEK
    if first > last:
        raise InvalidInput([Fault("/from", "not-before", f"must not lie after `to`, which is {last}")])
    if (last - first).days >= MOST_DAYS:
        detail = f"asks for {(last - first).days + 1} days, {MOST_DAYS} at most"
        raise InvalidInput([Fault("/from", "too-many", detail)])
    return list(days(first, last, place))
