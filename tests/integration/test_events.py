"""The tables of events and alarms, in a real database: each event once, and the last turn wins."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Engine

from gateway.events import Events, Source
from gateway.protocol.messages import Severity
from tests.databases import each_database
from tests.entries import NOON, event_seen, new_id

pytestmark = each_database


@pytest.fixture
def events(engine: Engine) -> Events:
    """Its tables."""
    return Events(engine)


def _names(events: Events) -> list[str]:
    return [each.name for each in events.active()]


@pytest.mark.invariant("I9")
def test_event_that_is_sent_twice_is_one_row(events: Events) -> None:
    """In one batch or in two."""
    seen = event_seen()
    events.save([seen, seen])
    events.save([seen])
    found, following = events.page(site=None, device=None, name=None, limit=10, before=None)
    assert ([each.id for each in found], following) == ([seen.event.id], None)


@pytest.mark.invariant("I9")
def test_event_that_is_sent_again_late_does_not_raise_its_alarm_anew(events: Events) -> None:
    """It was cleared meanwhile."""
    raised = event_seen()
    events.save([raised])
    events.save([event_seen(active=False, at=NOON + timedelta(seconds=1))])
    events.save([raised])
    assert _names(events) == []


def test_alarm_of_a_batch_follows_its_last_turn(events: Events) -> None:
    """In the order in which they were told, whatever the clock said then: it may have been set back in between."""
    raised = event_seen(at=NOON + timedelta(hours=1))
    events.save([raised, event_seen(active=False)])
    events.save([raised])
    assert _names(events) == []


def test_alarm_that_is_told_again_keeps_its_beginning(events: Events) -> None:
    """And shows the newest detail."""
    events.save([event_seen()])
    events.save([event_seen(at=NOON + timedelta(hours=1), detail="still so")])
    (alarm,) = events.active()
    assert (alarm.since, alarm.at, alarm.detail) == (NOON, NOON + timedelta(hours=1), "still so")


def test_alarm_that_is_raised_anew_begins_then(events: Events) -> None:
    """Not when it was raised the first time."""
    for minutes, active in ((0, True), (1, False), (2, True)):
        events.save([event_seen(at=NOON + timedelta(minutes=minutes), active=active)])
    assert events.active()[0].since == NOON + timedelta(minutes=2)


def test_alarms_are_listed_by_urgency_and_age(events: Events) -> None:
    """Critical ones first."""
    events.save([event_seen(name="old", severity=Severity.WARNING)])
    events.save([event_seen(name="young", at=NOON + timedelta(hours=1)), event_seen(name="worst")])
    assert _names(events) == ["worst", "young", "old"]


def test_alarms_of_the_agent_and_of_the_centre_are_apart(events: Events) -> None:
    """Each source clears its own."""
    events.save([event_seen(), event_seen(source=Source.CENTRE)])
    events.save([event_seen(active=False, at=NOON + timedelta(seconds=1))])
    assert [each.source for each in events.active()] == [Source.CENTRE]


def test_events_are_paged_and_filtered(events: Events) -> None:
    """Newest first, and each exactly once."""
    ids = sorted(new_id() for _ in range(5))
    events.save([event_seen(id=each, name="jam" if number % 2 else "lid") for number, each in enumerate(ids)])
    first, cursor = events.page(site="arava-1", device="feeder-1", name=None, limit=3, before=None)
    second, end = events.page(site="arava-1", device="feeder-1", name=None, limit=3, before=cursor)
    assert [each.id for each in (*first, *second)] == ids[::-1]
    assert end is None
    assert len(events.page(site=None, device=None, name="jam", limit=10, before=None)[0]) == 2


@pytest.mark.parametrize("step", [timedelta(hours=-1), timedelta(hours=1)])
def test_alarm_follows_the_last_turn_though_the_clock_was_set(events: Events, step: timedelta) -> None:
    """Raised under a wrong clock, cleared, and raised again, under the right one."""
    events.save([event_seen()])
    events.save([event_seen(at=NOON + step, active=False)])
    assert _names(events) == []
    events.save([event_seen(at=NOON + step * 2)])
    assert _names(events) == ["jam"]


def test_all_active_alarms_of_the_centre_are_found_however_many(events: Events) -> None:
    """What is left out would be raised again at every look."""
    events.save([event_seen(device=f"feeder-{number}", source=Source.CENTRE) for number in range(300)])
    assert len(events.active(source=Source.CENTRE, limit=200)) == 200
    assert len(events.active(source=Source.CENTRE, limit=None)) == 300
