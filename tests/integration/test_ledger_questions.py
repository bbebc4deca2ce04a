"""What the ledger has to ask the sites about."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, Select
from sqlalchemy.dialects import sqlite

from gateway.database import reading
from gateway.ledger import Asked, Ledger
from gateway.ledger_plan import SETTLED
from gateway.ledger_questions import _PAGE, _SITES, Unresolved
from gateway.protocol.codes import AckCode
from gateway.protocol.lifecycle import State
from gateway.protocol.messages import After, Command
from gateway.protocol.topics import CommandTopic
from tests.databases import each_database, only_sqlite
from tests.entries import NOON, answer, asked

pytestmark = each_database

UNKNOWN = [AckCode.PLC_SILENT, AckCode.NO_ANSWER, AckCode.NO_EVIDENCE, AckCode.NO_CONFIRMATION, AckCode.JOURNAL_LOST]


@pytest.fixture
def ledger(engine: Engine) -> Ledger:
    return Ledger(engine)


def _unknown(ledger: Ledger, code: str = "no-answer", **fields: object) -> Asked:
    command = asked(**fields)
    ledger.record([command])
    ledger.settle([answer(command, State.UNKNOWN, code=code)])
    return command


@pytest.mark.invariant("I7")
def test_question_is_the_command_with_nothing_left_to_live(ledger: Ledger, engine: Engine) -> None:
    """It says whose command is meant and from which epoch it is, and nothing may start any more."""
    command = _unknown(ledger, asked_epoch=41, name="feed", input={"grams": 50})
    (question,) = Unresolved(engine).page("arava-1", after="", limit=50)
    assert question.topic == CommandTopic("arava-1", "@gateway", "feeder-1", "feed")
    assert question.command == Command(
        id=command.id,
        input={"grams": 50},
        issued_at=NOON,
        ttl_s=0,
        after=After(epoch=41, seq=0, age_s=0),
        asked_by="@facade",
    )


def test_question_about_a_command_without_an_epoch_has_no_after(ledger: Ledger, engine: Engine) -> None:
    """A technician's, from before the site was heard of."""
    _unknown(ledger, requester="@ana")
    (question,) = Unresolved(engine).page("arava-1", after="", limit=50)
    assert (question.command.after, question.command.asked_by) == (None, "@ana")


@pytest.mark.parametrize("code", UNKNOWN)
def test_what_only_a_person_can_resolve_is_not_asked(ledger: Ledger, engine: Engine, code: AckCode) -> None:
    """The index of the tables and the plan's list of codes agree."""
    command = _unknown(ledger, code)
    expected = [] if code in SETTLED else [command.id]
    unresolved = Unresolved(engine)
    assert [each.id for each in unresolved.page("arava-1", after="", limit=50)] == expected
    assert unresolved.sites() == (frozenset() if code in SETTLED else {"arava-1"})


@pytest.mark.parametrize("state", [State.PENDING, State.ACCEPTED, State.APPLIED, State.EXPIRED])
def test_what_is_open_or_final_is_not_asked(ledger: Ledger, engine: Engine, state: State) -> None:
    """Only unknown is a question."""
    command = asked()
    ledger.record([command])
    if state is not State.PENDING:
        ledger.settle([answer(command, state)])
    assert Unresolved(engine).sites() == frozenset()


def test_page_goes_on_in_the_order_of_ids(ledger: Ledger, engine: Engine) -> None:
    """Oldest first, of one site, a bounded number at a time."""
    ids = sorted(_unknown(ledger).id for _ in range(5))
    _unknown(ledger, site="negev-2")
    unresolved = Unresolved(engine)
    first = [each.id for each in unresolved.page("arava-1", after="", limit=3)]
    assert first == ids[:3]
    assert [each.id for each in unresolved.page("arava-1", after=first[-1], limit=3)] == ids[3:]


@only_sqlite
@pytest.mark.parametrize("query", [_SITES, _PAGE], ids=["sites", "page"])
def test_looking_for_questions_reads_only_what_is_unresolved(engine: Engine, query: Select[tuple[object]]) -> None:
    """However long the ledger is: by the index of these rows, in its order."""
    text = str(query.compile(dialect=sqlite.dialect(paramstyle="named"), compile_kwargs={"render_postcompile": True}))
    with reading(engine) as connection:
        cursor = connection.connection.cursor()
        cursor.execute("EXPLAIN QUERY PLAN " + text, {"site": "a", "after": "", "limit": 1, "param_1": 0})
        plan = " ".join(str(row[-1]) for row in cursor.fetchall())
    assert "ix_commands_unresolved" in plan
    assert "TEMP" not in plan
