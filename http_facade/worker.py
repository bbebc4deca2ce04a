"""The granian worker: composes the parts, starts them, and ends with its parent or at the first signal."""

from __future__ import annotations

import atexit
import gc
import multiprocessing
import os
import signal
import socket
import threading
from collections.abc import Callable

from flask import Flask

from gateway.logs import configure
from http_facade.app import create_app
from http_facade.services import Services
from http_facade.settings import FacadeSettings


def load() -> Flask:
    """Compose the parts from the environment, start them, and give granian the application."""
    _die_with_parent()
    settings = FacadeSettings.read()
    configure("facade", level=settings.log_level)
    services = Services.from_settings(settings)
    services.start()
    atexit.register(services.stop)
    _at_signal(services.let_go)
    app = create_app(settings, services)
    _calm_collector()
    return app


def _calm_collector() -> None:
    """Requests leave few cycles behind, and what was made so far stays: looking through it again is wasted."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


def _at_signal(call: Callable[[], None]) -> None:
    """Call once at the first signal, beside granian's own handlers, which wait until all requests have ended."""
    reader, writer = socket.socketpair()
    writer.setblocking(False)
    signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)

    def watch(_keep_open: socket.socket) -> None:
        reader.recv(1)
        call()
        while reader.recv(1):
            pass

    threading.Thread(target=watch, args=(writer,), name="signal-watch", daemon=True).start()


def _die_with_parent() -> None:
    """A worker whose parent was killed would hold the port, and answer, with nobody to stop it."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()
