"""``tidegate gateway`` as a process of its own."""

from __future__ import annotations

import sys
from pathlib import Path

from gateway.crash import VARIABLE
from gateway.demo.process import Child
from tests.running_broker import RunningBroker
from tests.running_facade import facade_settings


def gateway_process(
    home: Path, broker: RunningBroker, redis_url: str, database_url: str, *, name: str = "@gateway", crash_at: str = ""
) -> Child:
    """The command as an operator runs it; not started yet. ``crash_at``: see :mod:`gateway.crash`."""
    settings = facade_settings(home, broker.login(name), redis_url, database_url)
    environment = {
        "TIDEGATE_HOME": str(home),
        "TIDEGATE_BROKER_HOST": settings.broker_host,
        "TIDEGATE_BROKER_USERNAME": name,
        "TIDEGATE_BROKER_PORT": str(settings.broker_port),
        "TIDEGATE_BROKER_PASSWORD_FILE": str(settings.broker_password_file),
        "TIDEGATE_REDIS_URL": settings.redis_url,
        "TIDEGATE_DATABASE_URL": database_url,
        VARIABLE: crash_at,
    }
    if settings.redis_password_file is not None:
        environment["TIDEGATE_REDIS_PASSWORD_FILE"] = str(settings.redis_password_file)
    argv = [sys.executable, "-m", "gateway", "gateway"]
    return Child(name, argv, log=home / "gateway.log", environment=environment)
