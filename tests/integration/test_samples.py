"""Samples in a real database, SQLite and PostgreSQL: each once, and what a chart reads of them."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from gateway.course import Buckets, Course
from gateway.course import Samples as SampleCourse
from gateway.database import open_engine, upgrade, writing
from gateway.protocol.messages import Quality, Value
from gateway.roll_ups import QUIET, RollUps
from gateway.samples import HOUR_US, SeriesSeen
from tests.databases import each_database
from tests.entries import NOON
from tests.sample_store import NOON_US, SECOND_US, SampleStore, series

pytestmark = each_database


def told(course: Course) -> list[tuple[float, Value | None, Quality | None]]:
    """Samples as seconds from noon, value and quality."""
    assert isinstance(course, SampleCourse)
    return [((each.at_us - NOON_US) / SECOND_US, each.value, each.quality) for each in course.samples]


@pytest.fixture
def store(database_url: str) -> Iterator[SampleStore]:
    """An empty one."""
    engine = open_engine(database_url)
    upgrade(engine)
    yield SampleStore(engine)
    engine.dispose()


@pytest.mark.invariant("I9")
def test_sample_that_is_sent_twice_is_one_row(store: SampleStore) -> None:
    """In one batch, in two, and in another cut."""
    store.save(series(1.0, 2.0, 3.0), series(1.0, 2.0, 3.0))
    store.save(series(2.0, 3.0, 4.0, start_s=10))
    assert store.count() == 4
    assert [value for _, value, _ in told(store.course(0, 60, points=10))] == [1, 2, 3, 4]


@pytest.mark.invariant("I9")
def test_samples_that_gateways_save_at_once_are_there_once(store: SampleStore) -> None:
    """Four of them, the same two hundred batches, each in another order."""
    batches = [series(*map(float, range(20)), start_s=200 * number) for number in range(50)]
    stores = [SampleStore(store.engine) for _ in range(4)]

    def save(index: int) -> None:
        for number in range(len(batches)):
            stores[index].save(batches[(number * (2 * index + 1) + index) % len(batches)])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(save, range(4)))
    assert store.count() == 1_000


@pytest.mark.parametrize("value", [1.5, 0, -3, True, False, "open", "", "a\x00b", 2**53 + 1, 2**64 - 1, -(2**63), None])
def test_value_of_any_kind_comes_back_as_it_was(store: SampleStore, value: Value | None) -> None:
    """The kind too: a boolean is no number, and a large integer keeps its last digit."""
    store.save(series(value))
    ((_, found, quality),) = told(store.course(0, 10, points=10))
    assert (found, type(found)) == (value.replace("\x00", "\ufffd") if isinstance(value, str) else value, type(value))
    assert quality is Quality.GOOD


def test_stretch_holds_its_start_and_not_its_end(store: SampleStore) -> None:
    """So that one stretch after the other shows every sample once."""
    store.save(series(1.0, 2.0, 3.0))
    assert [value for _, value, _ in told(store.course(0, 20, points=10))] == [1, 2]


def test_gap_between_samples_is_a_missing_one(store: SampleStore) -> None:
    """From the moment on at which the next one was due; also after the last one, up to now."""
    store.save(series(1.0), series(2.0, start_s=300))
    found = told(store.course(0, 1_000, points=10, now_s=400))
    assert found == [(0, 1, Quality.GOOD), (60, None, None), (300, 2, Quality.GOOD), (360, None, None)]
    assert told(store.course(0, 1_000, points=10, now_s=350))[-1] == (300, 2, Quality.GOOD)


def test_what_could_not_be_read_is_told_once(store: SampleStore) -> None:
    """A sample without a value already is the beginning of the gap."""
    store.save(series(1.0), series(None, start_s=10, quality=Quality.STALE), series(2.0, start_s=500))
    assert told(store.course(0, 501, points=10)) == [
        (0, 1, Quality.GOOD),
        (10, None, Quality.STALE),
        (500, 2, Quality.GOOD),
    ]


@pytest.mark.parametrize("rolled", [False, True])
def test_buckets_hold_least_most_mean_and_last(store: SampleStore, rolled: bool) -> None:
    """Worked out already or not."""
    store.save(series(*[float(number % 7) for number in range(720)]))
    if rolled:
        store.roll()
    found = store.course(0, 7_200, points=5)
    assert isinstance(found, Buckets)
    assert (found.width_us, len(found.buckets)) == (1_800 * SECOND_US, 4)
    first, *_, last = found.buckets
    assert first is not None
    assert last is not None
    assert (first.count, first.least, first.most) == (180, 0, 6)
    assert first.total == sum(number % 7 for number in range(180))
    assert (last.last, last.last_at_us) == (719 % 7, NOON_US + 7_190 * SECOND_US)


def test_bucket_in_which_nothing_was_read_is_none(store: SampleStore) -> None:
    """It is not filled from its neighbours."""
    store.save(series(*[1.0] * 30), series(*[2.0] * 30, start_s=7_200))
    store.roll()
    found = store.course(0, 10_800, points=20)
    assert isinstance(found, Buckets)
    assert [None if each is None else each.last for each in found.buckets][:1] == [1]
    assert None in found.buckets[1:12]


def test_bucket_of_texts_and_gaps_has_no_numbers(store: SampleStore) -> None:
    """Its last time is known, and no mean is made up."""
    store.save(series(*["open"] * 100))
    found = store.course(0, 1_000, points=10)
    assert isinstance(found, Buckets)
    first = found.buckets[0]
    assert first is not None
    assert (first.count, first.least, first.total, first.last) == (0, None, None, None)


def test_late_samples_are_seen_at_once_and_worked_out_later(store: SampleStore) -> None:
    """An hour that was worked out is marked anew; readers never miss them."""
    store.save(series(*[1.0] * 360))
    store.roll()
    assert store.stale() == 0
    store.save(series(9.0, start_s=5))
    assert store.stale() == 1
    for _ in range(2):
        found = store.course(0, 3_600, points=3)
        assert isinstance(found, Buckets)
        assert max(each.most or 0 for each in found.buckets if each) == 9
        store.roll()
    assert store.stale() == 0


def test_hour_that_is_touched_while_it_is_worked_out_stays_marked(
    store: SampleStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What came in between would be missing in its roll-up for ever."""
    store.save(series(*[1.0] * 10))
    roll_ups = RollUps(store.engine, now=lambda: NOON + QUIET + timedelta(seconds=1))
    former = writing

    def late(engine: Engine) -> object:
        monkeypatch.undo()
        with former(engine) as connection:
            known = [SeriesSeen("arava-1", series(5.0, start_s=1_000))]
            store.samples.save_in(connection, known, NOON + timedelta(seconds=1))
        return former(engine)

    monkeypatch.setattr("gateway.roll_ups.writing", late)
    roll_ups.step()
    assert store.stale() == 1


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_buckets_are_the_same_whatever_is_worked_out(store: SampleStore, data: st.DataObject) -> None:
    """The sums of any samples, in any order of arrival, with any hours rolled up, are those of the samples."""
    with writing(store.engine) as connection:
        for table in ("samples", "stale_hours", "sample_hours", "sample_minutes"):
            connection.execute(text(f"DELETE FROM {table}"))  # noqa: S608 # our own names
    times = data.draw(st.lists(st.integers(0, 6 * 3_600 - 1), min_size=1, max_size=60, unique=True))
    for at_s in times:
        store.save(series(float(at_s), start_s=at_s))
        if data.draw(st.booleans()):
            store.roll()
    found = store.course(0, 6 * 3_600, points=data.draw(st.integers(1, len(times))) - 1 or 1)
    if isinstance(found, Buckets):
        buckets = [each for each in found.buckets if each is not None]
        assert sum(each.count for each in buckets) == len(times)
        assert sum(each.total or 0 for each in buckets) == sum(times)
        assert (min(each.least or 0 for each in buckets), max(each.most or 0 for each in buckets)) == (
            min(times),
            max(times),
        )
        assert all(each.last == each.most for each in buckets)


def test_stream_gives_every_sample_page_after_page(store: SampleStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many there are."""
    monkeypatch.setattr("gateway.sample_reads.PAGE", 7)
    store.save(series(*map(float, range(50))))
    of = store.reads.series("arava-1", "feeder-1", "water_c")
    assert of is not None
    found = [each.value for each in store.reads.stream(of, NOON_US, NOON_US + HOUR_US)]
    assert found == list(range(50))


def test_series_of_other_sites_and_devices_are_apart(store: SampleStore) -> None:
    """The same names at another site are another series (I13)."""
    store.save(series(1.0))
    store.save(series(2.0), site="golan-1")
    assert [value for _, value, _ in told(store.course(0, 10, points=10))] == [1]
    assert store.reads.series("golan-1", "feeder-2", "water_c") is None


@pytest.mark.invariant("I15")
def test_series_beyond_those_remembered_are_looked_up_again(
    store: SampleStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also one that was known, in a batch with another that was not."""
    monkeypatch.setattr("gateway.samples.REMEMBERED", 1)
    store.save(series(1.0))
    store.save(series(2.0, start_s=10), series(3.0, name="oxygen_mg"))
    assert [value for _, value, _ in told(store.course(0, 20, points=10))] == [1, 2]
