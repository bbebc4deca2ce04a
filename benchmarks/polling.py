"""Two hundred devices on twenty PLCs, one agent: are periods kept, and at what cost? Also with one PLC dead."""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import psutil

from benchmarks import rig
from benchmarks.plc import Plc
from gateway.demo.ports import free_port
from gateway.demo.programs import Programs
from gateway.demo.readiness import listens
from site_agent.drivers.modbus import ModbusTcpDriver
from tests.conditions import eventually

PLCS, DEVICES, PERIOD_S = 20, 200, 1.0
_MEASURED_S, _RAW_REQUESTS = 20.0, 2_000
#: The read of a whole device of the profile: as many registers in one request.
_REGISTERS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Polling:
    """``kept`` is the share of periods within a fifth of the asked one; periods in seconds, costs per poll."""

    kept: float
    median_s: float
    cpu_ms: float
    raw_cpu_ms: float
    memory_mb: float
    kept_beside_a_dead_plc: float
    median_beside_a_dead_plc_s: float


class _Watched:
    """Twenty PLCs in a thread of this process, which note when each device is read."""

    def __init__(self, ports: range, mute: int | None) -> None:
        self.reads: defaultdict[tuple[int, int], list[float]] = defaultdict(list)
        self._ports, self._mute = ports, mute
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="plcs", daemon=True)

    @contextmanager
    def serving(self) -> Iterator[None]:
        self._thread.start()
        try:
            yield
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        for port in self._ports:
            talk = _silence if port == self._mute else Plc(lambda *read, at=port: self._note(at, *read)).talk
            self._loop.run_until_complete(asyncio.start_server(talk, "127.0.0.1", port))
        self._loop.run_forever()

    def _note(self, port: int, function: int, address: int, count: int) -> None:
        if function == 3 and count == _REGISTERS:
            self.reads[port, address].append(time.monotonic())


async def _silence(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    while await reader.read(1_000):
        pass


def measure(programs: Programs, folder: Path) -> Polling:
    """Once with all PLCs alive, once with one that takes connections and never answers."""
    mqtt = free_port()
    with rig.plain_broker(programs, mqtt, folder):
        whole = _poll(folder / "whole", mqtt, mute=False)
        partly = _poll(folder / "partly", mqtt, mute=True)
    periods, beside = whole[0], partly[0]
    return Polling(
        kept=_kept(periods),
        median_s=statistics.median(periods),
        cpu_ms=whole[1],
        raw_cpu_ms=asyncio.run(_raw()),
        memory_mb=whole[2],
        kept_beside_a_dead_plc=_kept(beside),
        median_beside_a_dead_plc_s=statistics.median(beside),
    )


def _kept(periods: list[float]) -> float:
    return sum(abs(each - PERIOD_S) <= 0.2 * PERIOD_S for each in periods) / len(periods)


def _poll(folder: Path, mqtt: int, *, mute: bool) -> tuple[list[float], float, float]:
    """Periods of the living devices, CPU milliseconds per poll, and the agent's memory."""
    folder.mkdir()
    first = free_port(count=PLCS)
    ports = range(first, first + PLCS)
    plcs = _Watched(ports, mute=ports[-1] if mute else None)
    living = DEVICES - (DEVICES // PLCS if mute else 0)
    argv = (sys.executable, "-m", "gateway", "agent", "--config", _site(folder, mqtt, ports), "--log-level", "ERROR")
    agent = rig.process(*argv, ready=lambda: len(plcs.reads) == living, environment=dict(os.environ))
    with plcs.serving(), agent as pid:
        eventually(lambda: min(map(len, plcs.reads.values())) > 3, within_s=20, what="an agent in its stride")
        before_s, since_s = rig.cpu_s(pid), time.monotonic()
        time.sleep(_MEASURED_S)
        spent_s, memory = rig.cpu_s(pid) - before_s, psutil.Process(pid).memory_info().rss
        reads = [[at for at in list(each) if at >= since_s] for each in plcs.reads.values()]
    periods = [later - earlier for each in reads for earlier, later in pairwise(each)]
    return periods, spent_s / sum(map(len, reads)) * 1e3, memory / 1e6


def _site(folder: Path, mqtt: int, ports: range) -> Path:
    (folder / "password").write_text("not-checked-by-a-plain-broker")
    lines = ['site = "many"', "[broker]", f"port = {mqtt}", 'password_file = "password"']
    for number, port in enumerate(ports):
        lines += ["[[plcs]]", f'name = "plc-{number}"', 'host = "127.0.0.1"', f"port = {port}", f"poll_s = {PERIOD_S}"]
    for number in range(DEVICES):
        lines += ["[[devices]]", f'id = "device-{number}"', f'plc = "plc-{number % PLCS}"']
        lines += ['profile = "fish-feeder"', f"base = {100 * (number // PLCS)}"]
    path = folder / "site.toml"
    path.write_text("\n".join(lines))
    return path


async def _raw() -> float:
    """CPU milliseconds of this process per read through the driver alone, the PLC's own share taken off."""
    port = free_port()
    with rig.module("benchmarks.plc", port, ready=lambda: listens("127.0.0.1", port)):
        driver = ModbusTcpDriver("127.0.0.1", port, 1, 5.0)
        await driver.open()
        before_s = time.process_time()
        for _ in range(_RAW_REQUESTS):
            await driver.read(0, _REGISTERS)
        spent_s = time.process_time() - before_s
        await driver.close()
    return spent_s / _RAW_REQUESTS * 1e3
