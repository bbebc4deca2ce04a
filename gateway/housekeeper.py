"""Work that nobody waits for, in a thread of its own: roll-ups, and what is old enough to go."""

from __future__ import annotations

import threading
from typing import Final

import structlog

from gateway.changes import Changes
from gateway.protocol.errors import Unavailable
from gateway.retention import Retention
from gateway.roll_ups import AT_ONCE, RollUps

log = structlog.get_logger(__name__)

#: Between two rounds with nothing to do; and between two steps of a round, so that writers come in between.
ROUND_S: Final = 5.0
BREATH_S: Final = 0.05
#: While the database is away.
RETRY_S: Final = 5.0


class Housekeeper:
    """From :meth:`start` to :meth:`stop`."""

    def __init__(self, *, roll_ups: RollUps, retention: Retention, changes: Changes) -> None:
        self._roll_ups = roll_ups
        self._retention = retention
        self._changes = changes
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, name="housekeeper", daemon=True)
        self._down = False

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, once the step under way is done; at most 3 s."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(3)

    def _work(self) -> None:
        pause_s = ROUND_S
        while not self._stopping.wait(pause_s):
            try:
                pause_s = BREATH_S if self._step() else ROUND_S
                self._down = False
            except Unavailable as error:
                if not self._down:
                    log.warning("housekeeping-waits", part=error.part, detail=error.detail)
                self._down, pause_s = True, RETRY_S
            except Exception:  # whatever it is, it is about one step
                log.exception("housekeeping-failed")
                pause_s = RETRY_S

    def _step(self) -> bool:
        """Whether there is more to do now."""
        rolled = self._roll_ups.step()
        gone = self._retention.step() + self._changes.forget()
        if gone:
            log.debug("old-rows-removed", count=gone)
        return rolled == AT_ONCE or gone > 0
