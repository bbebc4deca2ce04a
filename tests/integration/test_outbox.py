"""The outbox on a real disk: what it holds, in what order it goes, and what has to go when there is too much (I8)."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import pytest

from gateway.protocol.codec import encode
from gateway.protocol.errors import Unavailable
from gateway.protocol.history import History
from gateway.protocol.messages import Event, Quality, Value
from gateway.protocol.topics import SAMPLES_LOST
from site_agent import clock, gathering, outbox
from site_agent.outbox import Bounds, Outbox
from site_agent.sampling import Point

ROOMY: Final = Bounds(samples=1_000_000, longest=timedelta(days=30), per_s=1e9)
START: Final = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathering, "GATHER_S", 0.01)
    monkeypatch.setattr(gathering, "RETRY_S", 0.05)
    monkeypatch.setattr(outbox, "LINGER_S", 0.05)
    monkeypatch.setattr(clock, "wall", lambda: START + timedelta(hours=1))


def point(number: int, value: Value | None = None, *, name: str = "water_c", quality: Quality = Quality.GOOD) -> Point:
    """The sample of second ``number``."""
    at = START + timedelta(seconds=number)
    return Point("feeder-1", name, at, float(number) if value is None else value, quality, 120.0)


@asynccontextmanager
async def opened(path: Path, bounds: Bounds = ROOMY) -> AsyncIterator[Outbox]:
    """An outbox, closed at the end."""
    made = Outbox(path / "outbox.db", bounds)
    await made.open()
    try:
        yield made
    finally:
        await made.close()


async def until(question: Callable[[], bool]) -> None:
    """Wait for it, 5 s at most."""
    async with asyncio.timeout(5):
        while not question():  # noqa: ASYNC110 # it is asked of parts that tell nobody
            await asyncio.sleep(0.01)


class Centre:
    """Takes batches, and confirms them unless told otherwise."""

    def __init__(self, box: Outbox) -> None:
        self._box = box
        self.confirms = True
        self.batches: list[History] = []

    def send(self, batch: History) -> None:
        """As a conversation does."""
        self.batches.append(batch)
        if self.confirms:
            asyncio.get_running_loop().call_soon(self._box.settle, (batch.batch,))

    @property
    def values(self) -> list[Value | None]:
        """Of all samples, in the order of their arrival, those of one series together."""
        return [value for batch in self.batches for each in batch.series for value in each.values]

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[None]:
        """Deliver meanwhile."""
        task = asyncio.create_task(self._box.deliver(self.send))
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


@pytest.mark.invariant("I8")
async def test_samples_wait_on_disk_until_they_are_confirmed(tmp_path: Path) -> None:
    """A restart finds them, and what was confirmed is gone."""
    async with opened(tmp_path) as box:
        box.keep([point(number) for number in range(10)])
        await until(lambda: box.waiting == 10)
    async with opened(tmp_path) as box:
        centre = Centre(box)
        async with centre.connected():
            await until(lambda: box.waiting == 0)
        assert centre.values == [float(number) for number in range(10)]
    async with opened(tmp_path) as box:
        assert box.waiting == 0


@pytest.mark.invariant("I8")
async def test_samples_that_are_not_confirmed_are_sent_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the next patience, and with the next connection."""
    monkeypatch.setattr(outbox, "PATIENCE_S", 0.05)
    async with opened(tmp_path) as box:
        centre = Centre(box)
        centre.confirms = False
        box.keep([point(1)])
        async with centre.connected():
            await until(lambda: len(centre.batches) >= 3)
        centre.confirms = True
        async with centre.connected():
            await until(lambda: box.waiting == 0)
        assert set(centre.values) == {1.0}


async def test_close_writes_what_was_just_taken(tmp_path: Path) -> None:
    """A clean stop loses no reading."""
    async with opened(tmp_path) as box:
        box.keep([point(1)])
    async with opened(tmp_path) as box:
        assert box.waiting == 1


async def test_event_goes_before_samples_that_waited_for_longer(tmp_path: Path) -> None:
    """It is in the very next batch, however many samples there are."""
    async with opened(tmp_path) as box:
        box.keep([point(number) for number in range(5_000)])
        await until(lambda: box.waiting == 5_000)
        box.add("feeder-1", "jam", Event(at=START))
        await until(lambda: box.waiting == 5_001)
        centre = Centre(box)
        async with centre.connected():
            await until(lambda: box.waiting == 0)
        assert [event.name for event in centre.batches[0].events] == ["jam"]
        assert centre.values == [float(number) for number in range(5_000)]


