"""What fell today at every site at once, as :mod:`gateway.feed_totals` counts it, in few questions to the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, Select, select

from gateway.counter_reads import CounterReads, Feeder
from gateway.counters import Rise, rises
from gateway.course import SeriesRecord
from gateway.database.engine import reading
from gateway.database.tables import commands, microseconds
from gateway.days import Day, days, zone_of
from gateway.doses import Doses, dose_of, feeds
from gateway.feed_totals import LEAD, DayFed, near_us, planned, settings_held
from gateway.protocol.description import Description
from gateway.protocol.topics import WRITE
from gateway.sample_reads import SampleReads


@dataclass(frozen=True, slots=True)
class SiteToday:
    """The day that it is at a site now, and what of it each of its feeders has had."""

    zone: ZoneInfo
    day: Day
    fed: Sequence[DayFed]


class FeedToday:
    """Safe from any thread; raises Unavailable if the database does not answer."""

    def __init__(self, engine: Engine, samples: SampleReads) -> None:
        self._engine = engine
        self._samples = samples
        self._counters = CounterReads(engine, samples)

    def of(self, sites: Mapping[str, Mapping[str, Description]], now: datetime) -> Mapping[str, SiteToday]:
        """Of each site, whose devices are given by name; those that feed nothing are left out of ``fed``."""
        places = {site: zone_of(devices.values()) for site, devices in sites.items()}
        today = {site: _today(place, now) for site, place in places.items()}
        feeders = {
            (site, name): about for site, devices in sites.items() for name, about in devices.items() if feeds(about)
        }
        plans = {key: about.meals for key, about in feeders.items() if about.meals is not None}
        doses = self._doses(feeders, today)
        series = self._counters.series({name for plan in plans.values() for name in (plan.counter, *plan.settings)})
        counters = {key: found for key, plan in plans.items() if (found := series.get((key, plan.counter)))}
        rose = self._rose(counters, today, now)
        held = settings_held(self._samples, plans, series, now)
        fed: dict[str, list[DayFed]] = {site: [] for site in sites}
        for key in feeders:
            site, name = key
            day = today[site]
            plan = planned(plans[key], held[key], day, now) if key in plans else None
            fed[site].append(DayFed(day.date, name, doses.get(key, Doses()), rose.get(key), plan))
        return {site: SiteToday(places[site], today[site], fed[site]) for site in sites}

    def _doses(self, feeders: Mapping[Feeder, Description], today: Mapping[str, Day]) -> Mapping[Feeder, Doses]:
        if not feeders:
            return {}
        at, columns = commands.c.created_at, commands.c
        query: Select[Any] = select(
            columns.site, columns.device, columns.name, columns.state, columns.input, columns.result, at
        )
        query = query.where(at >= min(each.start for each in today.values()), commands.c.name != WRITE)
        found: dict[Feeder, Doses] = {}
        with reading(self._engine) as connection:
            for row in connection.execute(query):
                key = row.site, row.device
                if key not in feeders or not today[row.site].start <= row.created_at < today[row.site].end:
                    continue
                dose = dose_of(row, feeders[key])
                if dose is not None:
                    found[key] = found.get(key, Doses()) + dose
        return found

    def _rose(
        self, counters: Mapping[Feeder, SeriesRecord], today: Mapping[str, Day], now: datetime
    ) -> Mapping[Feeder, Rise | None]:
        if not counters:
            return {}
        now_us = microseconds(now)
        starts_us = {counter: microseconds(today[key[0]].start - LEAD) for key, counter in counters.items()}
        steps = self._counters.lasts(starts_us, now_us, now_us=now_us)
        found: dict[Feeder, Rise | None] = {}
        for key, counter in counters.items():
            site = key[0]
            stretch = microseconds(today[site].start), microseconds(today[site].end)
            (found[key],) = rises(steps[counter.id], [stretch], near_us=near_us(counter), now_us=now_us)
        return found


def _today(place: ZoneInfo, now: datetime) -> Day:
    date = now.astimezone(place).date()
    (day,) = days(date, date, place)
    return day
