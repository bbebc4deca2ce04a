"""Watches a site's file and its profiles: a changed file is checked whole, then taken over, or told why not."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import structlog

from gateway.protocol.errors import SettingsError
from site_agent.change import restart_faults
from site_agent.configuration import SiteConfiguration
from site_agent.sealing.custody import Custody, Taken

#: Between two looks at the files.
LOOK_S: Final = 1.0

log = structlog.get_logger(__name__)


class FileWatch:
    """``take_over`` gets a file that is right and has changed; ``on_trouble`` why one is not, or that all is well.

    ``began`` is what the agent started with.
    """

    def __init__(
        self,
        custody: Custody,
        began: Taken,
        *,
        take_over: Callable[[SiteConfiguration], Awaitable[None]],
        on_trouble: Callable[[str], None],
    ) -> None:
        self._custody = custody
        self._current = began.configuration
        self._take_over = take_over
        self._on_trouble = on_trouble
        self._trouble = began.trouble

    async def run(self) -> None:
        """Watch until cancelled; files are read beside the event loop, so that no beat waits for a disk."""
        # Nothing is taken yet: it may have changed since it was read.
        taken = b""
        while True:
            await asyncio.sleep(LOOK_S)
            seen = await self._fingerprint()
            # Two looks alike, so that a file that is being written is not read in its middle.
            if seen != taken and seen == await self._fingerprint_later():
                taken = seen
                await self._reload()

    async def _fingerprint_later(self) -> bytes:
        await asyncio.sleep(LOOK_S / 2)
        return await self._fingerprint()

    async def _fingerprint(self) -> bytes:
        profiles = self._custody.path.resolve().parent / self._current.profiles
        return await asyncio.to_thread(_fingerprint, (self._custody.path, *self._custody.watched), profiles)

    async def _reload(self) -> None:
        try:
            fresh = await asyncio.to_thread(self._checked)
        except SettingsError as error:
            log.error("site-file-refused", faults=[str(fault) for fault in error.faults])
            faults = "; ".join(map(str, error.faults))  # one line: it is read in a table of statuses
            self._tell(f"the changed site file is refused, the former one stays: {faults}")
            return
        except OSError as error:  # a folder that cannot be read, a share that has gone
            log.error("site-file-unreadable", cause=str(error))
            self._tell(f"the site file cannot be read, the former one stays: {error}")
            return
        if fresh != self._current:
            await self._take_over(fresh)
            self._current = fresh
        self._tell("")

    def _checked(self) -> SiteConfiguration:
        taken = self._custody.check()
        faults = restart_faults(self._current, taken.configuration)
        if faults:
            raise SettingsError(str(self._custody.path), faults)
        self._custody.keep(taken)
        return taken.configuration

    def _tell(self, trouble: str) -> None:
        if trouble != self._trouble:
            self._trouble = trouble
            self._on_trouble(trouble)


def _fingerprint(files: tuple[Path, ...], profiles: Path) -> bytes:
    """Of everything that a site's file is made of."""
    digest = hashlib.sha256()
    try:
        found = sorted(profiles.glob("*.toml")) if profiles.is_dir() else []
    except OSError as error:
        found = []
        digest.update(str(error).encode())
    for each in (*files, *found):
        digest.update(str(each).encode())
        try:
            digest.update(each.read_bytes())
        except OSError as error:
            digest.update(str(error).encode())
    return digest.digest()
