"""What the database says about sites and devices, remembered for a second so that a write need not ask again."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, Generic, Protocol, TypeVar

from gateway.protocol.description import Description
from gateway.protocol.ids import is_id
from gateway.sites import SiteRecord
from http_facade.refusals import NotFound

REMEMBERED_S: Final = 1.0
MAX_REMEMBERED: Final = 4_096

K = TypeVar("K")
V = TypeVar("V")


class Reports(Protocol):
    """Sites and devices as last reported; each call raises Unavailable if the database does not answer."""

    def get(self, site: str) -> SiteRecord | None:
        """The site."""

    def description(self, site: str, device: str) -> Description | None:
        """What the device has and can do."""


class Recent(Generic[K, V]):
    """The last answers of ``ask``, each for a second; bounded, the oldest goes first. None is not remembered."""

    def __init__(self, ask: Callable[[K], V | None], clock: Callable[[], float]) -> None:
        self._ask = ask
        self._clock = clock
        self._known: dict[K, tuple[float, V]] = {}

    def get(self, key: K) -> V | None:
        """The answer for ``key``, a second old at most."""
        found = self._known.get(key)
        now_s = self._clock()
        if found is not None and now_s < found[0]:
            return found[1]
        answer = self._ask(key)
        self._known.pop(key, None)
        if answer is not None:
            while len(self._known) >= MAX_REMEMBERED:
                self._known.pop(next(iter(self._known.copy()), key), None)
            self._known[key] = (now_s + REMEMBERED_S, answer)
        return answer


class Catalogue:
    """Descriptions to check writes against, and when a site was last heard."""

    def __init__(
        self,
        reports: Reports,
        *,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._reports = reports
        self._now = now
        self._descriptions: Recent[tuple[str, str], Description] = Recent(lambda key: reports.description(*key), clock)
        self._sites: Recent[str, SiteRecord] = Recent(reports.get, clock)

    def site(self, site: str) -> SiteRecord:
        """The site as last reported.

        Raises:
            NotFound: nobody ever reported under this name.
        """
        found = self._sites.get(site) if is_id(site) else None
        if found is None:
            raise NotFound("site", site)
        return found

    def description(self, site: str, device: str) -> Description:
        """What the device has and can do.

        Raises:
            NotFound: the site, or the device, is not known.
        """
        found = self._descriptions.get((site, device)) if is_id(site) and is_id(device) else None
        if found is None:
            self.site(site)
            raise NotFound("device", device)
        return found

    def silent_s(self, site: str) -> float | None:
        """Seconds since the site's last heartbeat; None if there never was one."""
        record = self._sites.get(site)
        if record is None or record.last_beat_at is None:
            return None
        return max(0.0, (self._now() - record.last_beat_at).total_seconds())
