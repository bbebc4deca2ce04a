"""Feed totals, availability and the history of settings, over HTTP, from a real database."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from sqlalchemy import event

from gateway.audit import Audit
from gateway.broker import Login
from gateway.events import Events
from gateway.ledger import Ledger
from gateway.protocol.codec import encode
from gateway.protocol.lifecycle import State
from gateway.protocol.meals import MealPlan
from gateway.protocol.messages import DeviceState, Quality
from gateway.silences import Cause, Silence, Silences
from gateway.sites import BeatSeen, DescriptionSeen, Sites, StateSeen
from tests.centre import running_centre
from tests.conditions import eventually
from tests.databases import each_database
from tests.entries import NOON, answer, asked, event_seen, heartbeat
from tests.fake_agent import FakeAgent
from tests.fake_parts import DESCRIPTION, DEVICE
from tests.running_broker import RunningBroker
from tests.running_facade import RunningFacade, running_facade
from tests.sample_store import SampleStore, series

pytestmark = each_database
SITE = "arava-1"
DAY = "2026-11-22"
HOUR_S = 3_600.0


@pytest.fixture
def facade(broker: RunningBroker, redis_url: str, database_url: str, tmp_path: Path) -> Iterator[RunningFacade]:
    """A facade that knows a site with one feeder, which has meals."""
    with running_facade(tmp_path / "facade", broker.login("@facade"), redis_url, database_url) as made:
        made.introduce(SITE)
        meals = MealPlan(
            counter="fed_total_g", interval="interval_min", portion="portion_g", time_zone="Asia/Jerusalem"
        )
        described = DESCRIPTION.model_copy(update={"meals": meals})
        seen = DescriptionSeen(site=SITE, device=DEVICE, payload=encode(described), epoch=1, at=NOON)
        Sites(made.services.engine).save_descriptions([seen])
        yield made


def _get(
    facade: RunningFacade, what: str, status: int = 200, query: Mapping[str, object] = MappingProxyType({})
) -> Any:  # noqa: ANN401 # an answer
    answered = facade.client.get(f"/v1/sites/{SITE}/{what}", query_string=dict(query))
    assert answered.status_code == status, answered.text
    return answered.get_json()


def _day(facade: RunningFacade, what: str) -> Any:  # noqa: ANN401 # same
    (day,) = _get(facade, what, query={"from": DAY, "to": DAY, "zone": "UTC"})["days"]
    return day


def _dose(facade: RunningFacade, grams: int, state: State, **result: int) -> None:
    """A command of noon, and what became of it."""
    ledger = Ledger(facade.services.engine, now=lambda: NOON)
    command = asked(name="feed", input={"grams": grams})
    ledger.record([command])
    if state is not State.PENDING:
        ledger.settle([answer(command, state, name="feed", code=state.value, result=result)])


def test_feed_totals_add_up_what_became_of_each_dose(facade: RunningFacade) -> None:
    """Asked of the PLC, counted by it, short, open, and refused."""
    _dose(facade, 100, State.APPLIED, grams_asked=100, grams_counted=103)
    _dose(facade, 50, State.PARTIAL, grams_asked=50, grams_counted=20)
    _dose(facade, 30, State.UNKNOWN)
    _dose(facade, 5, State.PENDING)
    _dose(facade, 400, State.REJECTED)
    total = _day(facade, "feed-totals")["total"]
    expected = {"doses": 5, "asked_g": 185, "counted_g": 123, "short_g": 30, "unknown_g": 35, "refused_g": 400}
    assert {name: total[name] for name in expected} == expected
    assert (total["fed_g"], total["planned_g"], total["shortfall_g"]) == (None, None, None)


def test_feed_totals_take_all_that_fell_from_the_plc_s_counter(facade: RunningFacade) -> None:
    """Also from roll-ups; planned is what the settings of that day come to, and the rest is short."""
    store = SampleStore(facade.services.engine)
    counter = [1_000.0 + 50 * max(0, hour - 1) for hour in range(12)]  # the first one is of the day before
    counter += [counter[-1]] * 14  # and the last one of the day after
    store.save(series(*counter, name="fed_total_g", start_s=-13 * HOUR_S, step_s=HOUR_S))
    store.save(
        series(120, name="interval_min", start_s=-12 * HOUR_S), series(50, name="portion_g", start_s=-12 * HOUR_S)
    )
    for _ in range(2):
        day = _day(facade, "feed-totals")
        (feeder,) = day["devices"]
        assert (feeder["device"], feeder["fed_g"], feeder["planned_g"], feeder["shortfall_g"]) == (
            DEVICE,
            500,
            600,
            100,
        )
        store.roll()


def test_feed_totals_of_a_day_that_was_not_watched_to_its_end_know_no_shortfall(facade: RunningFacade) -> None:
    """What fell behind the last reading would look like a meal that was missed."""
    store = SampleStore(facade.services.engine)
    counter = [1_000.0 + 50 * max(0, hour - 1) for hour in range(12)]
    store.save(series(*counter, name="fed_total_g", start_s=-13 * HOUR_S, step_s=HOUR_S))
    store.save(
        series(120, name="interval_min", start_s=-12 * HOUR_S), series(50, name="portion_g", start_s=-12 * HOUR_S)
    )
    (feeder,) = _day(facade, "feed-totals")["devices"]
    assert (feeder["fed_g"], feeder["planned_g"], feeder["shortfall_g"]) == (500, 600, None)


def test_feed_totals_hold_what_fell_within_the_first_minutes_that_were_ever_read(facade: RunningFacade) -> None:
    """A new feeder's first dose shows at once, though nobody knows what fell before: it is no whole day."""
    store = SampleStore(facade.services.engine)
    for _ in range(2):
        store.save(series(1_000.0, 1_050.0, 1_060.0, name="fed_total_g", start_s=-60, step_s=20))
        (feeder,) = _day(facade, "feed-totals")["devices"]
        assert (feeder["fed_g"], feeder["shortfall_g"]) == (60, None)
        store.roll()


