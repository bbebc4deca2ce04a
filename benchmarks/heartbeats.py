"""Ten thousand sites, one beat per 20 s each: the gateway's CPU per beat, and whether every key is fresh."""

from __future__ import annotations

import itertools
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import redis

from benchmarks import relay, rig
from gateway.demo.ports import free_port
from gateway.demo.programs import Programs
from gateway.protocol.codec import encode
from gateway.protocol.messages import Heartbeat, PlcLink
from gateway.protocol.topics import HeartbeatTopic
from tests.conditions import eventually

SITES = 10_000
INTERVAL_S = 20.0
_CONNECTIONS = 20
_EVERY_S = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeats:
    """CPU per beat in milliseconds, and keys that were not there at the end of a round."""

    cpu_ms: float
    raw_cpu_ms: float
    missing: int


def measure(programs: Programs, folder: Path) -> Heartbeats:
    """The raw mirror for half a round, then the gateway for one round and a bit."""
    mqtt, store = free_port(), free_port()
    with rig.plain_broker(programs, mqtt, folder), rig.plain_redis(programs, store):
        keys = redis.Redis(port=store)
        with rig.module("benchmarks.relay", "mirror", mqtt, store, ready=lambda: _subscribed(keys, mqtt)) as mirror:
            raw = _beat(mqtt, mirror, seconds=INTERVAL_S / 2, topic=lambda site: f"relay/beat/{site}")
        keys.flushall()
        environment = {
            **os.environ,
            "TIDEGATE_HOME": str(folder / "gateway"),
            "TIDEGATE_BROKER_PORT": str(mqtt),
            "TIDEGATE_BROKER_PASSWORD_FILE": str(password(folder)),
            "TIDEGATE_REDIS_URL": f"redis://127.0.0.1:{store}/0",
            "TIDEGATE_LOG_LEVEL": "WARNING",
        }
        argv = (sys.executable, "-m", "gateway", "gateway")
        with rig.process(*argv, ready=lambda: _opens(keys, mqtt), environment=environment) as gateway:
            cpu = _beat(mqtt, gateway, seconds=INTERVAL_S, topic=lambda site: str(HeartbeatTopic(f"site-{site}")))
            fresh = eventually(lambda: len(list(keys.scan_iter("tidegate:alive:site-*", count=5_000))), within_s=1)
        keys.close()
    return Heartbeats(cpu_ms=cpu, raw_cpu_ms=raw, missing=SITES - fresh)


def _beat(mqtt_port: int, watched: int, *, seconds: float, topic: Callable[[int], str]) -> float:
    """Beat for ``seconds`` at the full rate; CPU milliseconds of the watched process per beat."""
    links = [relay.client(mqtt_port) for _ in range(_CONNECTIONS)]
    for link in links:
        link.loop_start()
    sites = itertools.cycle(range(SITES))
    per_tick = round(SITES / INTERVAL_S * _EVERY_S)
    before_s, began_s, sent = rig.cpu_s(watched), time.monotonic(), 0
    for tick in range(round(seconds / _EVERY_S)):
        for _ in range(per_tick):
            site = next(sites)
            links[site % _CONNECTIONS].publish(topic(site), _body(seq=tick + 1), qos=1)
            sent += 1
        time.sleep(max(0.0, began_s + (tick + 1) * _EVERY_S - time.monotonic()))
    time.sleep(0.3)  # the last ones are on their way
    spent_s = rig.cpu_s(watched) - before_s
    for link in links:
        link.disconnect()
        link.loop_stop()
    return spent_s / sent * 1e3


def _body(seq: int) -> bytes:
    plcs = {"plc-1": PlcLink.OK, "plc-2": PlcLink.OK}
    return encode(Heartbeat(epoch=1_800_000_000, seq=seq, at=datetime.now(UTC), plcs=plcs))


def _subscribed(keys: redis.Redis, mqtt_port: int) -> bool:
    return _seen(keys, mqtt_port, "relay/beat/probe", "relay/beat/probe")


def _opens(keys: redis.Redis, mqtt_port: int) -> bool:
    return _seen(keys, mqtt_port, str(HeartbeatTopic("probe")), "tidegate:alive:probe")


def _seen(keys: redis.Redis, mqtt_port: int, topic: str, key: str) -> bool:
    link = relay.client(mqtt_port)
    link.loop_start()
    link.publish(topic, _body(seq=time.time_ns() // 1_000_000), qos=1).wait_for_publish(1)
    time.sleep(0.2)
    link.disconnect()
    link.loop_stop()
    return bool(keys.exists(key))


def password(folder: Path) -> Path:
    """A file with one, for a broker that asks nobody."""
    path = folder / "password"
    path.write_text("not-checked-by-a-plain-broker-0123456789")
    path.chmod(0o600)
    return path
