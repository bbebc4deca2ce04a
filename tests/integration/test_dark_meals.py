"""Meals that fall into a site's silence: raised by the centre, over when the site is back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import count

import pytest
from sqlalchemy import Engine

from gateway import recorder
from gateway.dark_meals import DarkMeals
from gateway.database import open_engine, upgrade
from gateway.events import Events, Source
from gateway.protocol.codec import decode, encode
from gateway.protocol.description import Description
from gateway.protocol.meals import MealPlan, MealSlot
from gateway.protocol.messages import Alarm, DeviceState, Quality
from gateway.protocol.topics import DescriptionTopic, HostAlarmTopic, StateTopic
from gateway.sites import BeatSeen, DescriptionSeen, Sites, StateSeen, StatusSeen
from tests.centre import running_centre
from tests.conditions import eventually
from tests.databases import each_database
from tests.entries import NOON, heartbeat, status
from tests.fake_agent import FakeAgent
from tests.fake_parts import DESCRIPTION
from tests.mqtt_client import MqttClient
from tests.running_broker import RunningBroker

pytestmark = each_database

SITE = "arava-1"
TOPIC = HostAlarmTopic(SITE, "feeder-1", "meal-missed")
PLAN = MealPlan(counter="fed_total_g", slots=(MealSlot(minute="meal_1_min", grams="meal_1_g"),))
FEEDER = DESCRIPTION.model_copy(update={"meals": PLAN})
#: Noon is 720 minutes after midnight.
VALUES = {"fed_total_g": 5, "meal_1_min": 12 * 60 + 30, "meal_1_g": 120}


def _state(at: datetime = NOON) -> DeviceState:
    return DeviceState(at=at, quality=Quality.GOOD, properties={**VALUES})


class _Centre:
    """The rule over real tables; what it publishes is kept."""

    def __init__(self, engine: Engine) -> None:
        self.sites, self.events = Sites(engine), Events(engine)
        self.published: list[tuple[HostAlarmTopic, Alarm | None]] = []
        self.meals = self.fresh()

    def fresh(self) -> DarkMeals:
        """As after a restart of the gateway."""
        return DarkMeals(sites=self.sites, events=self.events, publish=self._publish, expiry_s=25)

    def _publish(self, topic: HostAlarmTopic, alarm: Alarm | None) -> None:
        self.published.append((topic, alarm))

    def beat(self, at: datetime, seq: int = 1) -> None:
        """The site was heard."""
        self.sites.save_beats([BeatSeen(site=SITE, heartbeat=heartbeat(seq=seq), at=at)])

    def introduce(self, description: Description = FEEDER) -> None:
        """The site and its feeder are known."""
        self.sites.save_status([StatusSeen(site=SITE, status=status(), at=NOON)])
        payload = encode(description)
        self.sites.save_descriptions([DescriptionSeen(site=SITE, device="feeder-1", payload=payload, epoch=1, at=NOON)])
        state = _state()
        self.sites.save_states(
            [
                StateSeen(
                    site=SITE, device="feeder-1", state=state, payload=encode(state), retained=False, epoch=1, at=NOON
                )
            ]
        )
        self.beat(NOON)

    @property
    def active(self) -> list[str]:
        """Details of what it has raised."""
        return [each.detail for each in self.events.active(source=Source.CENTRE)]


@pytest.fixture
def centre(database_url: str) -> Iterator[_Centre]:
    """It knows a site whose feeder feeds at half past twelve."""
    engine = open_engine(database_url)
    upgrade(engine)
    made = _Centre(engine)
    made.introduce()
    yield made
    engine.dispose()


def test_silence_over_a_meal_is_raised_when_the_meal_is_over(centre: _Centre) -> None:
    """Once, and it says since when nobody knows."""
    centre.meals.look(NOON + timedelta(minutes=39))
    assert centre.active == []
    for minute in (40, 41):
        centre.meals.look(NOON + timedelta(minutes=minute))
    assert centre.active == [
        "the site has been silent since 2026-11-22 12:00 UTC; nobody can tell whether the meal of"
        " 2026-11-22 12:30 UTC (120 g) was given"
    ]
    assert [topic for topic, alarm in centre.published if alarm is not None] == [TOPIC]


def test_site_that_beats_over_a_meal_judges_by_itself(centre: _Centre) -> None:
    """The centre says nothing then."""
    centre.beat(NOON + timedelta(minutes=41), seq=2)
    centre.meals.look(NOON + timedelta(minutes=41, seconds=20))
    assert centre.active == []


def test_alarm_is_over_when_the_site_is_back(centre: _Centre) -> None:
    """In the table, as an event, and at the broker."""
    centre.meals.look(NOON + timedelta(minutes=50))
    centre.beat(NOON + timedelta(minutes=51), seq=2)
    centre.meals.look(NOON + timedelta(minutes=51))
    assert centre.active == []
    assert centre.published[-1] == (TOPIC, None)
    found, _ = centre.events.page(site=SITE, device=None, name="meal-missed", limit=10, before=None)
    assert sorted(each.active for each in found if each.active is not None) == [False, True]


def test_gateway_that_was_killed_before_it_could_clear_does_so_later(centre: _Centre) -> None:
    """The broker still shows the alarm; the new run learns of it by the retained message."""
    centre.meals.look(NOON + timedelta(minutes=50))
    (_, alarm) = centre.published[-1]
    assert alarm is not None
    centre.beat(NOON + timedelta(minutes=51), seq=2)
    fresh = centre.fresh()
    fresh.recall({TOPIC: alarm})
    fresh.look(NOON + timedelta(minutes=51))
    assert centre.published[-1] == (TOPIC, None)


def test_broker_that_forgot_is_told_again(centre: _Centre) -> None:
    """After every connect."""
    centre.meals.look(NOON + timedelta(minutes=50))
    centre.meals.forget()
    centre.meals.look(NOON + timedelta(minutes=50, seconds=5))
    assert [topic for topic, alarm in centre.published if alarm is not None] == [TOPIC, TOPIC]


def test_next_meal_in_the_dark_is_another_event(centre: _Centre) -> None:
    """The alarm stays one, and names the last meal."""
    centre.meals.look(NOON + timedelta(minutes=50))
    centre.meals.look(NOON + timedelta(days=1, minutes=50))
    assert len(centre.active) == 1
    found, _ = centre.events.page(site=SITE, device=None, name="meal-missed", limit=10, before=None)
    assert len(found) == 2


def test_feeder_without_a_plan_misses_nothing(centre: _Centre) -> None:
    """Nobody knows when it feeds."""
    centre.introduce(DESCRIPTION)
    centre.meals.look(NOON + timedelta(days=1))
    assert centre.active == []


def test_gateway_raises_the_alarm_of_a_silent_site_at_the_broker(
    broker: RunningBroker, redis_url: str, database_url: str, site_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The whole way, with a feeder whose meal comes every minute; its site falls silent, and comes back."""
    monkeypatch.setattr(recorder, "SETTLE_S", 0.5)
    monkeypatch.setattr(recorder, "LOOK_S", 0.2)
    plan = MealPlan(counter="fed_total_g", interval="interval_min", window_min=0.001)
    login, topic = broker.add_site(site_id), HostAlarmTopic(site_id, "feeder-1", "meal-missed")
    state = DeviceState(at=NOON, quality=Quality.GOOD, properties={"fed_total_g": 5, "interval_min": 0.01})
    with (
        MqttClient(broker.add_person("@ana")) as ana,
        running_centre(broker.login("@gateway"), redis_url, database_url, expiry_s=1) as centre,
        FakeAgent(login) as agent,
    ):
        ana.subscribe(str(topic))
        agent.say(DescriptionTopic(site_id, "feeder-1"), DESCRIPTION.model_copy(update={"meals": plan}))
        agent.say(StateTopic(site_id, "feeder-1"), state)
        agent.beat(epoch=1, seq=1)
        first = eventually(lambda: [each for each in ana.received() if each.payload], within_s=20, what="the alarm")[0]
        assert "has been silent since" in decode(Alarm, first.topic, first.payload).detail
        seqs = count(2)

        def is_over() -> bool:
            agent.beat(epoch=1, seq=next(seqs))
            return ana.received()[-1].payload == b""

        eventually(is_over, within_s=20, what="its end")
        assert len(centre.events.page(site=site_id, device=None, name=None, limit=10, before=None)[0]) >= 2
