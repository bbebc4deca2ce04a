"""Free TCP ports on this machine."""

from __future__ import annotations

import random
import socket
from typing import Final

#: Below the range from which systems take ports for outgoing connections, which could be gone a moment later.
_FIRST: Final = 20_000
_LAST: Final = 32_000
_TRIES: Final = 500


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a server could listen there now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def free_port(*, count: int = 1) -> int:
    """The first of ``count`` free ports in a row.

    Raises:
        OSError: there are none.
    """
    for _ in range(_TRIES):
        port = random.randint(_FIRST, _LAST - count)  # noqa: S311 # spreads parallel runs, guards no secret
        if all(is_free(port + offset) for offset in range(count)):
            return port
    raise OSError("no free ports on this machine")
