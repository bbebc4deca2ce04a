"""The agent's journal on a real disk."""

import sqlite3
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.protocol.codec import encode
from gateway.protocol.errors import Unavailable
from gateway.protocol.lifecycle import State
from gateway.protocol.messages import Ack
from site_agent.clock import Stamp
from site_agent.journal import KEEP_S, RECENT_S, Attempt, Entry, Journal
from tests.agents import fresh_id

NOW_S = 1_800_000_000


def _ack(command: str, state: State = State.ACCEPTED, portion_g: int = 120) -> Ack:
    return Ack(
        id=command,
        device="feeder-1",
        name="write",
        input={"portion_g": portion_g},
        state=state,
        code=state.value,
        epoch=1,
        at=datetime(2026, 11, 22, tzinfo=UTC),
    )


def _entry(command: str, outcome: Ack | None = None) -> Entry:
    return Entry(requester="@ana", intent=_ack(command), outcome=outcome)


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    """A journal on a fresh file."""
    opened = Journal(tmp_path / "journal.db")
    await opened.open()
    yield opened
    await opened.close()


async def _reopened(path: Path) -> tuple[Entry, ...]:
    again = Journal(path)
    try:
        return await again.open()
    finally:
        await again.close()


@pytest.mark.invariant("I1")
async def test_begin_intent_is_on_disk_on_return(journal: Journal, tmp_path: Path) -> None:
    """Another process finds the intent while the journal is open: it survives a SIGKILL."""
    command = fresh_id()
    await journal.begin(_entry(command), NOW_S)
    assert [entry.id for entry in await _reopened(tmp_path / "journal.db")] == [command]


@pytest.mark.invariant("I1")
async def test_begin_known_id_returns_what_is_there(journal: Journal) -> None:
    """A repeat is answered with the first one's end, whatever the repeat says."""
    command = fresh_id()
    end = _ack(command, State.APPLIED)
    await journal.begin(_entry(command), NOW_S)
    await journal.conclude(end, NOW_S)
    known = await journal.begin(Entry(requester="@ben", intent=_ack(command, portion_g=5)), NOW_S)
    assert known is not None
    assert (known.requester, known.outcome) == ("@ana", end)


@pytest.mark.invariant("I6")
async def test_conclude_final_end_is_never_overwritten(journal: Journal, tmp_path: Path) -> None:
    """The first final word stands."""
    command = fresh_id()
    await journal.begin(_entry(command), NOW_S)
    await journal.conclude(_ack(command, State.APPLIED), NOW_S)
    await journal.conclude(_ack(command, State.FAILED), NOW_S)
    (left,) = await _reopened(tmp_path / "journal.db")
    assert left.outcome is not None
    assert left.outcome.state is State.APPLIED


async def test_conclude_unknown_may_become_final(journal: Journal, tmp_path: Path) -> None:
    """Evidence that comes later is kept."""
    command = fresh_id()
    await journal.begin(_entry(command), NOW_S)
    await journal.conclude(_ack(command, State.UNKNOWN), NOW_S)
    await journal.conclude(_ack(command, State.APPLIED), NOW_S)
    (left,) = await _reopened(tmp_path / "journal.db")
    assert left.outcome is not None
    assert left.outcome.state is State.APPLIED


@pytest.mark.invariant("I7")
async def test_settle_final_end_is_not_repeated_after_a_restart(journal: Journal, tmp_path: Path) -> None:
    """What the centre has is not sent again; what it has not, is."""
    settled, other = fresh_id(), fresh_id()
    for command in (settled, other):
        await journal.begin(_entry(command, _ack(command, State.REJECTED)), NOW_S)
    journal.settle([settled])
    await journal.forget(NOW_S)
    assert [entry.id for entry in await _reopened(tmp_path / "journal.db")] == [other]


@pytest.mark.invariant("I1")
async def test_settle_id_is_remembered_for_a_week(journal: Journal) -> None:
    """A repeat of a settled command is still known, until no repeat can be in time."""
    command = fresh_id()
    await journal.begin(_entry(command, _ack(command, State.APPLIED)), NOW_S)
    journal.settle([command])
    await journal.forget(NOW_S + KEEP_S - 1)
    assert await journal.begin(_entry(command), NOW_S) is not None
    await journal.forget(NOW_S + KEEP_S + 1)
    assert await journal.begin(_entry(command), NOW_S) is None


async def test_open_unusable_file_is_unavailable(tmp_path: Path) -> None:
    """Without its memory an agent must not act, and says so at once."""
    path = tmp_path / "journal.db"
    path.write_bytes(b"this is no database, but long enough to be taken for a broken one" * 20)
    with pytest.raises(Unavailable, match=r"journal\.db"):
        await Journal(path).open()


