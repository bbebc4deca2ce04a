"""The simulated farm: two PLCs with two feeders each, and the time that makes them live."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final, Self

import structlog

from site_agent.simulator import block
from site_agent.simulator.doses import Doses
from site_agent.simulator.dosing import Run
from site_agent.simulator.feeder import DAY_S, Feeder, Settings, advance
from site_agent.simulator.memory import at_power_up
from site_agent.simulator.plc import UNIT, SimulatedPlc
from site_agent.simulator.retention import Retained, keep, recall

log = structlog.get_logger(__name__)

#: PLC -> feeder -> base register.
LAYOUT: Final = {
    "plc-1": {"feeder-1": 0, "feeder-2": 100},
    "plc-2": {"feeder-3": 0, "feeder-4": 100},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a simulated PLC listens."""

    host: str
    port: int
    unit: int = UNIT


def local_s() -> float:
    """Seconds of the local calendar, in which every multiple of a day is midnight."""
    now = time.time()
    return now + time.localtime(now).tm_gmtoff


class Farm:
    """Two PLCs on real TCP ports. Use as ``async with Farm() as farm``, or :meth:`start` and :meth:`stop`.

    The settings are read from the registers at every tick, so whoever changes a register changes the feeder.

    Args:
        host: where to listen.
        port: 0 for free ports, else the first PLC's; the others follow.
        speed: farm seconds per second of ``now``.
        tick_s: real seconds between two looks at the clock; 0 lets time stand still except in :meth:`tick`.
        memory: a file that keeps the registers over a restart. What a client wrote, and what came of it, is in the
            file before the client's answer leaves; if the file cannot be written, that is logged, and answered anyway.
        now: the clock, in seconds of the local calendar.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        speed: float = 1.0,
        tick_s: float = 0.5,
        memory: Path | None = None,
        now: Callable[[], float] = local_s,
    ) -> None:
        self._host = host
        self._port = port
        self._speed = speed
        self._tick_s = tick_s
        self._memory = memory
        self._now = now
        self._began_s = 0.0
        self._plcs: dict[str, SimulatedPlc] = {}
        self._feeders: dict[tuple[str, str], Feeder] = {}
        self._settings: dict[tuple[str, str], Settings] = {}
        self._doses: dict[tuple[str, int], Doses] = {}
        self._awake = False
        self._kept: Retained | None = None
        self._life: asyncio.Task[None] | None = None

    @property
    def addresses(self) -> dict[str, Address]:
        """Where the PLCs listen; empty unless started."""
        return {name: Address(host=self._host, port=plc.port) for name, plc in self._plcs.items()}

    @property
    def farm_s(self) -> float:
        """The farm's own time, in seconds of the local calendar."""
        return self._began_s + (self._now() - self._began_s) * self._speed

    async def start(self) -> None:
        """Listen on both ports and let the feeders live.

        Raises:
            Unavailable: a port is taken.
            SettingsError: the memory file holds something else.
        """
        self._began_s = self._now()
        retained = recall(self._memory) if self._memory else None
        try:
            for number, name in enumerate(LAYOUT):
                memory = _initial_memory(name, retained, self._began_s)
                port = self._port + number if self._port else 0
                plc = SimulatedPlc(self._host, port, memory, self._on_write)
                await plc.start()
                self._plcs[name] = plc
            await self._wake_feeders(retained)
        except BaseException:
            await self.stop()
            raise
        if self._tick_s:
            self._life = asyncio.create_task(self._live(), name="farm")

    async def stop(self) -> None:
        """Keep the memory, drop all connections, listen no more; may be repeated."""
        if self._life is not None:
            self._life.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._life
            self._life = None
            await self._keep_memory()
        self._awake = False
        for plc in self._plcs.values():
            await plc.stop()
        self._plcs.clear()
        self._feeders.clear()
        self._doses.clear()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def read(self, plc: str, address: int, count: int) -> tuple[int, ...]:
        """Registers of a PLC, seen from inside."""
        return await self._plcs[plc].read(address, count)

    async def write(self, plc: str, address: int, words: Sequence[int]) -> None:
        """Change any register of a PLC, as a hand at its panel does (readings too: this is how a hopper is filled)."""
        await self._plcs[plc].write(address, words)

    async def tick(self) -> None:
        """Let every feeder live up to now."""
        farm_s = self.farm_s
        for plc, feeders in LAYOUT.items():
            for name, base in feeders.items():
                await self._tick_feeder(plc, name, base, farm_s)
        await self._keep_memory()

    async def _live(self) -> None:
        while True:
            await asyncio.sleep(self._tick_s)
            await self._scan()

    async def _wake_feeders(self, retained: Retained | None) -> None:
        for number, (plc, name, base) in enumerate(_all_feeders()):
            run = retained.runs.get(plc, {}).get(base) if retained else None
            self._doses[plc, base] = Doses(self._plcs[plc], name, base, run)
            await self._doses[plc, base].power_up()
            self._feeders[plc, name] = Feeder(
                now_s=self._began_s, timer_s=self._began_s, hopper_kg=0.0, fed_today_g=0, phase=float(number)
            )
            await self._tick_feeder(plc, name, base, self._began_s)
        self._awake = True

    async def _tick_feeder(self, plc: str, name: str, base: int, farm_s: float) -> None:
        doses = self._doses[plc, base]
        await doses.scan(farm_s, self._now())
        words = await self._plcs[plc].read(base, block.SIZE)
        settings, before = _from_registers(words, self._feeders[plc, name])
        # One auger: a meal that is due while a dose runs comes after it, so that the counters tell the dose alone.
        after = before if doses.run is not None else advance(before, settings, farm_s)
        await doses.count(round(1000 * (before.hopper_kg - after.hopper_kg)))
        for reading in ("hopper_kg", "fed_today_g", "water_c"):
            offset, fresh = block.encode(reading, getattr(after, reading))
            if fresh != words[offset : offset + len(fresh)]:
                await self._plcs[plc].write(base + offset, fresh)
        if settings != self._settings.get((plc, name)):
            log.info("settings", feeder=name, **asdict(settings))
        if after.hopper_kg != before.hopper_kg:
            log.info("fed", feeder=name, grams=round(1000 * (before.hopper_kg - after.hopper_kg)))
        self._feeders[plc, name], self._settings[plc, name] = after, settings

    async def _scan(self) -> None:
        with _disk_may_be_full():
            await self.tick()

    async def _keep(self) -> None:
        with _disk_may_be_full():
            await self._keep_memory()

    async def _on_write(self, to_mailbox: bool) -> None:
        """Within the request: what it did is retained before its answer leaves, so that a kill loses neither."""
        if not self._awake:
            return
        await (self._scan() if to_mailbox else self._keep())

    async def _keep_memory(self) -> None:
        if self._memory is None:
            return
        plcs: dict[str, dict[int, list[int]]] = {}
        runs: dict[str, dict[int, Run]] = {}
        for plc, _, base in _all_feeders():
            plcs.setdefault(plc, {})[base] = list(await self._plcs[plc].read(base, block.SIZE))
            if (run := self._doses[plc, base].run) is not None:
                runs.setdefault(plc, {})[base] = run
        retained = Retained(day=int(self.farm_s // DAY_S), plcs=plcs, runs=runs)
        if retained != self._kept:
            keep(self._memory, retained)
            self._kept = retained


@contextlib.contextmanager
def _disk_may_be_full() -> Iterator[None]:
    """It stops the memory file, not the feeders."""
    try:
        yield
    except OSError as error:
        log.error("memory not kept", reason=str(error))


def _all_feeders() -> list[tuple[str, str, int]]:
    return [(plc, name, base) for plc, feeders in LAYOUT.items() for name, base in feeders.items()]


def _from_registers(words: Sequence[int], feeder: Feeder) -> tuple[Settings, Feeder]:
    """The registers overrule what the program remembers; nonsense that only a panel can leave there is at rest."""
    values = block.decode(words)
    portion_g, interval_min, hopper_kg, fed_today_g = (
        values[name] or 0 for name in ("portion_g", "interval_min", "hopper_kg", "fed_today_g")
    )
    settings = Settings(portion_g=int(portion_g), interval_min=int(interval_min), enabled=values["enabled"] is True)
    return settings, replace(feeder, hopper_kg=float(hopper_kg), fed_today_g=int(fed_today_g))


def _initial_memory(plc: str, retained: Retained | None, farm_s: float) -> dict[int, list[int]]:
    kept = retained.plcs.get(plc, {}) if retained else {}
    same_day = retained is not None and retained.day == int(farm_s // DAY_S)
    return {base: at_power_up(kept.get(base, []), same_day=same_day) for base in LAYOUT[plc].values()}
