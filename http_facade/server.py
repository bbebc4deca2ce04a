"""One granian worker, started by spawn, that serves the application and dies with its parent.

Never by fork: a broker link made before a fork is dead in the child. Never in this process: granian's threaded server
needs an interpreter without a global lock. See docs/adr/0003.
"""

from __future__ import annotations

import logging
import multiprocessing
import threading
from typing import Any, Final

from granian import Granian
from granian.constants import Interfaces, SSLProtocols

from http_facade.settings import FacadeSettings

#: Connections that wait for a thread; more are refused by the operating system.
BACKLOG: Final = 8_192
#: After SIGTERM the worker has this long; its waiting requests are answered at once.
STOP_S: Final = 2
_LOGGING: Final[dict[str, Any]] = {
    "loggers": {"_granian": {"level": "INFO", "propagate": True}, "granian.access": {"propagate": False}},
    "handlers": {},
    "formatters": {},
}


class _Server(Granian):  # type: ignore[misc,valid-type]  # which class it is depends on the interpreter
    """Granian's own handler sets an event: a second signal in the middle of that would wait for the first for ever."""

    def signal_handler_interrupt(self, *_: object) -> None:
        """SIGINT or SIGTERM; the first counts. A thread sets the event, since this one may hold its lock."""
        if not self.interrupt_signal:
            self.interrupt_signal: bool = True
            threading.Thread(target=self.main_loop_interrupt.set, name="stop").start()


def _is_news(record: logging.LogRecord) -> bool:
    """A thread for each request and each stream is what we mean; the server warns of it at every start."""
    return "Python threads" not in record.getMessage()


def serve(settings: FacadeSettings) -> None:
    """Serve until SIGINT or SIGTERM; raises SystemExit with a status if the worker died by itself."""
    settings.http_token()
    logging.getLogger("_granian").addFilter(_is_news)
    multiprocessing.set_start_method("spawn", force=True)
    _Server(
        "http_facade.worker:load",
        factory=True,
        address=settings.http_host,
        port=settings.http_port,
        interface=Interfaces.WSGI,
        workers=1,
        ssl_cert=settings.http_certificate,
        ssl_key=settings.http_key,
        ssl_protocol_min=SSLProtocols.tls12,
        blocking_threads=settings.http_threads + settings.http_streams,
        backlog=BACKLOG,
        backpressure=BACKLOG,
        workers_kill_timeout=STOP_S,
        log_dictconfig=_LOGGING,
    ).serve()
