"""A word to systemd, where it started us: that we serve, and that the loop still turns.

The protocol is a datagram to the socket that it names (sd_notify(3)). Elsewhere these functions do nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from typing import Final

#: Words within the time that systemd gives us between two.
_SHARE: Final = 3


def tell(words: str) -> None:
    """Send one word, such as ``READY=1``; what cannot be sent is lost, as a supervisor that went away would have it."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as outlet:
        outlet.sendto(words.encode(), address.replace("@", "\0", 1) if address.startswith("@") else address)


async def stay_watched() -> None:
    """Tell that the loop turns, as often as systemd wants to hear it; runs until it is cancelled.

    It is a task of that very loop: one that hangs is silent, and is restarted.
    """
    microseconds = os.environ.get("WATCHDOG_USEC", "")
    if not microseconds.isdecimal() or int(microseconds) == 0:
        return
    while True:
        tell("WATCHDOG=1")
        await asyncio.sleep(int(microseconds) / 1e6 / _SHARE)
