"""The journal: which commands this agent has seen and what became of them, on disk before anything happens.

The intent is durable before the PLC is touched, the result before the ack leaves (I1, I3); a repeated command is
answered from here.
"""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path

from gateway.protocol.messages import Ack
from site_agent import journal_rows as rows
from site_agent.clock import Stamp, stamp
from site_agent.disk import QUEUE_LIMIT, DiskFile
from site_agent.journal_rows import Attempt, Entry

__all__ = ["KEEP_S", "Attempt", "Entry", "Journal"]

#: Ids are remembered this long after their end: no repeat of a command can be older than its ttl by then.
KEEP_S = 7 * 86_400
#: How far back the limits of a day may look, with room for a clock that was set.
RECENT_S = 26 * 3_600


class Journal:
    """The agent's memory of commands; ``open`` before use, ``close`` at the end."""

    def __init__(self, path: Path) -> None:
        self._disk = DiskFile("journal", path, rows.connect, self._notes)
        # Notes ride along with the next commit, since they are not worth a disk flush of their own.
        self._settled: deque[str] = deque(maxlen=QUEUE_LIMIT)
        #: Whether an epoch of this run is noted already.
        self._serving = False

    async def open(self) -> tuple[Entry, ...]:
        """Start, and return the commands that are not yet known to be committed at the centre, oldest first.

        Raises:
            Unavailable: the file cannot be opened; the agent must not act without it.
        """
        await self._disk.open()
        return await self.left()

    async def close(self) -> None:
        """Commit what waits and close the file."""
        await self._disk.close()

    async def begin(self, entry: Entry, unix_s: int) -> Entry | None:
        """Make the command durable unless its id is there already; then return what is there.

        Raises:
            Unavailable: the journal cannot be written; nothing may be done for this command.
        """
        return await self._disk.do(lambda db: rows.begin(db, entry, unix_s))

    async def attempt(self, command_id: str, attempt: Attempt) -> None:
        """Make durable that the PLC is about to be asked for this action.

        Raises:
            Unavailable: the journal cannot be written; the PLC must not be asked.
        """
        await self._disk.do(lambda db: rows.attempt(db, command_id, attempt))

    async def note(self, intent: Ack) -> None:
        """Make durable what is known of a command directly before its write.

        Raises:
            Unavailable: the journal cannot be written; nothing may be written to the PLC.
        """
        await self._disk.do(lambda db: rows.note(db, intent))

    async def find(self, command_id: str) -> Entry | None:
        """What is known of a command; None if nothing is.

        Raises:
            Unavailable: the journal cannot be read.
        """
        return await self._disk.do(lambda db: rows.find(db, command_id))

    async def left(self) -> tuple[Entry, ...]:
        """The commands that are not yet known to be committed at the centre, oldest first.

        Raises:
            Unavailable: the journal cannot be read.
        """
        return await self._disk.do(rows.load)

    async def recent_attempts(self, unix_s: int) -> tuple[Entry, ...]:
        """Every command with an attempt within :data:`RECENT_S`, committed or not.

        By the time of day, ``unix_s`` now, or by the machine's uptime, which nobody can set: either is enough.

        Raises:
            Unavailable: the journal cannot be read.
        """
        since = replace(_recently(), unix_s=unix_s - RECENT_S)
        return await self._disk.do(lambda db: rows.recent_attempts(db, since))

    async def results(self, device: str) -> tuple[Ack, ...]:
        """The latest ends of writes to a device that were read back.

        Raises:
            Unavailable: the journal cannot be read.
        """
        return await self._disk.do(lambda db: rows.results(db, device))

    async def serve_epoch(self, epoch: int) -> None:
        """Make durable that this journal is in use in ``epoch``.

        Raises:
            Unavailable: the journal cannot be written; the epoch must not begin.
        """
        same_run = self._serving
        await self._disk.do(lambda db: rows.serve_epoch(db, epoch, same_run=same_run))
        self._serving = True

    async def disown_epochs(self) -> None:
        """Another agent was at work under our name: be sure of nothing that is not here, up to now.

        Raises:
            Unavailable: the journal cannot be written.
        """
        self._serving = False
        await self._disk.do(rows.disown_epochs)

    async def covers(self, epoch: int | None, issued_at: datetime | None) -> bool:
        """Whether a command of that epoch and time would be here if the agent had ever seen it.

        Not so for epochs in which another file was in use (a new disk, a restored image), and not for what may have
        been forgotten.

        Raises:
            Unavailable: the journal cannot be read.
        """
        issued_s = None if issued_at is None else issued_at.timestamp()
        return await self._disk.do(lambda db: rows.covers(db, epoch, issued_s))

    async def conclude(self, outcome: Ack, unix_s: int) -> None:
        """Make the command's end durable; a final one is never overwritten (I6).

        Raises:
            Unavailable: the journal cannot be written; try again, and do not ack before.
        """
        await self._disk.do(lambda db: rows.conclude(db, outcome, unix_s))

    def settle(self, ids: Iterable[str]) -> None:
        """Note, with some later commit, that the centre has these; losing the note costs one more ack."""
        self._settled.extend(ids)

    async def forget(self, unix_s: int) -> None:
        """Drop what ended and was committed more than :data:`KEEP_S` ago.

        Raises:
            Unavailable: the journal cannot be written.
        """
        await self._disk.do(lambda db: rows.forget(db, unix_s - KEEP_S, _recently()))

    def _notes(self) -> Callable[[sqlite3.Connection], None] | None:
        ids = [self._settled.popleft() for _ in range(len(self._settled))]
        return partial(rows.settle, ids=ids) if ids else None


def _recently() -> Stamp:
    now = stamp()
    return replace(now, elapsed_s=now.elapsed_s - RECENT_S, unix_s=now.unix_s - RECENT_S)
