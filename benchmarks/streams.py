"""The median of a command, one at a time: alone, and while 200 streams are open that hear of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks import load, rig
from benchmarks.writes import writer
from gateway.demo.programs import Programs
from gateway.demo.roles import Plan, Ports
from gateway.demo.stack import Stack

STREAMS: Final = 200
COMMANDS: Final = 600


@dataclass(frozen=True, slots=True)
class Streams:
    """Medians in milliseconds."""

    alone_ms: float
    beside_ms: float


def measure(programs: Programs, folder: Path, plc_port: int) -> Streams:
    """On the whole stack; without streams once before and once after, so that nothing else makes the difference."""
    home = folder / "streams"
    plan = Plan(home=home, programs=programs, ports=Ports.free(), agent_modbus_port=plc_port)
    with Stack(plan) as stack:
        port, write = plan.ports.http, writer(plan.site, stack.token)
        load.run(port, write, count=300, at_once=1)
        before = load.run(port, write, count=COMMANDS, at_once=1)
        ready = folder / "listening"
        token = home / "secrets" / "http-token"
        with rig.module("benchmarks.listeners", port, token, STREAMS, ready, ready=ready.exists):
            load.run(port, write, count=100, at_once=1)
            beside = load.run(port, write, count=COMMANDS, at_once=1)
        after = load.run(port, write, count=COMMANDS, at_once=1)
    for each in (before, beside, after):
        assert each.statuses == {200: COMMANDS}, each.statuses
    return Streams((before.p50_ms + after.p50_ms) / 2, beside.p50_ms)
