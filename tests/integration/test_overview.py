"""Every site at a glance: over HTTP, and what fell today at all of them in few questions to the database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

from gateway.ages import FOR_EVER, Ages
from gateway.days import days
from gateway.events import Events, Source
from gateway.feed_today import FeedToday
from gateway.feed_totals import DayFed, FeedTotals
from gateway.ledger import Ledger
from gateway.protocol.codec import encode
from gateway.protocol.lifecycle import State
from gateway.protocol.meals import MealPlan, zone
from gateway.protocol.messages import Severity
from gateway.roles import Role
from gateway.sample_reads import SampleReads
from gateway.sites import BeatSeen, DescriptionSeen, Sites, StatusSeen
from http_facade import today
from http_facade.today import Today
from tests.databases import each_database
from tests.entries import NOON, answer, asked, event_seen, heartbeat, status
from tests.fake_parts import DESCRIPTION, DEVICE
from tests.running_broker import RunningBroker
from tests.running_facade import RunningFacade, running_facade
from tests.sample_store import SampleStore, series

pytestmark = each_database
HOUR_S = 3_600.0
#: Where it is another day than here, and where it is not.
ZONES = ("Asia/Jerusalem", "Pacific/Kiritimati", "America/Los_Angeles", "Asia/Kathmandu")


def _introduce(engine: Engine, site: str, place: str) -> None:
    sites = Sites(engine)
    sites.save_status([StatusSeen(site=site, status=status(), at=NOON)])
    meals = MealPlan(counter="fed_total_g", interval="interval_min", portion="portion_g", time_zone=place)
    described = DESCRIPTION.model_copy(update={"meals": meals})
    sites.save_descriptions([DescriptionSeen(site=site, device=DEVICE, payload=encode(described), epoch=1, at=NOON)])


def _live(engine: Engine, site: str, seed: int) -> None:
    """Some hours of a feeder: each site's counter rises otherwise, stands still, is not read, or begins anew."""
    store, now = SampleStore(engine), datetime.now(UTC)
    ago_s = (now - NOON).total_seconds()
    values: list[float | None] = [100.0 + 10 * (hour * seed % 7) * hour for hour in range(40)]
    values[5 * seed % 40] = None
    values[20:] = [value if value is None or seed % 2 else value / 2 for value in values[20:]]
    store.save(series(*values, name="fed_total_g", start_s=ago_s - 40 * HOUR_S, step_s=HOUR_S), site=site)
    store.save(series(60, name="interval_min", start_s=ago_s - 30 * HOUR_S), site=site)
    store.save(series(*([50] if seed % 3 else [None]), name="portion_g", start_s=ago_s - 30 * HOUR_S), site=site)
    for hours, state, result in (
        (0.1, State.APPLIED, {"grams_asked": 50, "grams_counted": 40 + seed}),
        (3, State.UNKNOWN, {}),
        (20, State.REJECTED, {}),
    ):
        ledger = Ledger(engine, now=lambda hours=hours: now - timedelta(hours=hours))  # type: ignore[misc] # as in test_ledger
        command = asked(site=site, name="feed", input={"grams": 50})
        ledger.record([command])
        ledger.settle([answer(command, state, name="feed", code=state.value, result=result)])


def _by_feed_totals(engine: Engine, site: str, ages: Ages, now: datetime, place: str) -> Sequence[DayFed]:
    date = now.astimezone(zone(place)).date()
    totals = FeedTotals(engine, SampleReads(engine, ages))
    return totals.of(site, Sites(engine).devices(site), days(date, date, zone(place)), now)


@pytest.mark.parametrize("ages", [FOR_EVER, Ages(samples=timedelta(hours=1), minutes=None, hours=None)])
@pytest.mark.parametrize("rolled", [False, True])
def test_today_of_every_site_is_what_its_feed_totals_say(engine: Engine, ages: Ages, rolled: bool) -> None:
    """In its own time zone, to the last doubt; from samples, and from roll-ups where samples are gone so early."""
    places = {f"site-{number}": ZONES[number % len(ZONES)] for number in range(8)}
    for number, (site, place) in enumerate(places.items()):
        _introduce(engine, site, place)
        _live(engine, site, number)
    if rolled:
        SampleStore(engine).roll()
    now = datetime.now(UTC)
    found = FeedToday(engine, SampleReads(engine, ages)).of(Sites(engine).descriptions(), now)
    assert {site: each.zone.key for site, each in found.items()} == places
    for site, place in places.items():
        assert list(found[site].fed) == list(_by_feed_totals(engine, site, ages, now, place)), site


def test_today_of_many_sites_asks_the_database_no_more_often_than_of_few(engine: Engine) -> None:
    """Not once for each site, nor for each feeder."""
    asked_of = []
    for number in range(60):
        _introduce(engine, f"site-{number}", ZONES[number % len(ZONES)])
        SampleStore(engine).save(series(1, 2, name="fed_total_g"), site=f"site-{number}")
        if number in {3, 59}:
            statements: list[str] = []
            event.listen(engine, "before_cursor_execute", lambda *words, seen=statements: seen.append(words[2]))
            FeedToday(engine, SampleReads(engine)).of(Sites(engine).descriptions(), NOON)
            asked_of.append(len([each for each in statements if each.lstrip().startswith("SELECT")]))
    assert asked_of[1] <= asked_of[0] <= 8


