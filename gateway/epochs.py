"""Which connection of each site counts: the highest epoch seen, and the newest beat of it (I11)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gateway.protocol.messages import Heartbeat, SiteState, Status
from gateway.sites_rows import SiteRecord

_NONE = -1


@dataclass(slots=True)
class _Site:
    highest: int = _NONE
    #: The last connection that is known to have ended; its beats prove nothing any more.
    ended: int = _NONE
    beat_epoch: int = _NONE
    beat_seq: int = _NONE


class Epochs:
    """In memory, one small entry per site that has credentials at the broker; for one thread."""

    def __init__(self) -> None:
        self._sites: dict[str, _Site] = {}

    def load(self, records: Iterable[SiteRecord]) -> None:
        """Go on from what the database knows, so that a restart lets no older epoch in."""
        for record in records:
            self._sites[record.site] = _Site(
                highest=record.epoch,
                ended=_NONE if record.state in {None, SiteState.ONLINE} else record.epoch,
                beat_epoch=_NONE if record.last_beat_epoch is None else record.last_beat_epoch,
                beat_seq=_NONE if record.last_beat_seq is None else record.last_beat_seq,
            )

    def highest(self, site: str) -> int:
        """The highest epoch seen of a site; 0 if none was."""
        known = self._sites.get(site)
        return 0 if known is None else max(0, known.highest)

    def take_beat(self, site: str, beat: Heartbeat) -> bool:
        """Whether ``beat`` is of the highest epoch, of a connection that has not ended, and new."""
        known = self._sites.setdefault(site, _Site())
        epoch = beat.epoch
        if epoch < known.highest or epoch <= known.ended:
            return False
        if epoch == known.beat_epoch and beat.seq <= known.beat_seq:
            return False
        known.highest = known.beat_epoch = epoch
        known.beat_seq = beat.seq
        return True

    def take_status(self, site: str, status: Status, *, retained: bool) -> bool:
        """Whether ``status`` is of the highest epoch; what it says of the connection's end is remembered."""
        known = self._sites.setdefault(site, _Site())
        if status.epoch < known.highest:
            return False
        known.highest = status.epoch
        if status.state is not SiteState.ONLINE:
            known.ended = status.epoch
        elif not retained:
            # The agent itself contradicts a will: nothing else may publish there.
            known.ended = min(known.ended, status.epoch - 1)
        return True
