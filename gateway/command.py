"""``tidegate gateway``: the composition root of the recorder."""

from __future__ import annotations

import signal
import time
from math import inf
from types import FrameType
from typing import Final

import click
import structlog
from sqlalchemy import Engine

from gateway import logs
from gateway.changes import Changes
from gateway.database import open_engine, upgrade
from gateway.events import Events
from gateway.housekeeper import Housekeeper
from gateway.ledger import Ledger, utc_now
from gateway.liveness import Liveness, open_redis
from gateway.protocol.errors import Unavailable
from gateway.recorder import Recorder
from gateway.retention import Retention
from gateway.roll_ups import RollUps
from gateway.settings import ServerSettings
from gateway.sites import Sites

log = structlog.get_logger(__name__)

#: How often we look whether somebody has asked us to stop.
LOOK_S: Final = 0.2
RETRY_S: Final = 1.0


@click.command()
def gateway() -> None:
    """Turn heartbeats into open gates, and acks into the ledger.

    Settings come from the environment: TIDEGATE_HOME, TIDEGATE_BROKER_HOST, TIDEGATE_BROKER_PORT,
    TIDEGATE_BROKER_PASSWORD_FILE, TIDEGATE_REDIS_URL, TIDEGATE_DATABASE_URL, TIDEGATE_HEARTBEAT_S,
    TIDEGATE_ALIVE_EXPIRY_S, TIDEGATE_LOG_LEVEL.
    """
    settings = ServerSettings.read()
    logs.configure("gateway", level=settings.log_level)
    stop = _Stop()
    engine = open_engine(settings.database_url)
    mirror = open_engine(settings.database_url, durable=False)
    redis = open_redis(settings.redis_url, settings.redis_password)
    recorder = Recorder(
        settings.login,
        ledger=Ledger(engine),
        sites=Sites(mirror),
        liveness=Liveness(redis, expiry_s=settings.alive_expiry_s),
        events=Events(engine),
    )
    housekeeper = Housekeeper(
        roll_ups=RollUps(engine, now=utc_now, samples_age=settings.ages.samples),
        retention=Retention(engine, settings.ages, now=utc_now),
        changes=Changes(engine),
    )
    if _started(recorder, engine, stop):
        housekeeper.start()
        log.info("gateway-started", broker=f"{settings.broker_host}:{settings.broker_port}")
        stop.wait()
        recorder.stop()
        housekeeper.stop()
    redis.close()
    mirror.dispose()
    engine.dispose()
    log.info("gateway-stopped")


class _Stop:
    """Set by SIGINT, SIGTERM and Windows' Ctrl-C.

    Not an Event: its lock may be held by the very thread that the signal interrupts.
    """

    def __init__(self) -> None:
        self.asked = False
        signal.signal(signal.SIGINT, self._ask)
        signal.signal(signal.SIGTERM, self._ask)

    def wait(self, seconds: float = inf) -> None:
        """Until somebody asks, or ``seconds`` have passed."""
        end_s = time.monotonic() + seconds
        while not self.asked and time.monotonic() < end_s:
            time.sleep(LOOK_S)

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        self.asked = True


def _started(recorder: Recorder, engine: Engine, stop: _Stop) -> bool:
    """Wait for the database: without it nobody knows which epochs are too old to be let in."""
    reported = False
    while not stop.asked:
        try:
            upgrade(engine)
            Changes(engine).skip()
            recorder.start()
        except Unavailable as error:
            if not reported:
                log.error("part-down", part=error.part, detail=error.detail)
            reported = True
            stop.wait(RETRY_S)
        else:
            return True
    return False
