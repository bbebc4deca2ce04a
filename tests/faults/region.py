"""Several sites, two facades, one gateway, broker and Redis, as real processes with a proxy on every wire."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from gateway.crash import VARIABLE
from gateway.credentials import write_private
from gateway.demo.ports import free_port
from gateway.demo.process import Child
from gateway.demo.readiness import takes_writes
from gateway.demo.roles import AGENT, BROKER, FACADE, GATEWAY, HOST, REDIS, Plan, Ports
from gateway.demo.site import Site, site_toml
from gateway.demo.stack import Stack
from tests.faults.history import Effect, Thing
from tests.plc import FaultyPlc
from tests.plc_feeder import OXYGEN
from tests.proxy import Proxy
from tests.proxy_frames import modbus, mqtt
from tests.requirements import programs
from tests.system import ENOUGH_OXYGEN

HEARTBEAT_S: Final = 1
ALIVE_EXPIRY_S: Final = 3
#: device -> (PLC, base register), as in the demo's site file.
PLACES: Final = {"feeder-1": (0, 0), "feeder-2": (0, 100), "feeder-3": (1, 0), "feeder-4": (1, 100)}
SETTING: Final = "interval_min"
ACTION: Final = "feed"
_DOSE_S: Final = 0.05
_SETTING_REGISTER: Final = 1
_FIRST: Final = (50, 60, 1)
SECOND_FACADE: Final = "@facade-2"
#: The site file's limits, as wide as a run needs that asks for thousands of different values.
_WIDE: Final = (
    (r"(?m)^maximum = 1440$", "maximum = 60000"),
    (r"(?m)^least_gap_s = .*$", "least_gap_s = 0.001"),
    (r"(?m)^most_per_day = .*$", "most_per_day = 10000000"),
    (r"(?m)^largest = .*$", "largest = 500"),
    (r"(?m)^step = .*$", "step = 1"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteRig:
    """One site: its agent's process, its wires and its PLCs."""

    name: str
    agent: Child
    wire: Proxy
    plc_wires: tuple[Proxy, Proxy]
    plcs: tuple[FaultyPlc, FaultyPlc]

    def effects(self) -> Iterator[Effect]:
        """All that its PLCs did, writes and doses."""
        for device, (number, base) in PLACES.items():
            plc, thing = self.plcs[number], (self.name, device, SETTING)
            for at, write in zip(list(plc.write_times_s), list(plc.writes), strict=False):
                if write.address == base + _SETTING_REGISTER:
                    yield Effect(at=at, thing=thing, value=write.words[0])
            for dose in list(plc.doses):
                if dose.base == base:
                    thing = (self.name, device, ACTION)
                    yield Effect(at=dose.at_s, thing=thing, value=dose.asked, counted=dose.counted, fence=dose.fence)


