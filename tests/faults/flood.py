"""One site that says many times what an agent would, without waiting for anybody."""

from __future__ import annotations

import json
import secrets
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Final

from gateway.broker import Login
from gateway.protocol.ids import CLIENT_ID_PREFIX, command_id

_FIRST: Final = datetime(2026, 11, 23, tzinfo=UTC)
_SAMPLES: Final = 1_000
#: Packets a second: for history some 2 MB, a thousand samples in each; a torrent is as much of that as goes.
RATES: Final = {"history": 250, "torrent": 10_000, "heartbeats": 3_000, "garbage": 3_000}
#: Made once: the flood is to keep others busy, not the machine that the tests share.
_OFFSETS: Final = json.dumps(list(range(_SAMPLES)))
_EVERY_S: Final = 0.05


class Flood:
    """Use :meth:`of`; ``sent`` counts what the broker's socket took."""

    def __init__(self, login: Login, kind: str) -> None:
        self._login = login
        self.kind = kind
        self._at_once = max(1, round(RATES[kind] * _EVERY_S))
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._speak, name="flood")
        self.sent = 0

    @classmethod
    @contextmanager
    def of(cls, login: Login, kind: str) -> Iterator[Flood]:
        """Inside the block; ``kind`` is one of :data:`RATES`."""
        flood = cls(login, kind)
        flood._thread.start()
        try:
            yield flood
        finally:
            flood._over.set()
            flood._thread.join(20)

    def _speak(self) -> None:
        numbers = count(1)
        while not self._over.is_set():
            with suppress(OSError), socket.create_connection((self._login.host, self._login.port), timeout=1) as line:
                line.sendall(_connect(self._login))
                line.recv(64)
                line.settimeout(0.2)
                due_s = time.monotonic()
                while not self._over.wait(max(0.0, due_s - time.monotonic())):
                    due_s += _EVERY_S
                    whole = b"".join(self._packet(next(numbers)) for _ in range(self._at_once))
                    while whole and not self._over.is_set():
                        with suppress(TimeoutError):  # the broker lets us wait
                            whole = whole[line.send(whole) :]
                    self.sent += self._at_once

    def _packet(self, number: int) -> bytes:
        site = self._login.username
        if self.kind in {"history", "torrent"}:
            return _publish(f"tidegate/v1/{site}/history", _history(number))
        if self.kind == "heartbeats":
            beat = {"epoch": 1, "seq": number, "at": _FIRST.isoformat(), "plcs": {}, "outbox": 0}
            return _publish(f"tidegate/v1/{site}/heartbeat", json.dumps(beat).encode())
        return _publish(f"tidegate/v1/{site}/acks/@ana/{command_id(number, 1)}", b"[" * 200)


def _history(number: int) -> bytes:
    start = (_FIRST + timedelta(seconds=number)).isoformat()
    batch = command_id(0x0199_0000_0000 + number, secrets.randbits(70))
    series = f'"device": "feeder-1", "name": "portion_g", "start": "{start}", "every_s": 60, "quality": "good"'
    values = f'"offset_us": {_OFFSETS}, "values": {_OFFSETS}'
    return f'{{"batch": "{batch}", "series": [{{{series}, {values}}}]}}'.encode()


def _connect(login: Login) -> bytes:
    """MQTT 3.1.1: clean session, user name and password."""
    parts = (CLIENT_ID_PREFIX + "flood", login.username, login.secret)
    return _packet(0x10, _text("MQTT") + bytes([4, 0xC2, 0, 60]) + b"".join(map(_text, parts)))


def _publish(topic: str, payload: bytes) -> bytes:
    return _packet(0x30, _text(topic) + payload)


def _text(text: str) -> bytes:
    return len(text.encode()).to_bytes(2, "big") + text.encode()


def _packet(kind: int, body: bytes) -> bytes:
    size, length = len(body), bytearray()
    while True:
        size, low = divmod(size, 128)
        length.append(low | (0x80 if size else 0))
        if not size:
            return bytes([kind, *length]) + body