async def test_batch_is_small_enough_for_a_slow_line(tmp_path: Path) -> None:
    """A beat or an ack never waits behind more than that."""
    async with opened(tmp_path) as box:
        box.keep([point(number, "x" * 1_000) for number in range(200)])
        box.keep([point(number, name=f"p{number}") for number in range(1_000)])
        await until(lambda: box.waiting == 1_200)
        centre = Centre(box)
        async with centre.connected():
            await until(lambda: box.waiting == 0)
        assert len(centre.values) == 1_200
        assert max(len(encode(batch)) for batch in centre.batches) < 36 * 1024


@pytest.mark.parametrize("value", [True, False, 0, 1, 2**64 - 1, -(2**63), 1.0, "", "open"])
async def test_value_of_any_kind_travels_as_it_was(tmp_path: Path, value: Value) -> None:
    """SQLite knows no booleans and no unsigned integers."""
    async with opened(tmp_path) as box:
        box.keep([point(1, value)])
        centre = Centre(box)
        async with centre.connected():
            await until(lambda: len(centre.batches) == 1)
        (found,) = centre.values
        assert (found, type(found)) == (value, type(value))


async def test_series_is_cut_where_the_clock_was_set_back(tmp_path: Path) -> None:
    """No sample lies before its series' start; the order of reading stays."""
    async with opened(tmp_path) as box:
        box.keep([point(100), point(101), point(3), point(4)])
        centre = Centre(box)
        async with centre.connected():
            await until(lambda: len(centre.batches) == 1)
        (batch,) = centre.batches
        assert [(each.at(0), each.values) for each in batch.series] == [
            (START + timedelta(seconds=100), (100.0, 101.0)),
            (START + timedelta(seconds=3), (3.0, 4.0)),
        ]


@pytest.mark.invariant("I15")
async def test_too_many_samples_lose_the_oldest_and_say_so(tmp_path: Path) -> None:
    """An event with their number; events themselves stay."""
    async with opened(tmp_path, Bounds(samples=100, longest=timedelta(days=30), per_s=1e9)) as box:
        box.add("feeder-1", "jam", Event(at=START))
        box.keep([point(number) for number in range(150)])
        await until(lambda: box.waiting == 102)
        centre = Centre(box)
        async with centre.connected():
            await until(lambda: box.waiting == 0)
        assert centre.values == [float(number) for number in range(50, 150)]
        names = {event.name: event for batch in centre.batches for event in batch.events}
        assert set(names) == {"jam", SAMPLES_LOST}
        assert names[SAMPLES_LOST].data["count"] == 50


async def test_samples_that_waited_for_too_long_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By age; a time that cannot be true is a fault of a clock, and no age."""
    async with opened(tmp_path, Bounds(samples=1_000, longest=timedelta(days=1), per_s=1e9)) as box:
        box.keep([point(number) for number in range(5)])
        await until(lambda: box.waiting == 5)
        monkeypatch.setattr(clock, "wall", lambda: START + timedelta(days=4_000))
        box.keep([point(4_000 * 86_400)])
        await until(lambda: box.waiting == 6)
        monkeypatch.setattr(clock, "wall", lambda: START + timedelta(days=2))
        box.keep([point(2 * 86_400)])
        await until(lambda: box.waiting == 3)


async def test_samples_wait_in_memory_while_the_disk_takes_none(tmp_path: Path) -> None:
    """They are written once it does, and none twice."""
    async with opened(tmp_path) as box:
        with sqlite3.connect(tmp_path / "outbox.db", isolation_level=None) as other:
            other.execute("CREATE TRIGGER full BEFORE INSERT ON samples BEGIN SELECT RAISE(ABORT, 'full'); END")
            box.keep([point(1), point(2)])
            await asyncio.sleep(0.1)  # several attempts fail meanwhile; nothing tells of them but the log
            assert box.waiting == 2
            other.execute("DROP TRIGGER full")
        other.close()
        await until(lambda: box.waiting == 2)
        box.keep([point(3)])
        centre = Centre(box)
        async with centre.connected():
            await until(lambda: len(centre.values) == 3)
        assert centre.values == [1.0, 2.0, 3.0]


@pytest.mark.invariant("I15")
async def test_memory_for_samples_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond it the oldest go, and are counted."""
    monkeypatch.setattr(gathering, "MEMORY", 10)
    async with opened(tmp_path) as box:
        box.keep([point(number) for number in range(25)])
        centre = Centre(box)
        async with centre.connected():
            await until(lambda: len(centre.values) == 10)
            await until(lambda: any(batch.events for batch in centre.batches))
        assert centre.values == [float(number) for number in range(15, 25)]


