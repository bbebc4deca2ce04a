"""The search for evidence about commands of unknown fate: look, wait, look again, until there is some (I3, I7)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

import structlog

from site_agent.lane import LaneFull

log = structlog.get_logger(__name__)

#: Pause between two looks at a PLC that does not answer.
EVERY_S: Final = 2.0


class Search:
    """The searches under way, at most one for each command."""

    def __init__(self) -> None:
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def seek(self, id: str, look: Callable[[], Awaitable[bool]]) -> None:
        """Call ``look`` until it says that there is nothing more to find out about the command ``id``."""
        if id in self._tasks:
            return
        task = asyncio.create_task(_repeat(look), name=f"search {id}")
        self._tasks[id] = task
        task.add_done_callback(lambda _: self._tasks.pop(id, None))

    async def drop(self, ids: Iterable[str]) -> None:
        """End the searches about these commands."""
        await _end([self._tasks[id] for id in ids if id in self._tasks])

    async def stop(self) -> None:
        """End all searches."""
        await _end(list(self._tasks.values()))


async def _end(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _repeat(look: Callable[[], Awaitable[bool]]) -> None:
    while True:
        try:
            if await look():
                return
        except LaneFull:
            pass
        except Exception:  # a search that ended would leave its command open until the next start
            log.exception("search-broke")
        await asyncio.sleep(EVERY_S)