def test_feed_totals_take_the_last_settings_that_could_be_read(facade: RunningFacade) -> None:
    """A sample without a value says nothing of them; one that was never read leaves the plan open."""
    store = SampleStore(facade.services.engine)
    store.save(series(120, None, name="interval_min", start_s=-12 * HOUR_S))
    assert _day(facade, "feed-totals")["devices"][0]["planned_g"] is None
    store.save(series(50, None, None, name="portion_g", start_s=-12 * HOUR_S))
    assert _day(facade, "feed-totals")["devices"][0]["planned_g"] == 600


@pytest.mark.parametrize("days", [2, 40])
def test_feed_totals_ask_the_database_once_per_day_and_feeder(facade: RunningFacade, days: int) -> None:
    """Not once for each setting of each feeder on each day."""
    store = SampleStore(facade.services.engine)
    store.save(series(120, name="interval_min"), series(50, name="portion_g"), series(10, name="fed_total_g"))
    statements: list[str] = []
    event.listen(facade.services.engine, "before_cursor_execute", lambda *words: statements.append(words[2]))
    first = (NOON - timedelta(days=days - 1)).date().isoformat()
    assert len(_get(facade, "feed-totals", query={"from": first, "to": DAY, "zone": "UTC"})["days"]) == days
    assert len([each for each in statements if "samples" in each or "series" in each]) <= days + 20


def test_feed_totals_are_of_the_site_s_own_days(facade: RunningFacade) -> None:
    """In Jerusalem the day ends at 22:00 UTC, and the zone is said."""
    store = SampleStore(facade.services.engine)
    store.save(series(10, 20, 40, name="fed_total_g", start_s=9.5 * HOUR_S, step_s=HOUR_S))
    body = _get(facade, "feed-totals", query={"from": DAY, "to": "2026-11-23"})
    assert body["zone"] == "Asia/Jerusalem"
    assert [day["total"]["fed_g"] for day in body["days"]] == [0, 30]