async def test_backlog_goes_no_faster_than_it_may(tmp_path: Path) -> None:
    """3,000 samples at 10,000 a second: the third batch begins 0.2 s after the first, and never sooner."""
    async with opened(tmp_path, Bounds(samples=10_000, longest=timedelta(days=30), per_s=10_000)) as box:
        box.keep([point(number) for number in range(3_000)])
        await until(lambda: box.waiting == 3_000)
        times: list[float] = []
        centre = Centre(box)

        def send(batch: History) -> None:
            times.append(clock.elapsed_s())
            Centre.send(centre, batch)

        task = asyncio.create_task(box.deliver(send))
        await until(lambda: box.waiting == 0)
        task.cancel()
        assert times[-1] - times[0] >= 0.19


async def test_lost_link_ends_the_delivery_and_loses_nothing(tmp_path: Path) -> None:
    """The next connection goes on."""

    def lost(_batch: History) -> None:
        raise Unavailable("broker", "gone")

    async with opened(tmp_path) as box:
        box.keep([point(1)])
        await until(lambda: box.waiting == 1)
        with pytest.raises(Unavailable):
            await box.deliver(lost)
        centre = Centre(box)
        async with centre.connected():
            await until(lambda: box.waiting == 0)
        assert centre.values == [1.0]


async def test_event_is_told_only_once_it_is_on_disk(tmp_path: Path) -> None:
    """So that a kill right after it was told live does not lose it."""
    async with opened(tmp_path) as box:
        on_disk: list[int] = []

        def told() -> None:
            with sqlite3.connect(tmp_path / "outbox.db") as other:
                on_disk.append(other.execute("SELECT count(*) FROM events").fetchone()[0])
            other.close()

        box.add("feeder-1", "jam", Event(at=START), told)
        await until(lambda: bool(on_disk))
        assert on_disk == [1]


@pytest.mark.invariant("I8")
async def test_events_that_meet_a_disk_error_are_told_at_once_and_kept_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In their order, once each; people hear of them while the disk takes nothing."""
    monkeypatch.setattr(outbox, "RETRY_S", 0.05)
    async with opened(tmp_path) as box:
        with sqlite3.connect(tmp_path / "outbox.db", isolation_level=None) as other:
            other.execute("CREATE TRIGGER full BEFORE INSERT ON events BEGIN SELECT RAISE(ABORT, 'full'); END")
            told: list[str] = []
            for name in ("jam", "lid-open"):
                box.add("feeder-1", name, Event(at=START), lambda name=name: told.append(name))  # type: ignore[misc]  # mypy cannot infer a lambda with a default
            await until(lambda: len(told) == 2)
            assert box.waiting == 0
            other.execute("DROP TRIGGER full")
        other.close()
        centre = Centre(box)
        async with centre.connected():
            await until(lambda: bool(centre.batches) and box.waiting == 0 and not box._works)
        assert [event.name for batch in centre.batches for event in batch.events] == ["jam", "lid-open"]
        assert told == ["jam", "lid-open"]


async def test_spoilt_file_is_set_aside_and_the_agent_goes_on(tmp_path: Path) -> None:
    """A person may look at it; the site is not dark for its sake."""
    (tmp_path / "outbox.db").write_bytes(b"this is no database" * 1_000)
    async with opened(tmp_path) as box:
        box.add("feeder-1", "jam", Event(at=START))
        await until(lambda: box.waiting == 1)
    assert {name.partition(".spoilt-")[0] for name in os.listdir(tmp_path) if "spoilt" in name} == {"outbox.db"}


async def test_event_whose_connection_ended_in_mid_batch_goes_with_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not only when another event comes."""
    async with opened(tmp_path) as box:
        box.add("feeder-1", "jam", Event(at=START))
        await until(lambda: box.waiting == 1)
        reading = asyncio.Event()
        former = box._disk.do

        async def slow(run: Callable[[sqlite3.Connection], object]) -> object:
            reading.set()
            await asyncio.sleep(10)
            return await former(run)

        monkeypatch.setattr(box._disk, "do", slow)
        task = asyncio.create_task(box.deliver(lambda _: None))
        await reading.wait()
        task.cancel()
        monkeypatch.undo()
        centre = Centre(box)
        async with centre.connected():
            await until(lambda: box.waiting == 0)
        assert len(centre.batches) == 1