class Region:
    """Use :meth:`running`."""

    def __init__(self, stack: Stack, facades: dict[str, str], children: dict[str, Child], wires: list[Proxy]) -> None:
        self.stack = stack
        #: Name -> URL.
        self.facades = facades
        #: Every process, by its name.
        self.children = children
        self.facade_wires = wires
        self.sites: list[SiteRig] = []

    @classmethod
    @contextmanager
    def running(cls, home: Path, *, sites: int, persistence: bool, seed: int) -> Iterator[Self]:
        """Started; every process is stopped at the end."""
        with ExitStack() as stack:
            names = [f"site-{number}" for number in range(1, sites + 1)]
            ports, http = Ports.free(), free_port()
            wires = [stack.enter_context(Proxy.to(ports.machines, frames=mqtt, seed=seed)) for _ in range(2)]
            plan = Plan(
                home=home,
                programs=programs(),
                ports=ports,
                site=names[0],
                heartbeat_s=HEARTBEAT_S,
                alive_expiry_s=ALIVE_EXPIRY_S,
                persistence=persistence,
                environment={FACADE: {"TIDEGATE_BROKER_PORT": str(wires[0].port)}},
            )
            plan.broker_files.write([*plan.users, *names, SECOND_FACADE])
            processes = Stack(plan)
            second = _second_facade(plan, processes, wires[1].port, http)
            children = {role: processes.children[role] for role in (BROKER, REDIS, GATEWAY, FACADE)}
            facades = {"@facade": processes.http_url, SECOND_FACADE: f"http://{HOST}:{http}"}
            region = cls(processes, facades, children | {second.role: second}, wires)
            stack.callback(region._stop)
            for name in names:
                region.sites.append(_site(stack, plan, name, seed))
                region.children[region.sites[-1].agent.role] = region.sites[-1].agent
            processes.start([BROKER, REDIS, GATEWAY, FACADE])
            region.heal()
            yield region

    @property
    def wires(self) -> list[Proxy]:
        """Of facades, agents and PLCs."""
        return [*self.facade_wires, *(wire for site in self.sites for wire in (site.wire, *site.plc_wires))]

    def ready(self) -> bool:
        """Whether every device takes writes from every facade."""
        token = self.stack.token
        return all(
            takes_writes(url, token, site.name, device)
            for url in self.facades.values()
            for site in self.sites
            for device in PLACES
        )

    @property
    def first(self) -> dict[Thing, int]:
        """What the settings were before anybody asked."""
        return {(site.name, device, SETTING): _FIRST[1] for site in self.sites for device in PLACES}

    def heal(self) -> None:
        """Undo every fault, and start what is dead."""
        for site in self.sites:
            for plc in site.plcs:
                plc.behave()
        for wire in self.wires:
            wire.release()
        for child in self.children.values():
            child.thaw()
            if child.environment.pop(VARIABLE, None) is not None:
                child.stop()
            if not child.running:
                child.start()

    def _stop(self) -> None:
        for child in reversed(self.children.values()):
            child.ask_to_stop()
        for child in reversed(self.children.values()):
            child.stop()


def _second_facade(plan: Plan, stack: Stack, broker_port: int, http_port: int) -> Child:
    variables = plan.variables(FACADE) | {
        "TIDEGATE_BROKER_USERNAME": SECOND_FACADE,
        "TIDEGATE_BROKER_PORT": str(broker_port),
        "TIDEGATE_HTTP_PORT": str(http_port),
    }
    argv = stack.children[FACADE].argv
    return Child("facade-2", argv, log=plan.home / "logs" / "facade-2.log", environment=variables)


def _site(stack: ExitStack, plan: Plan, name: str, seed: int) -> SiteRig:
    first, second = (stack.enter_context(FaultyPlc.running()) for _ in range(2))
    for plc in (first, second):
        for base in (0, 100):
            plc.add_feeder(base, dose_s=_DOSE_S)
            plc.set(base, *_FIRST)
            plc.set(base + OXYGEN, *ENOUGH_OXYGEN)
    port = free_port(count=2)
    plc_wires = (
        stack.enter_context(Proxy.to(first.port, port=port, frames=modbus, seed=seed)),
        stack.enter_context(Proxy.to(second.port, port=port + 1, frames=modbus, seed=seed)),
    )
    wire = stack.enter_context(Proxy.to(plan.ports.machines, frames=mqtt, seed=seed))
    file = plan.home / f"{name}.toml"
    text = site_toml(
        Site(
            name=name,
            broker_host=HOST,
            broker_port=wire.port,
            password_file=plan.broker_files.secret_file(name),
            folder=plan.home / name,
            modbus_port=port,
            heartbeat_s=HEARTBEAT_S,
            poll_s=0.5,
        )
    )
    for pattern, wide in _WIDE:
        text = re.sub(pattern, wide, text)
    write_private(file, text)
    argv = [*plan.argv(AGENT)[:-1], str(file)]
    agent = Child(f"agent of {name}", argv, log=plan.home / "logs" / f"{name}.log", environment=plan.variables(AGENT))
    return SiteRig(name=name, agent=agent, wire=wire, plc_wires=plc_wires, plcs=(first, second))
