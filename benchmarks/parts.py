"""The raw parts of a command, each measured alone: HTTP hello, MQTT round trip, Modbus, fsynced commits."""

from __future__ import annotations

import asyncio
import sqlite3
import statistics
import threading
import time
from pathlib import Path

from pymodbus.client import AsyncModbusTcpClient

from benchmarks import load, relay

ROUNDS = 1_000
#: Commits that a command waits for: the ledger's row, the agent's intent, its result, the ledger's outcome.
COMMITS = 4


def http_hello_ms(port: int) -> float:
    """Median of a JSON hello on the same server."""
    hello = load.request("GET", "/hello")
    load.run(port, lambda _: hello, count=200, at_once=1)
    return load.run(port, lambda _: hello, count=ROUNDS, at_once=1).p50_ms


def mqtt_round_trip_ms(mqtt_port: int) -> float:
    """Median of a QoS 1 publish by paho, echoed by aiomqtt."""
    link, arrived = relay.client(mqtt_port), threading.Event()
    ready = threading.Event()
    link.on_message = lambda *_: arrived.set()
    link.on_subscribe = lambda *_: ready.set()
    link.loop_start()
    link.subscribe("relay/echoed", 1)
    ready.wait(5)
    times_s = []
    for _ in range(ROUNDS):
        arrived.clear()
        began_s = time.perf_counter()
        link.publish("relay/echo", b'{"portion_g": 120}', qos=1)
        if not arrived.wait(5):
            raise TimeoutError("no echo")
        times_s.append(time.perf_counter() - began_s)
    link.disconnect()
    link.loop_stop()
    return statistics.median(times_s) * 1e3


def modbus_write_and_read_ms(port: int) -> float:
    """Median of one write and its read-back with plain pymodbus."""
    return asyncio.run(_modbus(port))


async def _modbus(port: int) -> float:
    plc = AsyncModbusTcpClient("127.0.0.1", port=port, retries=0)
    await plc.connect()
    times_s = []
    for number in range(ROUNDS):
        began_s = time.perf_counter()
        await plc.write_register(0, number)
        await plc.read_holding_registers(0, count=1)
        times_s.append(time.perf_counter() - began_s)
    plc.close()
    return statistics.median(times_s) * 1e3


def commits_ms(folder: Path) -> float:
    """The fsynced SQLite commits of one command."""
    db = sqlite3.connect(folder / "commits.db", isolation_level=None)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.execute("CREATE TABLE rows (id INTEGER PRIMARY KEY, body TEXT)")
    times_s = []
    for _ in range(ROUNDS):
        began_s = time.perf_counter()
        db.execute("BEGIN IMMEDIATE")
        db.execute("INSERT INTO rows (body) VALUES (?)", ("x" * 300,))
        db.execute("COMMIT")
        times_s.append(time.perf_counter() - began_s)
    db.close()
    return COMMITS * statistics.median(times_s) * 1e3