def test_availability_of_a_site_is_told_by_day(facade: RunningFacade) -> None:
    """Who was not there, in minutes that add up to the day."""
    engine = facade.services.engine
    hour = timedelta(hours=1)
    ever = NOON - timedelta(days=400)
    Silences(engine).save(
        [
            Silence(SITE, ever.replace(year=1970, month=1, day=1, hour=0), NOON - 6 * hour, Cause.BEFORE),
            Silence(SITE, NOON - 3 * hour, NOON - 2 * hour, Cause.AWAY),
            Silence(SITE, NOON, NOON + hour / 2, Cause.UNHEARD),
        ]
    )
    Sites(engine).save_beats([BeatSeen(site=SITE, heartbeat=heartbeat(), at=NOON + 6 * hour)])
    day = _day(facade, "availability")
    # From six o'clock: an hour, and from 25 s after the last beat, six.
    assert day == {"date": DAY, "online_min": 630.42, "away_min": 419.58, "false_closed_min": 30}


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ({"from": "yesterday"}, "/from"),
        ({"from": "2026-11-23", "to": "2026-11-22"}, "/from"),
        ({"from": "2026-01-01", "to": "2026-11-22"}, "/from"),
        ({"to": "0001-01-02"}, "/to"),
        ({"zone": "Atlantis/Capital"}, "/zone"),
        ({"days": "7"}, "/days"),
    ],
)
@pytest.mark.parametrize("what", ["feed-totals", "availability"])
def test_days_that_nobody_can_tell_are_refused(
    facade: RunningFacade, what: str, query: dict[str, str], pointer: str
) -> None:
    """With the parameter that is wrong."""
    body = _get(facade, what, 422, query)
    assert [each["pointer"] for each in body["errors"]] == [pointer]


def test_settings_history_names_who_or_what_changed_them(facade: RunningFacade) -> None:
    """A command from far away with its actor, and a hand at the panel; what was there before too."""
    engine = facade.services.engine
    state = DeviceState(at=NOON, quality=Quality.GOOD, revision="0" * 12, properties={"portion_g": 50})
    Sites(engine).save_states(
        [StateSeen(site=SITE, device=DEVICE, state=state, payload=encode(state), at=NOON, epoch=1, retained=False)]
    )
    ledger = Ledger(engine, now=lambda: NOON)
    changed, refused = asked(), asked(input={"portion_g": 130})
    ledger.record([changed, refused])
    ledger.settle([answer(changed), answer(refused, State.REJECTED, code="busy")])
    edit = {"property": "portion_g", "old": 120, "new": 80}
    Events(engine).save([event_seen(name="changed-at-site", active=None, severity=None, data=edit)])
    items = _get(facade, f"devices/{DEVICE}/settings/history")["items"]
    assert [(each["by"], each["actor"], each["state"]) for each in items] == [
        ("panel", None, None),
        ("remote", "dana", "applied"),
    ]
    assert items[0]["changes"] == [{"name": "portion_g", "old": 120, "new": 80}]
    assert items[1]["changes"] == [{"name": "portion_g", "old": 50, "new": 120}]
    assert Audit(engine).verify(None)[1] is None


def test_settings_history_is_paged_and_filtered(facade: RunningFacade) -> None:
    """Newest first, each change once, over both kinds; a name is no pattern."""
    engine = facade.services.engine
    ledger = Ledger(engine, now=lambda: NOON)
    for number in range(3):
        command = asked(input={"portion_g" if number else "portionxg": number})
        ledger.record([command])
        ledger.settle([answer(command)])
        data = {"property": "enabled", "old": True, "new": False}
        Events(engine).save([event_seen(name="changed-at-site", active=None, severity=None, data=data)])
    found: list[Any] = []
    cursor: dict[str, str] = {}
    while True:
        page = _get(facade, f"devices/{DEVICE}/settings/history", query={"limit": 2, **cursor})
        found += page["items"]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert [each["by"] for each in found] == ["panel", "remote"] * 3
    assert len({each["id"] for each in found}) == 6
    for name, count in (("portion_g", 2), ("enabled", 3), ("level", 0)):
        assert len(_get(facade, f"devices/{DEVICE}/settings/history", query={"property": name})["items"]) == count


