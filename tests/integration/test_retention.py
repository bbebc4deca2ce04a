"""What is old enough goes, in small steps, on both databases; what must stay stays."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Engine, func, select

from gateway.ages import Ages
from gateway.course import Buckets, Samples
from gateway.database import reading
from gateway.database.group_tables import group_items, groups
from gateway.database.sample_tables import hours, minutes, samples
from gateway.database.tables import command_steps, commands, microseconds
from gateway.events import Events
from gateway.ledger import Ledger
from gateway.protocol.lifecycle import State
from gateway.retention import ROUND, SERIES_AT_ONCE, Retention
from gateway.roll_ups import RollUps
from gateway.sample_reads import SampleReads
from gateway.samples import HOUR_US
from http_facade.groups.store import GroupStore
from tests.databases import each_database
from tests.entries import NOON, answer, asked, event_seen, new_id
from tests.sample_store import SampleStore, series

pytestmark = each_database
DAY = timedelta(days=1)


def _rows(engine: Engine) -> dict[str, int]:
    tables = (samples, minutes, hours)
    with reading(engine) as connection:
        return {each.name: connection.execute(select(func.count()).select_from(each)).scalar_one() for each in tables}


def test_samples_go_by_age_and_their_roll_ups_stay(engine: Engine) -> None:
    """A day later, of two series, ten rows at a time; the young ones stay."""
    store = SampleStore(engine)
    for name in ("water_c", "oxygen_mg"):
        store.save(series(*map(float, range(30)), name=name), series(1.0, start_s=2 * 86_400, name=name))
    store.roll()
    before = _rows(engine)
    retention = Retention(engine, Ages(samples=DAY), now=lambda: NOON + 2 * DAY, at_once=10)
    steps = 0
    while gone := retention.step():
        assert gone <= 10
        steps += 1
    assert steps == 6
    assert _rows(engine) == {**before, "samples": 2}


def test_chart_of_a_time_whose_samples_are_gone_shows_its_roll_ups(engine: Engine) -> None:
    """However narrow the stretch is: minutes are then the finest that is known, and hours later."""
    store = SampleStore(engine)
    store.save(series(*map(float, range(60))))
    store.roll()
    ages = Ages(samples=DAY, minutes=10 * DAY)
    retention = Retention(engine, ages, now=lambda: NOON + 2 * DAY)
    while retention.step():
        pass
    reads = SampleReads(engine, ages)
    of = reads.series("arava-1", "feeder-1", "water_c")
    assert of is not None
    start_us = microseconds(NOON)
    for later, width_us in ((2 * DAY, 60_000_000), (20 * DAY, HOUR_US)):
        found = reads.course(of, start_us, start_us + 300_000_000, points=500, now_us=microseconds(NOON + later))
        assert isinstance(found, Buckets)
        assert (found.width_us, found.buckets[0] is not None) == (width_us, True)
    young = reads.course(of, start_us, start_us + 300_000_000, points=500, now_us=start_us + 300_000_000)
    assert isinstance(young, Samples)


def test_late_sample_of_an_hour_whose_samples_are_gone_leaves_its_roll_up(engine: Engine) -> None:
    """Worked out from it alone, the hour would forget all the others."""
    store = SampleStore(engine)
    store.save(series(*map(float, range(60))))
    store.roll()
    now = NOON + 2 * DAY
    while Retention(engine, Ages(samples=DAY), now=lambda: now).step():
        pass
    store.save(series(99.0, start_s=5))
    RollUps(engine, now=lambda: now, samples_age=DAY).step()
    with reading(engine) as connection:
        assert connection.execute(select(hours.c.count)).scalar_one() == 60
    assert store.stale() == 0


def test_samples_that_come_later_than_their_age_leave_a_roll_up(engine: Engine) -> None:
    """An agent was away for longer than samples are kept: they stay until their hour is worked out, and then go."""
    store, now = SampleStore(engine), NOON + 2 * DAY
    store.save(series(*map(float, range(60))))
    retention = Retention(engine, Ages(samples=DAY), now=lambda: now)
    assert retention.step() == 0
    RollUps(engine, now=lambda: now, samples_age=DAY).step()
    assert Retention(engine, Ages(samples=DAY), now=lambda: now).step() == 60
    with reading(engine) as connection:
        assert connection.execute(select(hours.c.count)).scalar_one() == 60


def test_series_are_looked_at_in_rounds_with_pauses_between(engine: Engine) -> None:
    """However many there are, a step asks about a few, and none asks while nothing can have become too old."""
    store, moment = SampleStore(engine), NOON + 2 * DAY
    store.save(*(series(1.0, name=f"value_{number:03}") for number in range(SERIES_AT_ONCE + 10)))
    store.roll()
    retention = Retention(engine, Ages(samples=DAY), now=lambda: moment)
    gone = [retention.step() for _ in range(SERIES_AT_ONCE + 12)]
    assert sum(gone) == SERIES_AT_ONCE + 10
    store.save(series(2.0, start_s=10, name="value_000"))
    store.roll()
    assert retention.step() == 0, "the round is over"
    moment += ROUND
    assert retention.step() == 1


def test_events_and_final_commands_go_by_age(engine: Engine) -> None:
    """A command that is still unknown, or open, stays, and so does its time line."""
    ledger, events = Ledger(engine, now=lambda: NOON), Events(engine)
    events.save([event_seen() for _ in range(25)])
    over, unknown, open_ = asked(), asked(), asked()
    ledger.record([over, unknown, open_])
    ledger.settle([answer(over), answer(unknown, State.UNKNOWN, code="no-answer")])
    ages = Ages(events=DAY, commands=DAY)
    assert Retention(engine, ages, now=lambda: NOON + DAY / 2).step() == 0
    retention = Retention(engine, ages, now=lambda: NOON + 2 * DAY, at_once=10)
    while retention.step():
        pass
    assert events.page(site=None, device=None, name=None, limit=10, before=None) == ([], None)
    with reading(engine) as connection:
        left = set(connection.execute(select(commands.c.id)).scalars())
        lines = set(connection.execute(select(command_steps.c.command_id)).scalars())
    assert left == lines == {unknown.id, open_.id}


def _preview(store: GroupStore, id: str) -> None:
    columns = {"id": id, "actor": "dana", "name": "write", "input": {}, "rate_per_s": 1.0, "stop_share": 0.1}
    columns |= {"ttl_s": 10.0, "token_hash": "0" * 64, "summary": {}, "expires_at": store.now() + DAY}
    store.add(columns, [("arava-1", "feeder-1", {})])


def test_groups_go_with_the_age_of_commands_but_never_while_they_run(engine: Engine) -> None:
    """A group that outlived its commands would say of its targets that nothing was sent."""
    moment = NOON
    store = GroupStore(engine, now=lambda: moment)
    old, running, young = new_id(), new_id(), new_id()
    _preview(store, old)
    _preview(store, running)
    assert store.start(running, runner="r", lease=3 * DAY, run_by="dana")
    moment = NOON + DAY
    _preview(store, young)
    retention = Retention(engine, Ages(commands=DAY), now=lambda: NOON + 1.5 * DAY)
    while retention.step():
        pass
    with reading(engine) as connection:
        left = set(connection.execute(select(groups.c.id)).scalars())
        items = set(connection.execute(select(group_items.c.group_id)).scalars())
    assert left == items == {running, young}


def test_kinds_without_an_age_stay_for_ever(engine: Engine) -> None:
    """Nothing goes unless somebody says when."""
    SampleStore(engine).save(series(1.0))
    assert Retention(engine, Ages(), now=lambda: NOON + 36_500 * DAY).step() == 0
