"""An agent, as it is, whose PLC would read one value after the other: ``python -m ... SITE_FILE COUNT``.

The samples of one property are numbered from 1 as they reach its outbox's disk, whatever kills it in between: a new run
goes on behind the last number that is there. So it is known what the centre must hold in the end.
"""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from gateway import logs
from gateway.protocol.messages import Quality
from site_agent.agent import Agent
from site_agent.sampling import Point
from site_agent.sealing.custody import Custody

DEVICE: Final = "feeder-1"
NAME: Final = "counted"
START: Final = datetime(2026, 11, 1, tzinfo=UTC)
#: Between two samples, by their times.
STEP: Final = timedelta(seconds=1)
_AT_ONCE: Final = 2_500
_TICK_S: Final = 0.05


def point(number: int) -> Point:
    """The sample of that number."""
    return Point(DEVICE, NAME, START + number * STEP, float(number), Quality.GOOD, 60.0)


def last_number(outbox: Path) -> int:
    """Of the last sample that ever was on disk; SQLite never counts a row that was rolled back."""
    if not outbox.exists():
        return 0
    db = sqlite3.connect(outbox)
    try:
        found = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'samples'").fetchone()
    except sqlite3.OperationalError:
        return 0  # it was killed before it had made its tables
    finally:
        db.close()
    return 0 if found is None else int(found[0])


async def _feed(agent: Agent, done: int, count: int) -> None:
    while done < count:
        upto = min(count, done + _AT_ONCE)
        agent._outbox.keep([point(number) for number in range(done + 1, upto + 1)])
        done = upto
        await asyncio.sleep(_TICK_S)


async def _run(path: Path, count: int) -> None:
    custody = Custody(path)
    began = custody.begin()
    configuration = began.configuration
    assert configuration.broker.password_file is not None
    password = configuration.broker.password_file.read_text().strip()
    done = last_number(configuration.agent.folder / "outbox.db")
    agent, stop = Agent(custody, began, SecretStr(password)), asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    running = asyncio.create_task(agent.run(stop))
    while agent._outbox._disk._loop is None:  # noqa: ASYNC110 # until its file is open
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)
    await _feed(agent, done, count)
    await running


if __name__ == "__main__":
    logs.configure("agent", level="INFO")
    Path(sys.argv[1]).parent.joinpath("agent").mkdir(exist_ok=True)
    asyncio.run(_run(Path(sys.argv[1]), int(sys.argv[2])))
