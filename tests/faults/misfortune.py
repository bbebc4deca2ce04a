"""The faults of a run: each begins, lasts a while, and is mended; which, where and how long, the seed says."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Final

import redis

from gateway.crash import STEPS, VARIABLE
from gateway.demo.roles import BROKER, REDIS
from tests import plc_faults
from tests.faults.region import Region
from tests.proxy import Proxy, Verb, Way
from tests.proxy_frames import Packet
from tests.proxy_rules import function, packet, publish

Undo = Callable[[], None]
#: What a fault is called, and how it is mended.
Begun = tuple[str, Undo]

_PLC_FAULTS: Final = (
    plc_faults.LOST,
    plc_faults.DROP,
    plc_faults.RESET_AFTER,
    plc_faults.RESET_BEFORE,
    plc_faults.ANOTHER_VALUE,
    plc_faults.TRANSACTION_0,
    plc_faults.TWICE,
    plc_faults.refuse(6),
    plc_faults.delay(1.5),
    plc_faults.late(1.5),
)
_VERBS: Final = (Verb.HOLD, Verb.DROP, Verb.DUPLICATE, Verb.CUT_BEFORE, Verb.CUT_AFTER, Verb.SWAP)
#: The words in a step's name before the dash -> the processes that come to it.
_WHOSE: Final = {"agent": "agent of ", "facade": "facade", "gateway": "gateway"}


class Misfortune:
    """``begin`` starts one fault; the caller mends it when it pleases."""

    def __init__(self, region: Region, random: Random) -> None:
        self._region = region
        self._random = random
        self._kinds: tuple[tuple[Callable[[], Begun], int], ...] = (
            (self._kill, 4),
            (self._freeze, 3),
            (self._crash, 3),
            (self._cut, 3),
            (self._hold, 2),
            (self._slow, 2),
            (self._mqtt_frame, 4),
            (self._modbus_frame, 2),
            (self._misbehave, 4),
            (self._power_cycle, 1),
            (self._flush, 1),
        )

    def begin(self) -> Begun:
        """One more fault."""
        (kind,) = self._random.choices([each for each, _ in self._kinds], [weight for _, weight in self._kinds])
        return kind()

    def _child(self) -> str:
        # Broker and Redis less often: while they are away, little else happens.
        names = [name for name in self._region.children if name not in {BROKER, REDIS}]
        return self._random.choice([*names, *names, BROKER, REDIS])

    def _kill(self) -> Begun:
        child = self._region.children[self._child()]
        child.kill()
        return f"kill {child.role}", lambda: None if child.running else child.start()

    def _freeze(self) -> Begun:
        child = self._region.children[self._child()]
        child.freeze()
        return f"freeze {child.role}", child.thaw

    def _crash(self) -> Begun:
        step = self._random.choice(sorted(STEPS))
        whose = _WHOSE[step.partition("-")[0]]
        child = self._region.children[self._random.choice([n for n in self._region.children if n.startswith(whose)])]
        child.kill()
        child.environment[VARIABLE] = f"{step}:{self._random.randint(1, 5)}"
        child.start()

        def undo() -> None:
            child.environment.pop(VARIABLE, None)
            child.kill()
            child.start()

        return f"crash {child.role} at {step}", undo

    def _wire(self) -> Proxy:
        agents = [site.wire for site in self._region.sites]
        return self._random.choice([*self._region.facade_wires, *agents])

    def _cut(self) -> Begun:
        wire, refuse = self._random.choice(self._region.wires), self._random.random() < 0.5
        wire.cut(refuse=refuse)
        return f"cut {self._name(wire)}", wire.release

    def _hold(self) -> Begun:
        wire = self._random.choice(self._region.wires)
        ways = self._random.choice(((Way.TO_SERVER,), (Way.TO_CLIENT,), ()))
        if self._random.random() < 0.5:
            wire.hold(*ways)
            return f"hold {self._name(wire)} {_names(ways)}", wire.release
        wire.drop(*ways)

        def undo() -> None:
            wire.release()
            wire.cut()

        return f"drop {self._name(wire)} {_names(ways)}", undo

    def _slow(self) -> Begun:
        wire = self._random.choice(self._region.wires)
        wire.delay(self._random.uniform(0.01, 0.3), jitter_s=self._random.uniform(0, 0.5))
        wire.slice(self._random.choice((1, 7, 64)))
        return f"slow {self._name(wire)}", wire.release

    def _mqtt_frame(self) -> Begun:
        wire, verb, way = self._wire(), self._random.choice(_VERBS), self._random.choice(tuple(Way))
        match = self._random.choice((publish("/commands/"), publish("/acks/"), packet(Packet.PUBACK)))
        wire.treat(verb, way, match, after=self._random.randint(0, 3), times=self._random.randint(1, 3))

        def undo() -> None:
            wire.release()
            if verb is Verb.DROP:  # what was swallowed comes again only on another connection
                wire.cut()

        return f"{verb.name.lower()} packets of {self._name(wire)} {way.name.lower()}", undo

    def _modbus_frame(self) -> Begun:
        site = self._random.choice(self._region.sites)
        wire = self._random.choice(site.plc_wires)
        verb = self._random.choice((Verb.DROP, Verb.CUT_BEFORE, Verb.CUT_AFTER))
        way = self._random.choice(tuple(Way))
        wire.treat(verb, way, function(6, 16), times=self._random.randint(1, 2))
        return f"{verb.name.lower()} writes of {self._name(wire)} {way.name.lower()}", wire.release

    def _misbehave(self) -> Begun:
        site = self._random.choice(self._region.sites)
        plc, fault = self._random.choice(site.plcs), self._random.choice(_PLC_FAULTS)
        on = plc_faults.ALL if self._random.random() < 0.3 else plc_faults.WRITES
        plc.misbehave(fault, on=on, times=self._random.randint(1, 4))
        return f"plc of {site.name}: {fault.kind}", plc.behave

    def _power_cycle(self) -> Begun:
        site = self._random.choice(self._region.sites)
        plc = self._random.choice(site.plcs)
        plc.power_off()
        return f"power off a plc of {site.name}", plc.power_on

    def _flush(self) -> Begun:
        try:
            with redis.Redis.from_url(self._region.stack.redis_url, socket_timeout=1) as server:
                server.flushall()
        except redis.RedisError:
            return "flush redis, which is away", lambda: None
        return "flush redis", lambda: None

    def _name(self, wire: Proxy) -> str:
        return f"wire {self._region.wires.index(wire)}"


def _names(ways: tuple[Way, ...]) -> str:
    return " ".join(way.name.lower() for way in ways) or "both ways"
