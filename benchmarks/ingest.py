"""Samples into the database, from the bytes of a batch to its commit: against inserting the same rows alone."""

from __future__ import annotations

import os
import secrets
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Engine

from benchmarks import relay, rig
from benchmarks.databases import SQLITE, databases, tables
from benchmarks.heartbeats import password
from gateway.archive import Archive, HistorySeen
from gateway.database import writing
from gateway.database.tables import microseconds
from gateway.demo.ports import free_port
from gateway.demo.programs import Programs
from gateway.events import Events
from gateway.ledger import utc_now
from gateway.protocol.codec import decode, encode
from gateway.protocol.history import Committed, History, Series
from gateway.protocol.ids import command_id
from gateway.protocol.topics import CommittedTopic, HistoryTopic
from tests.conditions import eventually

#: Values of one property that travel together, properties of a batch, and batches.
VALUES: Final = 20
SERIES: Final = 50
BATCHES: Final = 400
SAMPLES: Final = VALUES * SERIES * BATCHES
#: Sites that send in turn; each has so many batches on the way until the gateway confirms one.
_SITES: Final = 10
_ON_THE_WAY: Final = 4
#: Batches of one transaction, in process and raw alike.
_TOGETHER: Final = 10
#: Each is measured so often, one after the other in turn; the medians count.
_TURNS: Final = 5
_START: Final = datetime(2026, 1, 1, tzinfo=UTC)
Row = tuple[int, int, float, None, int, int]


@dataclass(frozen=True, slots=True)
class Ingest:
    """Microseconds per sample: from bytes to commit, the raw insert, and through the broker to ``committed``.

    ``copy_us`` is a raw copy, of databases that have one.
    """

    ours_us: float
    raw_us: float
    copy_us: float | None
    mqtt_us: float


def measure(programs: Programs, folder: Path) -> dict[str, Ingest]:
    """On each kind of database."""
    found = {}
    with databases(folder / "raw") as raw, databases(folder / "ours") as ours, databases(folder / "mqtt") as mqtt:
        for kind in raw:
            with tables(raw[kind]) as one, tables(ours[kind]) as other:
                turns = [_turn(one, other, BATCHES * turn) for turn in range(_TURNS)]
            raw_us, copy_us, ours_us = (statistics.median(each) for each in zip(*turns, strict=True))
            mqtt_us = _through_mqtt(programs, folder / f"mqtt-{kind}", mqtt[kind])
            found[kind] = Ingest(ours_us, raw_us, copy_us or None, mqtt_us)
    return found


def _turn(raw: Engine, ours: Engine, first: int) -> tuple[float, float, float]:
    """Raw insert, raw copy (0 where there is none) and ours, of other stretches of time each."""
    copied_us = 0.0 if raw.dialect.name == SQLITE else _copied(raw, first + _TURNS * BATCHES)
    return _raw(raw, first), copied_us, _ours(ours, first)


def _site(number: int) -> str:
    return f"site-{number % _SITES}"


