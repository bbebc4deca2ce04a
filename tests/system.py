"""The whole system with a hand on every wire: real processes, scriptable PLCs, and a proxy in front of each link.

What a test has disturbed, :meth:`System.heal` mends, so that many tests may share one system.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from typing import Any, Final, Self

from gateway.crash import VARIABLE
from gateway.demo.ports import free_port
from gateway.demo.readiness import live_epoch
from gateway.demo.roles import FACADE, FARM, ROLES, Plan, Ports
from gateway.demo.site import FeedLimits
from gateway.demo.stack import Stack
from gateway.protocol.messages import Value
from tests.auditor import Auditor
from tests.conditions import eventually
from tests.http_client import Answer, HttpClient
from tests.mqtt_client import MqttClient
from tests.plc import FaultyPlc, Write
from tests.plc_faults import WRITE_ONE
from tests.plc_feeder import OXYGEN, Dose
from tests.proxy import Proxy
from tests.proxy_frames import modbus, mqtt
from tests.requirements import programs

#: All but the simulated farm, whose place the scriptable PLCs take.
STARTED: Final = tuple(role for role in ROLES if role != FARM)
#: Limits that no test meets unless it wants to.
WIDE: Final = FeedLimits(largest=500, least_gap_s=0.001, most_per_day=1_000_000)
#: What each feeder's registers hold at first, from its base on: portion, interval, enabled.
SETTINGS: Final = (50, 60, 1)
#: device -> (PLC, base register), as in the demo's site file.
PLACES: Final = {"feeder-1": (0, 0), "feeder-2": (0, 100), "feeder-3": (1, 0), "feeder-4": (1, 100)}
PORTION, INTERVAL = 0, 1
#: 8 mg/l as float32, at which nobody refuses a dose.
ENOUGH_OXYGEN: Final = (0x4100, 0)
#: 25 kg as float32, at which no hopper is nearly empty.
HOPPER: Final = 4
FULL_HOPPER: Final = (0x41C8, 0)
#: How long the auger runs for a dose.
DOSE_S: Final = 0.05


class System:
    """Use :meth:`running`."""

    def __init__(
        self,
        stack: Stack,
        plcs: tuple[FaultyPlc, FaultyPlc],
        *,
        agent_wire: Proxy,
        facade_wire: Proxy,
        plc_wires: tuple[Proxy, Proxy],
    ) -> None:
        self.stack = stack
        self.plcs = plcs
        #: These two know MQTT packets, those of the PLCs Modbus frames.
        self.agent_wire = agent_wire
        self.facade_wire = facade_wire
        self.plc_wires = plc_wires
        self.http = HttpClient(stack)
        self._clients = ThreadPoolExecutor(8, thread_name_prefix="web-client")
        self._portions = count(100, 5)

    @classmethod
    @contextmanager
    def running(cls, home: Path, *, heartbeat_s: int = 1, alive_expiry_s: int = 3, **fields: Any) -> Iterator[Self]:  # noqa: ANN401 # fields of the plan
        """Started and healthy; stopped at the end."""
        with ExitStack() as stack:
            modbus_port, ports = free_port(count=2), Ports.free()
            plcs = [stack.enter_context(FaultyPlc.running()) for _ in range(2)]
            first, second = (
                stack.enter_context(Proxy.to(plc.port, port=modbus_port + number, frames=modbus))
                for number, plc in enumerate(plcs)
            )
            agent_wire = stack.enter_context(Proxy.to(ports.machines, frames=mqtt))
            facade_wire = stack.enter_context(Proxy.to(ports.machines, frames=mqtt))
            for plc in plcs:
                for base in (0, 100):
                    plc.add_feeder(base, dose_s=DOSE_S)
                    plc.set(base, *SETTINGS)
                    plc.set(base + OXYGEN, *ENOUGH_OXYGEN)
                    plc.set(base + HOPPER, *FULL_HOPPER)
            plan = Plan(
                home=home,
                programs=programs(),
                ports=ports,
                heartbeat_s=heartbeat_s,
                alive_expiry_s=alive_expiry_s,
                poll_s=0.2,
                agent_broker_port=agent_wire.port,
                agent_modbus_port=modbus_port,
                environment={FACADE: {"TIDEGATE_BROKER_PORT": str(facade_wire.port)}},
                **{"limits": WIDE, **fields},
            )
            system = cls(
                Stack(plan),
                (plcs[0], plcs[1]),
                agent_wire=agent_wire,
                facade_wire=facade_wire,
                plc_wires=(first, second),
            )
            stack.callback(system._clients.shutdown)
            stack.callback(system.stack.stop)
            system.heal()
            yield system

    @property
    def site(self) -> str:
        """The site's id."""
        return self.stack.plan.site

    @property
    def plc(self) -> FaultyPlc:
        """The PLC of feeder-1."""
        return self.plcs[0]

    def fresh(self) -> int:
        """A portion in grams that nobody has asked for yet."""
        return next(self._portions)

    def written(self, grams: int) -> int:
        """How often feeder-1's PLC carried out a write of this portion."""
        return self.plc.writes.count(Write(WRITE_ONE, PORTION, (grams,)))

    def doses(self, device: str = "feeder-1") -> list[Dose]:
        """Every time that this feeder's auger ran for a command, by the PLC's own log."""
        plc, base = PLACES[device]
        return [dose for dose in list(self.plcs[plc].doses) if dose.base == base]

    def crash_at(self, role: str, step: str, *, times: int = 1) -> None:
        """Start a role anew so that it dies when it comes to this step for the ``times``-th time; `heal` ends that."""
        child = self.stack.children[role]
        child.kill()
        child.environment[VARIABLE] = f"{step}:{times}"
        self.stack.start([role])

    def ended(self, command: str, *, within_s: float = 20) -> dict[str, Any]:
        """A command of the ledger, once it has its end."""

        def final() -> dict[str, Any] | None:
            found = self.http.command(command)
            return found if found.get("final") else None

        return eventually(final, within_s=within_s, what=f"the end of {command}")

    # --- mending -------------------------------------------------------------------------------------------

    def heal(self) -> None:
        """Undo every fault, start what is dead, and return when writes to all devices may pass."""
        for plc in self.plcs:
            plc.behave()
        for wire in (self.agent_wire, self.facade_wire, *self.plc_wires):
            wire.release()
        for role in STARTED:
            self.stack.thaw(role)
            if self.stack.children[role].environment.pop(VARIABLE, None) is not None:
                self.stack.kill(role)
        self.stack.start([role for role in STARTED if not self.stack.children[role].running])
        eventually(self.healthy, within_s=30, what="the whole system in good health")

    def healthy(self) -> bool:
        """Whether writes to all devices may pass now."""
        if not self.stack.is_ready(FACADE):
            return False
        site = self.http.site()
        if not site.get("online") or set(site["plcs"].values()) != {"ok"}:
            return False
        devices = self.http.get(f"/v1/sites/{self.site}/devices").body["items"]
        return {each["device"] for each in devices if each["quality"] == "good"} == PLACES.keys()

    # --- asking --------------------------------------------------------------------------------------------

    def write_aside(self, values: dict[str, Value], **options: Any) -> Future[Answer]:  # noqa: ANN401 # as HttpClient.write
        """Ask for settings while the test goes on."""
        return self._clients.submit(self.http.write, values, **options)

    def feed(self, grams: int, *, key: str | None = None, **options: Any) -> Answer:  # noqa: ANN401 # as HttpClient.act
        """Ask feeder-1, or ``device``, for a dose; with a new key unless told otherwise."""
        return self.http.act("feed", {"grams": grams}, key=key or secrets.token_hex(8), **options)

    def feed_aside(self, grams: int, **options: Any) -> Future[Answer]:  # noqa: ANN401 # as feed
        """Ask for a dose while the test goes on."""
        return self._clients.submit(self.feed, grams, **options)

    @contextmanager
    def auditor(self) -> Iterator[Auditor]:
        """Ana, who sees everything of the site on the broker itself, and may command it."""
        person = self.stack.plan.person
        with self.client(person) as client:
            ana = Auditor(client, self.site, person)
            # What is retained comes right behind the answer to a subscription, but not with it.
            eventually(ana.statuses, within_s=10, what="the site's status, retained")
            yield ana

    def client(self, user: str) -> MqttClient:
        """A plain MQTT client with the password of any user, beside that user's own connection."""
        return MqttClient(self.stack.login(user))

    @property
    def epoch(self) -> int | None:
        """The epoch of the live beat in Redis; None if the gate is shut."""
        return live_epoch(self.stack.redis_url, self.site, self.stack.plan.alive_expiry_s)

    def refused(self, code: str) -> Answer:
        """The first answer that says so; what is asked for until then must not end otherwise than written."""
        return eventually(lambda: _if_code(self.http.write({"portion_g": 50}, wait_s=1), code), what=code)

    def passes(self, values: dict[str, Value], *, within_s: float) -> Answer:
        """The first write that is applied."""
        return eventually(lambda: _if_code(self.http.write(values), "applied"), within_s=within_s, what="a write")


def _if_code(answer: Answer, code: str) -> Answer | None:
    return answer if answer.code == code else None
