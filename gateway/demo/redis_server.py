"""Redis for one machine: loopback only, nothing saved, and a user of its own for Tidegate."""

from __future__ import annotations

from typing import Final

#: What gateway and facade log in as: every key of ours, but nothing that ends or empties the server.
USER: Final = "tidegate"
KEYS: Final = "tidegate:*"


def configuration(*, port: int, password: str, user_password: str, folder: str, host: str = "127.0.0.1") -> str:
    """The server's file; ``password`` is the administrator's, ``user_password`` is :data:`USER`'s.

    Freshness is worth nothing after a restart, so nothing is saved: an empty Redis keeps the gate shut until the
    next beat.
    """
    return f"""\
bind {host}
port {port}
protected-mode yes
requirepass {password}
user {USER} on >{user_password} ~{KEYS} &* +@all -@admin -@dangerous
save ""
appendonly no
maxmemory 256mb
maxmemory-policy noeviction
dir {folder}
loglevel warning
"""
