"""HTTP writes to ``applied``, and refusals of a silent site, on the whole stack."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import redis

from benchmarks import load, rig
from benchmarks.floor import AT_ONCE, COMMANDS
from gateway.demo.programs import Programs
from gateway.demo.roles import AGENT, FACADE, Plan, Ports
from gateway.demo.stack import Stack
from tests.conditions import eventually

ONE_BY_ONE = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Writes:
    """What a write costs, in milliseconds; ``cpu_ms`` per process and command at 64 at once."""

    median_ms: float
    p99_ms: float
    command_ms: float
    cpu_ms: dict[str, float]
    refusal_ms: float


def measure(programs: Programs, folder: Path, plc_port: int) -> Writes:
    """One at a time, 64 at once, then against a site that fell silent."""
    plan = Plan(home=folder / "home", programs=programs, ports=Ports.free(), agent_modbus_port=plc_port)
    with Stack(plan) as stack:
        write = writer(plan.site, stack.token)
        port = plan.ports.http
        load.run(port, write, count=300, at_once=1)
        alone = load.run(port, write, count=ONE_BY_ONE, at_once=1)
        load.run(port, write, count=500, at_once=AT_ONCE)
        before = {role: rig.cpu_s(pid) for role, pid in stack.pids.items()}
        crowd = load.run(port, write, count=COMMANDS, at_once=AT_ONCE)
        cpu_ms = {role: (rig.cpu_s(pid) - before[role]) / COMMANDS * 1e3 for role, pid in stack.pids.items()}
        refused = _refusals(stack, write)
    assert alone.statuses == {200: ONE_BY_ONE}, alone.statuses
    assert crowd.statuses == {200: COMMANDS}, crowd.statuses
    assert refused.statuses == {503: COMMANDS}, refused.statuses
    return Writes(
        median_ms=alone.p50_ms,
        p99_ms=alone.p99_ms,
        command_ms=1e3 / crowd.per_s,
        cpu_ms=cpu_ms,
        refusal_ms=1e3 / refused.per_s,
    )


def facade_cpu_ms(writes: Writes) -> float:
    """CPU of the facade per command."""
    return writes.cpu_ms[FACADE]


def _refusals(stack: Stack, write: load.Requests) -> load.Result:
    stack.freeze(AGENT)
    with redis.Redis.from_url(stack.redis_url) as store:
        key = f"tidegate:alive:{stack.plan.site}"
        eventually(lambda: not store.exists(key), within_s=60, what="the gate to close")
    return load.run(stack.plan.ports.http, write, count=COMMANDS, at_once=AT_ONCE)


def writer(site: str, token: str) -> load.Requests:
    """Another portion for the next feeder, each time."""

    def write(number: int) -> bytes:
        path = f"/v1/sites/{site}/devices/feeder-{number % 4 + 1}/settings"
        return load.request("PATCH", path, token=token, body=f'{{"portion_g": {number % 400 * 5}}}')

    return write
