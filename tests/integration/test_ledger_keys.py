"""Idempotency keys: one key of one actor is one command, whoever else records at the same time."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait

import pytest
from sqlalchemy import Engine, event

from gateway.database import open_engine
from gateway.ledger import Ledger, Recorded
from gateway.ledger_writer import LedgerWriter
from gateway.protocol.lifecycle import State
from tests.databases import each_database, locked, only_sqlite
from tests.entries import answer, asked

pytestmark = each_database


@pytest.fixture
def ledger(engine: Engine) -> Ledger:
    return Ledger(engine)


def _statements(engine: Engine) -> list[str]:
    """What SQLite is told from now on, by every connection."""
    found: list[str] = []

    def trace(connection: sqlite3.Connection, *_: object) -> None:
        connection.set_trace_callback(found.append)

    event.listen(engine, "checkout", trace)
    return found


@pytest.mark.invariant("I1")
def test_record_with_a_new_key_is_fresh(ledger: Ledger) -> None:
    """The command gets its row, and is found by its key."""
    command = asked(key="k-1", fingerprint="f1")
    assert ledger.record([command]) == [Recorded(id=command.id, fresh=True, fingerprint="f1")]
    found = ledger.by_key("dana", "k-1")
    assert found is not None
    assert (found.id, found.key, found.fingerprint) == (command.id, "k-1", "f1")


@pytest.mark.invariant("I1")
@pytest.mark.parametrize("end", [State.PENDING, State.APPLIED])
def test_record_with_a_used_key_names_the_first_and_makes_no_row(ledger: Ledger, end: State) -> None:
    """Also long after the first has ended; the fingerprint tells whether the same was asked."""
    first, second = asked(key="k-1", fingerprint="f1"), asked(key="k-1", fingerprint="f2")
    ledger.record([first])
    if end is State.APPLIED:
        ledger.settle([answer(first)])
    assert ledger.record([second]) == [Recorded(id=first.id, fresh=False, fingerprint="f1")]
    assert ledger.get(second.id) is None


@pytest.mark.invariant("I1")
def test_record_of_one_key_several_times_in_one_group_takes_the_first(ledger: Ledger) -> None:
    """Group commit makes no second command; what stands beside it is recorded as ever."""
    other = [asked(), asked(key="a"), asked(key="z")]
    same = [asked(key="k", fingerprint=f"f{number}") for number in range(3)]
    recorded = ledger.record([other[0], same[0], other[1], same[1], other[2], same[2]])
    assert [each.id for each in recorded] == [other[0].id, same[0].id, other[1].id, same[0].id, other[2].id, same[0].id]
    assert [each.fresh for each in recorded] == [True, True, True, False, True, False]
    assert [ledger.get(each.id) is not None for each in same] == [True, False, False]


def test_record_of_a_key_of_another_actor_is_fresh(ledger: Ledger) -> None:
    """A key is its actor's own."""
    commands = [asked(key="k", actor="dana"), asked(key="k", actor="ben")]
    assert [each.fresh for each in ledger.record(commands)] == [True, True]


def test_by_key_of_an_unused_key_is_none(ledger: Ledger) -> None:
    """Nobody used it."""
    assert ledger.by_key("dana", "k") is None


@pytest.mark.invariant("I1")
def test_record_of_one_key_by_many_at_once_has_one_winner(database_url: str, ledger: Ledger) -> None:
    """Several facades, each with connections of its own: all hear of the same command, and there is one."""
    start = threading.Barrier(4)

    def facade(number: int) -> Sequence[Recorded]:
        engine = open_engine(database_url)
        mine = Ledger(engine)
        # In opposite orders, so that each could hold what the other waits for.
        keys = [f"k{index}" for index in range(20)][:: 1 if number % 2 else -1]
        start.wait(10)
        recorded = [*mine.record([asked(key=each) for each in keys])]
        engine.dispose()
        return recorded

    with ThreadPoolExecutor(4) as pool:
        groups = list(pool.map(facade, range(4)))
    fresh = [each.id for group in groups for each in group if each.fresh]
    assert len(fresh) == 20
    assert {each.id for group in groups for each in group} == set(fresh)
    assert sorted(each.id for each in ledger.page(site=None, state=None, limit=100, before=None)[0]) == sorted(fresh)


@only_sqlite
def test_record_without_keys_costs_no_further_statement(ledger: Ledger, engine: Engine) -> None:
    """Only who names a key pays for it."""
    statements = _statements(engine)
    ledger.record([asked(), asked()])
    assert not [each for each in statements if each.startswith("SELECT") and "FROM commands" in each]


@pytest.mark.invariant("I1")
def test_writer_tells_each_waiter_whose_the_key_is(ledger: Ledger, engine: Engine) -> None:
    """Entries of one group hear each of their own command."""
    writer = LedgerWriter(ledger)
    writer.start()
    first, second, plain = asked(key="k"), asked(key="k"), asked()
    with locked(engine):
        futures = [writer.record(asked()), *[writer.record(each) for each in (first, plain, second)]]
    wait(futures, timeout=5)
    writer.stop()
    assert [each.result(0).id for each in futures[1:]] == [first.id, plain.id, first.id]
    assert [each.result(0).fresh for each in futures] == [True, True, True, False]