async def test_begin_locked_file_is_unavailable(journal: Journal, tmp_path: Path) -> None:
    """A journal that cannot be written refuses, and works again afterwards."""
    other = sqlite3.connect(tmp_path / "journal.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Unavailable, match="locked"):
        await journal.begin(_entry(fresh_id()), NOW_S)
    other.execute("ROLLBACK")
    other.close()
    assert await journal.begin(_entry(fresh_id()), NOW_S) is None


def _attempt(unix_s: float = NOW_S) -> Attempt:
    return Attempt(
        cmd_seq=8,
        last_seq=7,
        fence=3,
        op=1,
        arg_1=120,
        arg_2=None,
        counter_before=4_000,
        amount=120.0,
        stamp=Stamp(boot="a", elapsed_s=5.5, unix_s=unix_s),
    )


@pytest.mark.invariant("I1")
async def test_attempt_is_on_disk_on_return(journal: Journal, tmp_path: Path) -> None:
    """What the PLC was about to be asked survives a SIGKILL, word for word."""
    command = fresh_id()
    await journal.begin(_entry(command), NOW_S)
    await journal.attempt(command, _attempt())
    assert [entry.attempt for entry in await _reopened(tmp_path / "journal.db")] == [_attempt()]


async def test_recent_attempts_are_found_though_ended_and_committed(journal: Journal) -> None:
    """Limits of a day count what the centre has long known; a day later they do not."""
    command = fresh_id()
    await journal.begin(_entry(command), NOW_S)
    await journal.attempt(command, _attempt())
    await journal.conclude(_ack(command, State.APPLIED), NOW_S)
    journal.settle([command])
    assert [entry.id for entry in await journal.recent_attempts(NOW_S + 86_400)] == [command]
    assert await journal.recent_attempts(NOW_S + RECENT_S + 1) == ()


async def test_covers_epochs_of_its_runs_and_no_other(journal: Journal, tmp_path: Path) -> None:
    """A file that was rolled back does not claim to know what came between two runs."""
    for epoch in (4, 6):
        await journal.serve_epoch(epoch)
    again = Journal(tmp_path / "journal.db")
    await again.open()
    await again.serve_epoch(9)
    await again.close()
    assert [epoch for epoch in range(12) if await journal.covers(epoch, None)] == [4, 5, 6, 9]
    assert not await journal.covers(None, None)


async def test_covers_nothing_of_the_time_when_another_agent_was_at_work(journal: Journal) -> None:
    """What the other one did is not in here."""
    await journal.serve_epoch(4)
    await journal.disown_epochs()
    await journal.serve_epoch(7)
    assert [epoch for epoch in range(12) if await journal.covers(epoch, None)] == [7]


async def test_covers_after_forgetting_only_what_is_surely_younger(journal: Journal) -> None:
    """What may have been forgotten is not called never seen."""
    command = fresh_id()
    await journal.serve_epoch(1)
    await journal.begin(_entry(command), NOW_S)
    await journal.conclude(_ack(command, State.APPLIED), NOW_S)
    journal.settle([command])
    assert await journal.find(command) is not None
    await journal.forget(NOW_S + KEEP_S + 1)
    await journal.forget(NOW_S + KEEP_S + 1)
    assert await journal.find(command) is None
    assert not await journal.covers(1, None)
    assert not await journal.covers(1, datetime.fromtimestamp(NOW_S + 86_400, UTC))
    assert await journal.covers(1, datetime.fromtimestamp(NOW_S + 86_401, UTC))


async def test_open_file_of_the_earlier_version_is_brought_up_to_date(tmp_path: Path) -> None:
    """A new version of the agent keeps its memory."""
    path = tmp_path / "old.db"
    with sqlite3.connect(path) as db:
        db.execute(
            "CREATE TABLE commands (id TEXT PRIMARY KEY, requester TEXT NOT NULL, device TEXT NOT NULL,"
            " intent BLOB NOT NULL, outcome BLOB, final INTEGER NOT NULL DEFAULT 0,"
            " committed INTEGER NOT NULL DEFAULT 0, touched_s INTEGER NOT NULL) WITHOUT ROWID"
        )
        command = fresh_id()
        row = (command, "@ana", "feeder-1", encode(_ack(command)), NOW_S)
        db.execute("INSERT INTO commands (id, requester, device, intent, touched_s) VALUES (?, ?, ?, ?, ?)", row)
    db.close()
    assert [(entry.id, entry.attempt) for entry in await _reopened(path)] == [(command, None)]
