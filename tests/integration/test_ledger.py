"""The ledger on a real database: compare-and-set, time lines, pages, the sweep."""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import Engine, event

from gateway.ledger import Answer, Ledger
from gateway.protocol.errors import IllegalStep, Unavailable
from gateway.protocol.lifecycle import State, path
from tests.databases import each_database, locked, only_sqlite
from tests.entries import NOON, ack, answer, asked, new_id

pytestmark = each_database

REPORTABLE = [state for state in State if state is not State.PENDING]


@pytest.fixture
def ledger(engine: Engine) -> Ledger:
    return Ledger(engine)


def _brought_to(ledger: Ledger, state: State) -> str:
    command = asked()
    ledger.record([command])
    for each in path(State.PENDING, state):
        ledger.settle([answer(command, each)])
    return command.id


def _state(ledger: Ledger, command_id: str) -> State:
    record = ledger.get(command_id)
    assert record is not None
    return record.state


@pytest.mark.invariant("I14")
def test_record_of_a_command_keeps_who_what_and_when(ledger: Ledger) -> None:
    """A recorded command is read back whole, pending, with its deadline."""
    command = asked(
        actor="dana", reason="spring ration", expect_revision="00ff00ff", asked_epoch=7, key="k-1", fingerprint="f"
    )
    ledger.record([command])
    record = ledger.get(command.id)
    assert record is not None
    assert record.state is State.PENDING
    kept = command.__dataclass_fields__.keys() - {"published_at"}  # that is in the time line
    assert {name: getattr(record, name) for name in kept} == {name: getattr(command, name) for name in kept}
    assert record.deadline_at == command.issued_at + timedelta(seconds=command.ttl_s)


def test_record_of_a_known_id_changes_nothing(ledger: Ledger) -> None:
    """A second command with an id that is there does not replace the first."""
    first = asked()
    ledger.record([first])
    ledger.record([asked(id=first.id, requester="@ana", input={"portion_g": 999})])
    record = ledger.get(first.id)
    assert record is not None
    assert (record.requester, record.input) == ("@facade", {"portion_g": 120})


@pytest.mark.invariant("I6")
@pytest.mark.parametrize("before", State)
@pytest.mark.parametrize("after", REPORTABLE)
def test_settle_moves_exactly_as_the_lifecycle_table_says(ledger: Ledger, before: State, after: State) -> None:
    """For every state and every ack: the ledger follows the table, and stays where the table has no way."""
    command = asked()
    ledger.record([command])
    for each in path(State.PENDING, before):
        ledger.settle([answer(command, each)])
    try:
        path(before, after)
        expected = after
    except IllegalStep:
        expected = before
    ledger.settle([answer(command, after)])
    assert _state(ledger, command.id) is expected


def test_settle_says_which_commands_are_final_now(ledger: Ledger) -> None:
    """Only ids whose command is final are handed back, also if it was final before."""
    done, repeated, open_ = asked(), asked(), asked()
    ledger.record([done, repeated, open_])
    ledger.settle([answer(repeated)])
    held = ledger.settle([answer(done), answer(repeated), answer(open_, State.ACCEPTED)])
    assert held == {done.id, repeated.id}


def test_settle_of_an_outcome_alone_shows_accepted_in_the_time_line(ledger: Ledger) -> None:
    """An agent that is quick reports only the end; that it had accepted follows."""
    record = ledger.get(_brought_to(ledger, State.APPLIED))
    assert record is not None
    assert [step.what for step in record.steps] == [State.PENDING, State.ACCEPTED, State.APPLIED]
    assert [step.source for step in record.steps] == ["@facade", "arava-1", "arava-1"]


def test_settle_of_accepted_and_applied_in_one_batch_takes_both(ledger: Ledger) -> None:
    """Several acks of one command in one transaction are taken in their order."""
    command = asked()
    ledger.record([command])
    ledger.settle([answer(command, State.ACCEPTED, code="accepted"), answer(command, State.APPLIED)])
    record = ledger.get(command.id)
    assert record is not None
    assert [step.code for step in record.steps] == [None, "accepted", "applied"]


def test_settle_of_what_is_known_takes_no_write_lock(ledger: Ledger, engine: Engine) -> None:
    """A repeated ack costs a read, even while another process holds the write lock."""
    command = asked()
    ledger.record([command])
    ledger.settle([answer(command)])
    with locked(engine):
        assert ledger.settle([answer(command)]) == {command.id}


@pytest.mark.invariant("I13")
@pytest.mark.parametrize("foreign", [{"site": "negev-2"}, {"requester": "@ana"}])
def test_settle_of_a_foreign_ack_changes_nothing(ledger: Ledger, foreign: dict[str, str]) -> None:
    """An ack from another site, or to another requester, never moves a command, and is not called held."""
    command = asked()
    ledger.record([command])
    held = ledger.settle([answer(command, State.APPLIED, **foreign)])
    assert held == frozenset()
    assert _state(ledger, command.id) is State.PENDING


def test_settle_of_an_unknown_id_writes_the_command_from_its_ack(ledger: Ledger) -> None:
    """A technician's command that nobody saw is in the ledger once it is answered."""
    said = ack(id=new_id(), input={"portion_g": 80}, detail="")
    assert ledger.settle([Answer(site="arava-1", requester="@ana", ack=said)]) == {said.id}
    record = ledger.get(said.id)
    assert record is not None
    assert (record.requester, record.input, record.state) == ("@ana", {"portion_g": 80}, State.APPLIED)
    assert (record.issued_at, record.ttl_s, record.asked_epoch) == (None, None, said.epoch)