def test_today_of_nothing_is_nothing(engine: Engine) -> None:
    """Before the first site has said anything."""
    assert FeedToday(engine, SampleReads(engine)).of({}, NOON) == {}


@pytest.fixture
def facade(broker: RunningBroker, redis_url: str, database_url: str, tmp_path: Path) -> Iterator[RunningFacade]:
    """A facade that knows two sites with a feeder each, and one of which nothing is known."""
    with running_facade(tmp_path / "facade", broker.login("@facade"), redis_url, database_url) as made:
        for site in ("arava-1", "arava-2"):
            _introduce(made.services.engine, site, "Asia/Jerusalem")
        Sites(made.services.engine).save_status([StatusSeen(site="empty-1", status=status(), at=NOON)])
        yield made


def _overview(facade: RunningFacade, token: str | None = None) -> dict[str, Any]:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    answered = facade.client.get("/v1/overview", headers=headers)
    assert answered.status_code == 200, answered.text
    return {each["site"]: each for each in answered.get_json()["items"]}


def test_overview_counts_alarms_and_those_that_nobody_has_seen(facade: RunningFacade) -> None:
    """By severity; what is over does not count."""
    url = f"/v1/sites/arava-1/devices/{DEVICE}/alarms/jam/acknowledgement"
    Events(facade.services.engine).save(
        [
            event_seen(),
            event_seen(source=Source.CENTRE),
            event_seen(name="hopper-low", severity=Severity.WARNING),
            event_seen(name="lid-open", severity=Severity.WARNING),
            event_seen(name="lid-open", severity=Severity.WARNING, active=False),
        ]
    )
    assert facade.client.post(url, json={"since": NOON.isoformat(), "note": "seen"}).status_code == 200
    found = _overview(facade)
    assert found["arava-1"]["alarms"] == {
        "critical": {"active": 2, "unacknowledged": 1},
        "warning": {"active": 1, "unacknowledged": 1},
    }
    assert found["arava-2"]["alarms"]["critical"] == {"active": 0, "unacknowledged": 0}


def test_overview_tells_what_fell_today_as_feed_totals_do(facade: RunningFacade) -> None:
    """In the site's zone; a site without feeders, or of which nothing is known, has none."""
    _live(facade.services.engine, "arava-1", 1)
    found = _overview(facade)
    body = facade.client.get("/v1/sites/arava-1/feed-totals").get_json()
    told, total = found["arava-1"]["today"], body["days"][-1]["total"]
    assert (found["arava-1"]["zone"], told["date"]) == ("Asia/Jerusalem", body["days"][-1]["date"])
    # What is due has grown a little in between.
    assert {name: told[name] for name in ("doses", "fed_g", "planned_g", "unknown_g", "refused_g")} == {
        name: total[name] for name in ("doses", "fed_g", "planned_g", "unknown_g", "refused_g")
    }
    assert (found["empty-1"]["zone"], found["empty-1"]["today"]) == (None, None)


def test_overview_tells_of_gates_and_alarms_though_nobody_can_say_what_fell(
    facade: RunningFacade, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counting took too long."""
    monkeypatch.setattr(today, "WAIT_S", 0.0)
    monkeypatch.setattr(Today, "_begin", lambda _: None)
    body = facade.client.get("/v1/overview").get_json()
    assert body["fed_as_of"] is None
    assert {(each["site"], each["today"], each["zone"]) for each in body["items"]} == {
        (site, None, None) for site in ("arava-1", "arava-2", "empty-1")
    }


def test_overview_holds_only_the_caller_s_sites(facade: RunningFacade) -> None:
    """Though it is worked out for all of them together."""
    assert _overview(facade).keys() == {"arava-1", "arava-2", "empty-1"}
    token, _ = facade.services.tokens.add(name="dana", role=Role.VIEWER, sites=frozenset({"arava-2"}), expires_at=None)
    assert _overview(facade, token).keys() == {"arava-2"}


def test_overview_says_since_when_the_gate_is_shut_and_when_it_shuts(facade: RunningFacade) -> None:
    """As every answer about a site does; a page can count by itself."""
    beat_at = datetime.now(UTC) - timedelta(seconds=31)
    Sites(facade.services.engine).save_beats([BeatSeen(site="arava-1", heartbeat=heartbeat(), at=beat_at)])
    facade.beat("arava-2")
    found = _overview(facade)
    silent, alive = found["arava-1"], found["arava-2"]
    assert silent["online"] is False
    assert datetime.fromisoformat(silent["last_beat_at"]) == beat_at
    assert 31 <= silent["silent_s"] < 91
    assert (alive["online"], alive["silent_s"], alive["alive_expiry_s"]) == (True, None, 25)
    age = datetime.now(UTC) - datetime.fromisoformat(alive["last_beat_at"])
    assert timedelta(0) <= age < timedelta(seconds=25)
    one = facade.client.get("/v1/sites/arava-1").get_json()
    assert (one["last_beat_at"], one["alive_expiry_s"]) == (silent["last_beat_at"], 25)
