"""Group commit: order, grouping, overload, and what a waiter hears when the database is away."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import wait

import pytest
from sqlalchemy import Engine, event

from gateway.ledger import Ledger
from gateway.ledger_writer import LedgerWriter, Overloaded
from gateway.protocol.errors import Unavailable
from gateway.protocol.lifecycle import State
from tests.conditions import eventually
from tests.databases import each_database, locked
from tests.entries import answer, asked

pytestmark = each_database


@pytest.fixture
def ledger(engine: Engine) -> Ledger:
    return Ledger(engine)


@pytest.fixture
def writer(ledger: Ledger) -> Iterator[LedgerWriter]:
    writer = LedgerWriter(ledger, waiting=50)
    writer.start()
    yield writer
    writer.stop()


def test_record_is_there_once_its_future_completes(writer: LedgerWriter, ledger: Ledger) -> None:
    """The future stands for the commit."""
    command = asked()
    writer.record(command).result(5)
    assert ledger.get(command.id) is not None


def test_settle_handed_in_after_record_finds_the_row(writer: LedgerWriter, ledger: Ledger) -> None:
    """Entries are written in the order in which they were handed in."""
    command = asked()
    recorded, settled = writer.record(command), writer.settle(answer(command))
    recorded.result(5)
    settled.result(5)
    record = ledger.get(command.id)
    assert record is not None
    assert [step.what for step in record.steps] == [State.PENDING, State.ACCEPTED, State.APPLIED]


def test_entries_that_wait_share_one_commit(writer: LedgerWriter, engine: Engine) -> None:
    """While the lock is held elsewhere entries gather; one transaction then writes them all."""
    commits = threading.Semaphore(0)
    with locked(engine):
        first = writer.record(asked())
        futures = [writer.record(asked()) for _ in range(20)]
        event.listen(engine, "commit", lambda _connection: commits.release())
    wait([first, *futures], timeout=5)
    count = 0
    while commits.acquire(blocking=False):
        count += 1
    # The lock's own commit, that of the entry that was taken alone, and one for all the others.
    assert count <= 3


def test_record_beyond_the_bound_is_refused(writer: LedgerWriter, engine: Engine) -> None:
    """A full queue takes nothing on (I15)."""
    with locked(engine):
        taken = [writer.record(asked())]
        eventually(lambda: not writer._waiting, what="the writer with its hands full")
        taken += [writer.record(asked()) for _ in range(50)]
        with pytest.raises(Overloaded):
            writer.record(asked())
    wait(taken, timeout=10)


def test_record_while_the_database_is_locked_fails_its_future(writer: LedgerWriter, engine: Engine) -> None:
    """Whoever waits hears that nothing was committed."""
    with locked(engine):
        future = writer.record(asked())
        with pytest.raises(Unavailable):
            future.result(5)


def test_writer_goes_on_after_a_failure(writer: LedgerWriter, ledger: Ledger, engine: Engine) -> None:
    """A database that was away costs the entries of that time, nothing later."""
    with locked(engine):
        writer.record(asked()).exception(5)
    command = asked()
    writer.record(command).result(5)
    assert ledger.get(command.id) is not None


def test_one_entry_that_cannot_be_written_does_not_take_others_with_it(
    writer: LedgerWriter, ledger: Ledger, engine: Engine
) -> None:
    """Entries of one group are written one by one if the group fails for a reason of its own."""
    good = [asked() for _ in range(3)]
    bad = asked(site=None)
    with locked(engine):
        writer.record(asked())
        futures = [writer.record(each) for each in (good[0], good[1])]
        refused = writer.record(bad)
        futures.append(writer.record(good[2]))
    wait(futures, timeout=5)
    assert isinstance(refused.exception(5), Unavailable)
    assert [ledger.get(each.id) is not None for each in good] == [True, True, True]


def test_stop_writes_what_waits(ledger: Ledger) -> None:
    """Nothing that was taken on is left behind."""
    writer = LedgerWriter(ledger)
    writer.start()
    commands = [asked() for _ in range(30)]
    for each in commands:
        writer.record(each)
    writer.stop()
    assert all(ledger.get(each.id) is not None for each in commands)


def test_record_on_a_stopped_writer_is_unavailable(ledger: Ledger) -> None:
    """A writer that does not run takes nothing on."""
    with pytest.raises(Unavailable):
        LedgerWriter(ledger).record(asked())