def test_settle_keeps_the_outcome(ledger: Ledger) -> None:
    """Code, detail, result and epoch of the last ack are the row's."""
    command = asked()
    ledger.record([command])
    ledger.settle([answer(command, State.FAILED, code="plc-refused", detail="exception 2", result={"portion_g": None})])
    record = ledger.get(command.id)
    assert record is not None
    assert (record.code, record.detail, record.result, record.epoch) == (
        "plc-refused",
        "exception 2",
        {"portion_g": None},
        7,
    )


def test_get_of_an_unknown_id_is_none(ledger: Ledger) -> None:
    """There is no such command."""
    assert ledger.get(new_id()) is None


def test_text_with_nul_is_recorded(ledger: Ledger) -> None:
    """A NUL in a text, which not every engine stores, costs no row."""
    command = asked(reason="a\x00b")
    ledger.record([command])
    record = ledger.get(command.id)
    assert record is not None
    assert record.reason == "a\ufffdb"


@pytest.mark.invariant("I7")
@pytest.mark.parametrize("state", [State.PENDING, State.ACCEPTED])
def test_overdue_command_becomes_unknown(ledger: Ledger, state: State) -> None:
    """Without an answer by deadline plus grace a command is unknown, with the code no-answer."""
    command_id = _brought_to(ledger, state)
    assert ledger.overdue(NOON + timedelta(seconds=15.1), grace_s=5.0) == 1
    record = ledger.get(command_id)
    assert record is not None
    assert (record.state, record.code) == (State.UNKNOWN, "no-answer")


@pytest.mark.invariant("I7")
def test_overdue_leaves_commands_within_their_grace(ledger: Ledger) -> None:
    """Until deadline plus grace an ack may still be on its way."""
    command_id = _brought_to(ledger, State.PENDING)
    assert ledger.overdue(NOON + timedelta(seconds=14.9), grace_s=5.0) == 0
    assert _state(ledger, command_id) is State.PENDING


@pytest.mark.invariant("I6")
def test_overdue_leaves_final_commands(ledger: Ledger) -> None:
    """Time never changes what is final."""
    command_id = _brought_to(ledger, State.APPLIED)
    assert ledger.overdue(NOON + timedelta(days=1), grace_s=5.0) == 0
    assert _state(ledger, command_id) is State.APPLIED


def test_overdue_handles_more_commands_than_one_transaction_takes(ledger: Ledger) -> None:
    """The sweep goes on until nothing is left."""
    ledger.record([asked() for _ in range(450)])
    assert ledger.overdue(NOON + timedelta(hours=1), grace_s=5.0) == 450


def test_page_is_newest_first_and_its_cursor_reaches_the_end(ledger: Ledger) -> None:
    """Pages by cursor hold every command once, newest first."""
    ids = [new_id() for _ in range(5)]
    ledger.record([asked(id=each) for each in ids])
    found: list[str] = []
    before = None
    while True:
        records, before = ledger.page(site=None, state=None, limit=2, before=before)
        found += [each.id for each in records]
        if before is None:
            break
    assert found == sorted(ids, reverse=True)


def test_page_goes_by_when_commands_were_recorded_whatever_their_ids_say(engine: Engine) -> None:
    """Technicians' ids are any UUID: those that sort backwards are listed newest first all the same."""
    ids = sorted((str(uuid4()) for _ in range(5)), reverse=True)
    for minute, each in enumerate(ids):
        at = NOON + timedelta(minutes=minute)
        Ledger(engine, now=lambda at=at: at).record([asked(id=each)])  # type: ignore[misc] # mypy sees no type of a default
    ledger, found, before = Ledger(engine), list[str](), None
    while len(found) < len(ids):
        records, before = ledger.page(site=None, state=None, limit=2, before=before)
        found += [each.id for each in records]
    assert (found, before) == (ids[::-1], None)


def test_page_filters_by_site_and_state(ledger: Ledger) -> None:
    """Only the commands of that site in that state are listed."""
    wanted, other_site, other_state = asked(), asked(site="negev-2"), asked()
    ledger.record([wanted, other_site, other_state])
    ledger.settle([answer(other_state)])
    records, following = ledger.page(site="arava-1", state=State.PENDING, limit=10, before=None)
    assert ([each.id for each in records], following) == ([wanted.id], None)


def test_page_filters_by_who_asked(ledger: Ledger) -> None:
    """By the very name, whatever stands in it."""
    wanted = asked(actor="dana")
    ledger.record([wanted, asked(actor="dana2"), asked(actor=None)])
    for actor, ids in (("dana", [wanted.id]), ("dan", []), ("da%", []), ("\x00", [])):
        records, _ = ledger.page(site=None, state=None, actor=actor, limit=10, before=None)
        assert [each.id for each in records] == ids


@pytest.mark.fault("F32")
def test_record_while_another_holds_the_lock_is_unavailable(ledger: Ledger, engine: Engine) -> None:
    """A locked database refuses in about a second, and the command is not there afterwards."""
    command = asked()
    with locked(engine), pytest.raises(Unavailable):
        ledger.record([command])
    assert ledger.get(command.id) is None


@only_sqlite
@pytest.mark.fault("F34")
def test_record_on_a_full_disk_is_unavailable_and_reads_go_on(ledger: Ledger, engine: Engine) -> None:
    """SQLite's "database or disk is full" refuses new commands; what is there can be read."""
    known = asked()
    ledger.record([known])

    def full(connection: sqlite3.Connection, *_: object) -> None:
        connection.execute("PRAGMA max_page_count=1")

    event.listen(engine, "checkout", full)
    try:
        with pytest.raises(Unavailable, match="full"):
            ledger.record([asked(reason="x" * 1_000) for _ in range(200)])
        assert ledger.get(known.id) is not None
    finally:
        event.remove(engine, "checkout", full)
