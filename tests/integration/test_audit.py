"""The audit in a real database: a row for every write that was asked for, and a chain that shows what was changed."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine, text

from gateway.audit import Audit
from gateway.audit_chain import Entry, Kind, Link, chained
from gateway.audit_command import audit as command_line
from gateway.database import reading, writing
from gateway.database.tables import microseconds
from gateway.ledger import Ledger
from gateway.ledger_writer import LedgerWriter
from gateway.protocol.codec import encode
from gateway.protocol.errors import Unavailable
from gateway.protocol.lifecycle import State
from gateway.protocol.messages import DeviceState, Quality
from gateway.sites import Sites, StateSeen
from tests.databases import each_database
from tests.entries import NOON, answer, asked

pytestmark = each_database


@pytest.fixture
def ledger(engine: Engine) -> Ledger:
    """Its commands."""
    return Ledger(engine, now=lambda: NOON)


def _entries(engine: Engine) -> list[Entry]:
    return [link.entry for link in Audit(engine).links()]


def _refusal(number: int = 0) -> Entry:
    return Entry(
        at_us=microseconds(NOON) + number,
        kind=Kind.REFUSED,
        site="arava-1",
        device="feeder-1",
        name="write",
        principal="@facade",
        actor="dana",
        code="site-offline",
    )


@pytest.mark.invariant("I14")
def test_recorded_command_has_one_row_with_who_what_and_from_where(ledger: Ledger, engine: Engine) -> None:
    """In the transaction of its ledger row, which is committed before anything is published."""
    one = asked(actor="dana", source_address="192.0.2.7", input={"portion_g": 120})
    ledger.record([one])
    ledger.record([one])
    (row,) = _entries(engine)
    assert (row.kind, row.command, row.principal, row.actor, row.source_address) == (
        Kind.ASKED,
        one.id,
        one.requester,
        "dana",
        "192.0.2.7",
    )
    assert json.loads(row.input or "") == {"portion_g": 120}


@pytest.mark.invariant("I14")
def test_row_of_a_write_holds_what_the_settings_were_before(ledger: Ledger, engine: Engine) -> None:
    """As last reported, of those that are to be written; null is what nobody knew."""
    state = DeviceState(at=NOON, quality=Quality.GOOD, properties={"portion_g": 100, "water_c": 21.5})
    seen = StateSeen(
        site="arava-1", device="feeder-1", state=state, payload=encode(state), retained=False, epoch=1, at=NOON
    )
    Sites(engine).save_states([seen])
    ledger.record([asked(input={"portion_g": 120, "enabled": True}), asked(name="feed", input={"grams": 50})])
    write, feed = _entries(engine)
    assert json.loads(write.before or "") == {"portion_g": 100, "enabled": None}
    assert feed.before is None


@pytest.mark.invariant("I14")
def test_end_of_a_command_has_one_row(ledger: Ledger, engine: Engine) -> None:
    """However often it is said; what is still open, or unknown, has none."""
    one = asked()
    ledger.record([one])
    ledger.settle([answer(one, State.ACCEPTED)])
    ledger.settle([answer(one, State.UNKNOWN, code="no-answer")])
    for _ in range(3):
        ledger.settle([answer(one, result={"portion_g": 125})])
    kinds = [(row.kind, row.state) for row in _entries(engine)]
    assert kinds == [(Kind.ASKED, None), (Kind.ENDED, "applied")]
    assert json.loads(_entries(engine)[-1].result or "") == {"portion_g": 125}


@pytest.mark.invariant("I14")
def test_command_of_which_only_the_ack_was_seen_has_both_rows(ledger: Ledger, engine: Engine) -> None:
    """A technician's, that no gateway heard."""
    ledger.settle([answer(asked(requester="@ana"))])
    assert [(row.kind, row.principal) for row in _entries(engine)] == [(Kind.ASKED, "@ana"), (Kind.ENDED, "@ana")]


@pytest.mark.invariant("I14")
def test_second_use_of_a_key_makes_no_second_row(ledger: Ledger, engine: Engine) -> None:
    """It leads to the first command, and asks for nothing new."""
    ledger.record([asked(actor="dana", key="k", fingerprint="f")])
    ledger.record([asked(actor="dana", key="k", fingerprint="f")])
    assert len(_entries(engine)) == 1


@pytest.mark.invariant("I14")
def test_writers_at_once_make_one_chain(engine: Engine) -> None:
    """Four processes' worth, commands and ends and refusals mixed: nothing is lost, and nobody waits crosswise."""
    writers = [LedgerWriter(Ledger(engine)) for _ in range(4)]
    for each in writers:
        each.start()

    def work(writer: LedgerWriter) -> None:
        for number in range(25):
            one = asked()
            writer.record(one).result(10)
            writer.audited(_refusal(number)).result(10)
            writer.settle(answer(one)).result(10)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, writers))
    for each in writers:
        each.stop()
    verifier, broken = Audit(engine).verify()
    assert (broken, verifier.number) == (None, 300)


