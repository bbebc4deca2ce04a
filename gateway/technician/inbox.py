"""A broker link whose messages are taken one by one, by whoever waits for them."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Final, Self

from gateway.broker import BrokerLink, Incoming, Login
from gateway.protocol.errors import Unavailable

CONNECT_TIMEOUT_S: Final = 6.0
#: Messages that wait to be shown; beyond that the oldest go, since only the present matters on a screen.
MAX_WAITING: Final = 10_000


class Inbox:
    """``with Inbox(login, filters) as inbox`` is connected; :meth:`next` gives what came."""

    def __init__(self, login: Login, filters: Sequence[str]) -> None:
        self._login = login
        self._waiting: queue.Queue[Incoming] = queue.Queue(MAX_WAITING)
        self._connected = threading.Event()
        self.dropped = 0
        self.link = BrokerLink(
            login, subscriptions=filters, on_message=self._take, on_connect=self._connected.set, client_id=None
        )

    def __enter__(self) -> Self:
        """Connect.

        Raises:
            Unavailable: the broker cannot be reached, or refuses the login.
        """
        self.link.start()
        if not self._connected.wait(CONNECT_TIMEOUT_S):
            self.link.stop()
            where = f"{self._login.host}:{self._login.port}"
            raise Unavailable(
                "broker", f"no connection to {where} as {self._login.username}; check host, port and password"
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.link.stop()

    def next(self, timeout_s: float | None = None) -> Incoming | None:
        """The next message, or None when nothing came for ``timeout_s`` seconds."""
        try:
            return self._waiting.get(timeout=timeout_s)
        except queue.Empty:
            return None

    def until(self, deadline_s: float) -> Incoming | None:
        """The next message, or None once the monotonic clock shows ``deadline_s``."""
        left_s = deadline_s - time.monotonic()
        return self.next(left_s) if left_s > 0 else None

    def _take(self, incoming: Incoming) -> None:
        while True:
            try:
                self._waiting.put_nowait(incoming)
            except queue.Full:
                self.dropped += 1
                try:
                    self._waiting.get_nowait()
                except queue.Empty:
                    continue
            else:
                return