def test_settings_history_goes_by_time_whatever_ids_say(facade: RunningFacade) -> None:
    """A technician's id that sorts before all others is listed where its command belongs."""
    engine = facade.services.engine
    old, new = asked(id="ffffffff-ffff-4fff-bfff-ffffffffffff"), asked(id="00000000-0000-4000-8000-000000000000")
    for minute, command in enumerate((old, new)):
        at = NOON + timedelta(minutes=minute)
        ledger = Ledger(engine, now=lambda at=at: at)  # type: ignore[misc] # mypy sees no type of a default
        ledger.record([command])
        ledger.settle([answer(command)])
    items = _get(facade, f"devices/{DEVICE}/settings/history")["items"]
    assert [each["id"] for each in items] == [new.id, old.id]


def test_commands_and_events_are_found_by_their_time(facade: RunningFacade) -> None:
    """From a moment on, and before another."""
    engine = facade.services.engine
    for hour in (0, 1, 2):
        at = NOON + timedelta(hours=hour)
        Ledger(engine, now=lambda at=at: at).record([asked()])  # type: ignore[misc] # mypy sees no type of a default
        Events(engine).save([event_seen(at=at)])
    within = {"from": (NOON + timedelta(minutes=30)).isoformat(), "to": (NOON + timedelta(hours=2)).isoformat()}
    for what in ("commands", "events"):
        body = facade.client.get(f"/v1/{what}", query_string=within).get_json()
        assert len(body["items"]) == 1, what


def test_commands_and_events_are_files_too(facade: RunningFacade) -> None:
    """Every one of them, whatever a page holds; and nobody's words are a spreadsheet's formula."""
    engine = facade.services.engine
    ledger = Ledger(engine, now=lambda: NOON)
    ledger.record([asked(actor="=1+1", reason=None) for _ in range(1_005)])
    Events(engine).save([event_seen(detail='said "stop", twice', data={"jam": True}) for _ in range(1_005)])
    for what, column, text in (("commands", "actor", "'=1+1"), ("events", "detail", 'said "stop", twice')):
        answered = facade.client.get(f"/v1/{what}.csv", query_string={"site": SITE})
        rows = list(csv.DictReader(io.StringIO(answered.text)))
        assert (len(rows), {row[column] for row in rows}) == (1_005, {text}), what
        assert len({row["id"] for row in rows}) == len(rows)
        assert facade.client.get(f"/v1/{what}.csv", query_string={"site": "none"}).text.count("\n") == 1


def _causes(silences: Silences, site: str) -> list[Cause]:
    return [each.cause for each in silences.of(site, NOON - timedelta(days=1), NOON + timedelta(days=3_650))]


def test_silences_are_told_apart_by_the_agent_s_connection(
    broker: RunningBroker, redis_url: str, database_url: str, site_id: str
) -> None:
    """A gateway that was down has closed the gate falsely; an agent that connected anew was away itself."""
    login: Login = broker.login("@gateway")
    with (
        running_centre(login, redis_url, database_url, expiry_s=1) as centre,
        FakeAgent(broker.add_site(site_id)) as agent,
    ):
        silences = Silences(centre.ledger.engine)
        agent.status()
        agent.beat(seq=1)
        eventually(lambda: centre.alive(site_id), what="the gate")
        centre.stop()
        eventually(lambda: not centre.alive(site_id), what="the gate's end")
        centre.new()
        agent.beat(seq=2)
        eventually(lambda: _causes(silences, site_id) == [Cause.BEFORE, Cause.UNHEARD], within_s=10, what="its row")
        eventually(lambda: not centre.alive(site_id), what="the gate's end")
        agent.beat(epoch=2, seq=1)
        eventually(lambda: _causes(silences, site_id)[2:] == [Cause.AWAY], within_s=10, what="its row")