@pytest.mark.parametrize("statement", ["UPDATE audit SET actor = 'nobody'", "DELETE FROM audit"])
def test_rows_can_only_be_added(ledger: Ledger, engine: Engine, statement: str) -> None:
    """The database itself refuses the rest, whoever asks."""
    ledger.record([asked()])
    with pytest.raises(Unavailable, match="append-only"), writing(engine) as connection:
        connection.execute(text(statement))
    assert Audit(engine).verify()[1] is None


def _tamper(engine: Engine, *statements: str) -> None:
    """As somebody does who may do everything with the database."""
    triggers = ["audit_no_update", "audit_no_delete"]
    with writing(engine) as connection:
        if engine.dialect.name == "sqlite":
            for each in triggers:
                connection.execute(text(f"DROP TRIGGER {each}"))
        else:
            connection.execute(text("ALTER TABLE audit DISABLE TRIGGER ALL"))
        for statement in statements:
            connection.execute(text(statement))


@pytest.mark.parametrize(
    ("statement", "number", "reason"),
    [
        ("UPDATE audit SET actor = 'somebody' WHERE number = 3", 3, "changed"),
        ("UPDATE audit SET at = at + 1 WHERE number = 1", 1, "changed"),
        ("UPDATE audit SET code = NULL WHERE number = 5", 5, "changed"),
        ("DELETE FROM audit WHERE number = 2", 2, "missing"),
        ("DELETE FROM audit WHERE number = 1", 1, "missing"),
        ("DELETE FROM audit WHERE number = 5", 5, "missing"),
        ("DELETE FROM audit", 1, "missing"),
        ("UPDATE audit_head SET hash = 'x'", 5, "changed"),
    ],
)
def test_changed_or_missing_row_is_found(engine: Engine, statement: str, number: int, reason: str) -> None:
    """Wherever it is: the first, the last, one in the middle, or all of them."""
    writer = LedgerWriter(Ledger(engine))
    writer.start()
    for index in range(5):
        writer.audited(_refusal(index)).result(5)
    writer.stop()
    assert Audit(engine).verify()[1] is None
    _tamper(engine, statement)
    broken = Audit(engine).verify()[1]
    assert broken is not None
    assert (broken.number, broken.reason.partition(":")[0]) == (number, reason)


def _forge(engine: Engine) -> None:
    """A whole new chain in place of the old one, with another actor in its first row."""
    links, former = [], "0" * 64
    for number, link in enumerate(Audit(engine).links(), start=1):
        entry = replace(link.entry, actor="somebody") if number == 1 else link.entry
        former = chained(former, number, entry)
        links.append(Link(number, entry, former))
    _tamper(
        engine,
        *(
            f"UPDATE audit SET hash = '{each.hash}', actor = '{each.entry.actor}' WHERE number = {each.number}"  # noqa: S608 # ours
            for each in links
        ),
        f"UPDATE audit_head SET hash = '{former}'",  # noqa: S608 # same
    )


def _run(database_url: str, *words: str) -> Result:
    return CliRunner().invoke(command_line, words, env={"TIDEGATE_DATABASE_URL": database_url})


def test_verify_prints_a_hash_by_which_a_forged_chain_is_found(
    engine: Engine, ledger: Ledger, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A chain that somebody made anew is whole in itself; who noted its end earlier is not deceived."""
    monkeypatch.setattr("gateway.audit_command.DatabaseSettings.read", lambda: _Url(database_url))
    ledger.record([asked(actor="dana"), asked(actor="dana")])
    done = _run(database_url, "verify")
    assert done.exit_code == 0
    noted = done.output.split()[-1]
    _forge(engine)
    assert _run(database_url, "verify").exit_code == 0
    found = _run(database_url, "verify", "--hash", noted)
    assert (found.exit_code, "is not the one that was noted" in found.output) == (1, True)


class _Url:
    def __init__(self, url: str) -> None:
        self.database_url = url


def test_export_prints_every_row_with_its_hash(
    engine: Engine, ledger: Ledger, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As JSON lines, by which anybody can follow the chain."""
    monkeypatch.setattr("gateway.audit_command.DatabaseSettings.read", lambda: _Url(database_url))
    ledger.record([asked(), asked(site="golan-1")])
    rows = [json.loads(line) for line in _run(database_url, "export").output.splitlines()]
    assert [row["number"] for row in rows] == [1, 2]
    assert [row["hash"] for row in rows] == [link.hash for link in Audit(engine).links()]
    only = _run(database_url, "export", "--site", "golan-1").output.splitlines()
    assert [json.loads(line)["site"] for line in only] == ["golan-1"]
    with reading(engine) as connection:
        assert connection.execute(text("SELECT number FROM audit_head")).scalar_one() == 2
