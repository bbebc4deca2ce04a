"""Keeps the site's certificate young: looks now and then, and asks the centre for the next one in good time."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Final

import structlog

from gateway.protocol.errors import TidegateError
from site_agent.enrolment import renew
from site_agent.identity import Identity

EVERY_S: Final = 3_600.0
#: From here on nobody may overlook it.
LATE_DAYS: Final = 14.0

log = structlog.get_logger(__name__)


async def keep_renewed(identity: Identity, *, every_s: float = EVERY_S) -> None:
    """Renew the certificate whenever little of its time is left; runs until it is cancelled.

    The connection that stands stays: the next one uses the new certificate. What fails is tried again at the next look.
    """
    while True:
        try:
            if identity.wants_renewal(datetime.now(UTC)):
                await asyncio.to_thread(renew, identity)
                log.info("certificate-renewed", days=round(identity.days_left()))
        except (TidegateError, OSError) as error:
            _tell(identity, error)
        await asyncio.sleep(every_s)


def _tell(identity: Identity, error: Exception) -> None:
    try:
        days = round(identity.days_left(), 1)
    except TidegateError:
        days = 0.0
    tell = log.error if days < LATE_DAYS else log.warning
    tell("certificate-not-renewed", cause=str(error), days_left=days)
