"""Time lines: what is noted of a command's way, in which order, and by what its end is known."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Engine

from gateway.ledger import CommandRecord, Ledger
from gateway.ledger_writer import LedgerWriter
from gateway.protocol.codes import Evidence
from gateway.protocol.lifecycle import State
from gateway.protocol.messages import Deed, Mark
from tests.conditions import eventually
from tests.databases import each_database
from tests.entries import NOON, answer, asked, new_id

pytestmark = each_database

WHOLE = ["pending", "published", "accepted", "written", "verified", "applied"]
TRAIL = tuple(Mark(deed=deed, at=NOON + timedelta(seconds=number)) for number, deed in enumerate(Deed))


@pytest.fixture
def ledger(engine: Engine) -> Ledger:
    return Ledger(engine)


@pytest.fixture
def writer(ledger: Ledger) -> Iterator[LedgerWriter]:
    writer = LedgerWriter(ledger)
    writer.start()
    yield writer
    writer.stop()


def _record(ledger: Ledger, command_id: str) -> CommandRecord:
    record = ledger.get(command_id)
    assert record is not None
    return record


def _line(ledger: Ledger, command_id: str) -> list[str]:
    return [step.what for step in _record(ledger, command_id).steps]


@pytest.mark.invariant("I14")
def test_time_line_shows_what_the_agent_did_and_when(ledger: Ledger) -> None:
    """The ack's trail is noted with the agent's times; the end says by what it is known."""
    command = asked(published_at=NOON)
    ledger.record([command])
    ledger.settle([answer(command, trail=TRAIL, evidence=Evidence.READ_BACK)])
    record = _record(ledger, command.id)
    assert [step.what for step in record.steps] == WHOLE
    assert [step.source for step in record.steps] == ["@facade"] * 2 + ["arava-1"] * 4
    assert [step.at for step in record.steps[2:5]] == [mark.at for mark in TRAIL]
    assert [step.evidence for step in record.steps] == [None] * 5 + ["read-back"]
    assert record.evidence == "read-back"


def test_time_line_of_a_late_outcome_has_the_same_order(ledger: Ledger) -> None:
    """What is learnt after the sweep stands where it belongs, and the last entry is the state."""
    command = asked()
    ledger.record([command])
    ledger.overdue(NOON + timedelta(hours=1), 5.0)
    ledger.settle([answer(command, State.UNKNOWN, code="plc-silent", trail=TRAIL[:2])])
    assert _line(ledger, command.id) == ["pending", "accepted", "written", "unknown"]
    ledger.settle([answer(command, State.FAILED, code="not-written", trail=TRAIL[:2])])
    assert _line(ledger, command.id) == ["pending", "accepted", "written", "unknown", "failed"]


def test_time_line_takes_a_deed_once(ledger: Ledger) -> None:
    """An agent that wrote again, as only a mailbox allows, is noted with its first time."""
    again = Mark(deed=Deed.WRITTEN, at=NOON + timedelta(seconds=9))
    command = asked()
    ledger.record([command])
    ledger.settle([answer(command, State.ACCEPTED, code="accepted", trail=TRAIL[:1])])
    ledger.settle([answer(command, trail=(*TRAIL[:2], again))])
    steps = {step.what: step.at for step in _record(ledger, command.id).steps}
    assert (steps["accepted"], steps["written"]) == (NOON + timedelta(seconds=1), TRAIL[1].at)


def test_published_is_noted_by_the_requester(writer: LedgerWriter, ledger: Ledger) -> None:
    """Who was handed it and when; nobody has to wait for that."""
    command = asked(requester="@facade-2")
    writer.record(command).result(5)
    writer.published(command.id, NOON).result(5)
    step = _record(ledger, command.id).steps[-1]
    assert (step.what, step.at, step.source) == ("published", NOON, "@facade-2")


def test_published_goes_with_the_next_commit(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lone command pays for two commits, not three: the note waits for company."""
    monkeypatch.setattr("gateway.ledger_writer.PATIENCE_S", 60.0)
    writer = LedgerWriter(ledger)
    writer.start()
    command = asked()
    writer.record(command).result(5)
    noted = writer.published(command.id, NOON)
    writer.settle(answer(command)).result(5)
    assert noted.result(5) is None
    assert _line(ledger, command.id) == ["pending", "published", "accepted", "applied"]
    writer.stop()


def test_published_without_company_is_noted_soon(writer: LedgerWriter, ledger: Ledger) -> None:
    """A site that is silent keeps no note from the ledger."""
    command = asked()
    writer.record(command).result(5)
    writer.published(command.id, NOON)
    eventually(lambda: _line(ledger, command.id) == ["pending", "published"], what="the note")


def test_published_at_stop_is_noted(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """A facade that ends at once writes what waits."""
    monkeypatch.setattr("gateway.ledger_writer.PATIENCE_S", 60.0)
    writer = LedgerWriter(ledger)
    writer.start()
    command = asked()
    writer.record(command).result(5)
    writer.published(command.id, NOON)
    writer.stop()
    assert _line(ledger, command.id) == ["pending", "published"]


@pytest.mark.invariant("I14")
def test_command_seen_with_the_id_of_anothers_leaves_its_time_line(ledger: Ledger) -> None:
    """The agent will refuse it; who published the first is not for the second to say."""
    first = asked()
    ledger.record([first])
    ledger.record([asked(id=first.id, requester="@ana", published_at=NOON)])
    assert _line(ledger, first.id) == ["pending"]


def test_published_of_an_unknown_id_is_left_out(writer: LedgerWriter, ledger: Ledger) -> None:
    """No row, no time line."""
    writer.published(new_id(), NOON).result(5)
    assert ledger.page(site=None, state=None, limit=10, before=None) == ([], None)


@pytest.mark.invariant("I6")
@pytest.mark.parametrize(
    ("before", "after", "moves"),
    [
        ("no-answer", "plc-silent", True),
        ("no-answer", "journal-lost", True),
        ("plc-silent", "no-evidence", True),
        ("plc-silent", "journal-lost", True),
        ("plc-silent", "no-confirmation", True),
        ("plc-silent", "plc-silent", False),
        ("plc-silent", "no-answer", False),
        ("no-evidence", "plc-silent", False),
        ("no-evidence", "no-answer", False),
        ("no-evidence", "journal-lost", False),
        ("journal-lost", "no-answer", False),
        ("journal-lost", "plc-silent", False),
        ("no-confirmation", "plc-silent", False),
    ],
)
def test_unknown_is_explained_better_but_never_worse(ledger: Ledger, before: str, after: str, moves: bool) -> None:
    """Why nobody knows may become clearer: code, detail and result follow, the state stays."""
    command = asked()
    ledger.record([command])
    ledger.settle([answer(command, State.UNKNOWN, code=before, detail="first", result={})])
    ledger.settle([answer(command, State.UNKNOWN, code=after, detail="second", result={"portion_g": 5})])
    record = _record(ledger, command.id)
    assert record.state is State.UNKNOWN
    told = (after, "second", {"portion_g": 5}) if moves else (before, "first", None)
    assert (record.code, record.detail, record.result) == told


@pytest.mark.invariant("I6")
def test_sweep_leaves_an_unknown_that_is_explained(ledger: Ledger) -> None:
    """Time tells less than the agent did."""
    command = asked()
    ledger.record([command])
    ledger.settle([answer(command, State.UNKNOWN, code="journal-lost")])
    assert ledger.overdue(NOON + timedelta(days=1), 5.0) == 0
    assert _record(ledger, command.id).code == "journal-lost"