def _batch(number: int) -> History:
    """The n-th: the next stretch of time of its site."""
    start = _START + timedelta(seconds=10 * VALUES * (number // _SITES))
    offsets = tuple(10_000_000 * index for index in range(VALUES))
    series = tuple(
        Series(
            device=f"feeder-{index // 10}",
            name=f"reading_{index % 10}",
            start=start,
            offset_us=offsets,
            values=tuple(round(20 + (number * index + step) % 97 / 10, 1) for step in range(VALUES)),
            every_s=60.0,
        )
        for index in range(SERIES)
    )
    return History(batch=command_id(time.time_ns() // 1_000_000, secrets.randbits(74)), series=series)


def _ours(engine: Engine, first: int) -> float:
    bodies = [(_site(number), encode(_batch(number))) for number in range(first, first + BATCHES)]
    archive = Archive(engine, events=Events(engine), now=utc_now)
    began_s = time.perf_counter()
    for number in range(0, BATCHES, _TOGETHER):
        archive.keep(
            [
                HistorySeen(site=site, history=decode(History, "history", body), at=_START)
                for site, body in bodies[number : number + _TOGETHER]
            ]
        )
    return (time.perf_counter() - began_s) / SAMPLES * 1e6


def _raw(engine: Engine, first: int) -> float:
    """As many rows in a transaction, made beforehand, into the same table, equally durable: a batched insert."""
    insert = "INSERT INTO samples VALUES (?, ?, ?, ?, ?, ?)"
    if engine.dialect.name != SQLITE:
        insert = insert.replace("?", "%s")

    def put(cursor: Any, rows: Sequence[Row]) -> None:  # noqa: ANN401 # a driver's
        cursor.executemany(insert, rows)

    return _timed(engine, first, put)


def _copied(engine: Engine, first: int) -> float:
    """The same by PostgreSQL's COPY, which is how we do it."""

    def put(cursor: Any, rows: Sequence[Row]) -> None:  # noqa: ANN401 # psycopg's
        with cursor.copy("COPY samples FROM STDIN (FORMAT BINARY)") as copying:
            copying.set_types(("int8", "int8", "float8", "text", "int2", "int2"))
            for row in rows:
                copying.write_row(row)

    return _timed(engine, first, put)


def _timed(engine: Engine, first: int, put: Callable[[Any, Sequence[Row]], None]) -> float:
    rows = [_rows(number) for number in range(first, first + BATCHES, _TOGETHER)]
    began_s = time.perf_counter()
    for each in rows:
        with writing(engine) as connection:
            put(connection.connection.cursor(), each)
    return (time.perf_counter() - began_s) / SAMPLES * 1e6


def _rows(first: int) -> Sequence[Row]:
    rows: list[Row] = []
    for number in range(first, first + _TOGETHER):
        for index, series in enumerate(_batch(number).series):
            start_us, key = microseconds(series.start), number % _SITES * SERIES + index
            pairs = zip(series.offset_us, series.values, strict=True)
            rows += [(key, start_us + offset_us, float(value or 0), None, 0, 0) for offset_us, value in pairs]
    return sorted(rows, key=lambda row: row[:2])


def _through_mqtt(programs: Programs, folder: Path, url: str) -> float:
    folder.mkdir(parents=True)
    mqtt, store = free_port(), free_port()
    environment = {
        **os.environ,
        "TIDEGATE_HOME": str(folder),
        "TIDEGATE_BROKER_PORT": str(mqtt),
        "TIDEGATE_BROKER_PASSWORD_FILE": str(password(folder)),
        "TIDEGATE_REDIS_URL": f"redis://127.0.0.1:{store}/0",
        "TIDEGATE_DATABASE_URL": url,
        "TIDEGATE_LOG_LEVEL": "WARNING",
    }
    bodies = [encode(_batch(number)) for number in range(BATCHES)]
    with rig.plain_broker(programs, mqtt, folder), rig.plain_redis(programs, store):
        sender = _Sender(mqtt)
        argv = (sys.executable, "-m", "gateway", "gateway")
        with rig.process(*argv, ready=lambda: sender.is_heard(encode(_batch(0))), environment=environment):
            return sender.send(bodies) / SAMPLES * 1e6


class _Sender:
    """All sites on one connection."""

    def __init__(self, port: int) -> None:
        self._committed = 0
        self._link = relay.client(port)
        self._link.on_message = self._on_message
        self._link.subscribe(str(CommittedTopic("+")), qos=1)
        self._link.loop_start()

    def _on_message(self, _client: object, _data: object, message: Any) -> None:  # noqa: ANN401 # paho's own
        self._committed += len(decode(Committed, message.topic, message.payload).batches)

    def is_heard(self, body: bytes) -> bool:
        """Whether a gateway has committed a batch."""
        self._link.publish(str(HistoryTopic("probe")), body, qos=1)
        time.sleep(0.2)
        return self._committed > 0

    def send(self, bodies: Sequence[bytes]) -> float:
        """Seconds until the last batch is confirmed."""
        time.sleep(0.5)  # what probing has left
        before, began_s = self._committed, time.perf_counter()
        for number, body in enumerate(bodies):
            while number - (self._committed - before) >= _SITES * _ON_THE_WAY:
                time.sleep(0.001)
            self._link.publish(str(HistoryTopic(_site(number))), body, qos=1)
        eventually(lambda: self._committed - before >= len(bodies), within_s=60, what="the last batch's commit")
        elapsed_s = time.perf_counter() - began_s
        self._link.disconnect()
        self._link.loop_stop()
        return elapsed_s
