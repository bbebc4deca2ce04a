"""The relay without safety and the raw parts: what everything else is held against."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from benchmarks import load, parts, rig
from gateway.demo.ports import free_port
from gateway.demo.programs import Programs
from gateway.demo.readiness import http_status, listens

#: The same for the relay and for Tidegate.
COMMANDS = 4_000
AT_ONCE = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Floor:
    """Raw costs of this machine at this moment, in milliseconds."""

    hello_ms: float
    round_trip_ms: float
    modbus_ms: float
    commits_ms: float
    relay_median_ms: float
    command_ms: float
    facade_cpu_ms: float
    refusal_ms: float

    @property
    def sum_ms(self) -> float:
        """What one command's raw parts take, one after the other."""
        return self.hello_ms + self.round_trip_ms + self.modbus_ms + self.commits_ms


def measure(programs: Programs, folder: Path, plc_port: int) -> Floor:
    """Measure the parts one by one, then the relay under load."""
    http, mqtt, store = free_port(), free_port(), free_port()
    with (
        rig.plain_broker(programs, mqtt, folder),
        rig.plain_redis(programs, store),
        rig.module("benchmarks.relay", "agent", mqtt, plc_port, plc_port + 1, ready=lambda: listens("127.0.0.1", mqtt)),
        rig.module(
            "benchmarks.relay",
            "facade",
            http,
            mqtt,
            store,
            ready=lambda: http_status(f"http://127.0.0.1:{http}/hello") == 200,
        ) as facade,
    ):
        hello, trip = parts.http_hello_ms(http), parts.mqtt_round_trip_ms(mqtt)
        modbus, commits = parts.modbus_write_and_read_ms(plc_port), parts.commits_ms(folder)
        load.run(http, _write, count=300, at_once=1)
        alone = load.run(http, _write, count=parts.ROUNDS, at_once=1)
        load.run(http, _write, count=500, at_once=AT_ONCE)
        before_s = rig.cpu_s(facade)
        relayed = load.run(http, _write, count=COMMANDS, at_once=AT_ONCE)
        cpu_ms = (rig.cpu_s(facade) - before_s) / COMMANDS * 1e3
        refuse = load.request("GET", "/refuse")
        refused = load.run(http, lambda _: refuse, count=COMMANDS, at_once=AT_ONCE)
    assert relayed.statuses == {200: COMMANDS}, relayed.statuses
    return Floor(
        hello_ms=hello,
        round_trip_ms=trip,
        modbus_ms=modbus,
        commits_ms=commits,
        relay_median_ms=alone.p50_ms,
        command_ms=1e3 / relayed.per_s,
        facade_cpu_ms=cpu_ms,
        refusal_ms=1e3 / refused.per_s,
    )


def _write(number: int) -> bytes:
    return load.request("PATCH", f"/settings/{number % 4}", body=f'{{"portion_g": {number % 2_000}}}')
