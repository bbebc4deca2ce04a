"""One granian worker, started by spawn, that serves the application and dies with its parent.

Never by fork: a broker link made before a fork is dead in the child. Never in this process: granian's threaded server
needs an interpreter without a global lock. See docs/adr/0003.
"""

from __future__ import annotations

import atexit
import multiprocessing
import os
import threading
from typing import Any, Final

import structlog
from flask import Flask
from granian import Granian
from granian.constants import Interfaces

from gateway.logs import configure
from http_facade.app import create_app
from http_facade.services import Services
from http_facade.settings import FacadeSettings

log = structlog.get_logger(__name__)

#: Connections that wait for a thread; more are refused by the operating system.
BACKLOG: Final = 8_192
#: After SIGTERM the worker has this long; its waiting requests are answered at once.
STOP_S: Final = 2
_LOGGERS: Final[dict[str, Any]] = {
    "loggers": {"_granian": {"level": "INFO", "propagate": True}, "granian.access": {"propagate": False}},
    "handlers": {},
    "formatters": {},
}


def serve(settings: FacadeSettings) -> None:
    """Serve until SIGINT or SIGTERM; raises SystemExit with a status if the worker died by itself."""
    settings.http_token()
    multiprocessing.set_start_method("spawn", force=True)
    Granian(
        "http_facade.server:load",
        factory=True,
        address=settings.http_host,
        port=settings.http_port,
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=settings.http_threads,
        backlog=BACKLOG,
        backpressure=BACKLOG,
        workers_kill_timeout=STOP_S,
        log_dictconfig=_LOGGERS,
    ).serve()


def load() -> Flask:
    """In the worker: compose the parts from the environment, start them, and give granian the application."""
    _die_with_parent()
    settings = FacadeSettings.read()
    configure("facade", level=settings.log_level)
    services = Services.from_settings(settings)
    services.start()
    atexit.register(services.stop)
    return create_app(settings, services)


def _die_with_parent() -> None:
    """A worker whose parent was killed would hold the port, and answer, with nobody to stop it."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()
