"""The simulated farm: two PLCs with two feeders each, and the time that makes them live."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, Self

import structlog

from site_agent.simulator import block
from site_agent.simulator.dosing import Run
from site_agent.simulator.layout import LAYOUT, Address, all_feeders
from site_agent.simulator.memory import at_power_up
from site_agent.simulator.picture import Picture, Told
from site_agent.simulator.plc import SimulatedPlc
from site_agent.simulator.program import Program
from site_agent.simulator.retention import Retained, keep, recall
from site_agent.simulator.scenario import CALM, Scenario
from site_agent.simulator.schedule import DAY_S

__all__ = ["LAYOUT", "Address", "Farm", "local_s"]

log = structlog.get_logger(__name__)

_REMEMBERED: Final = 20


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
        scenario: what the farm is like, and what happens on it.
        start_s: the second of the day at which the farm's own clock begins; None is the clock's.
        seed: chooses scatter and drift; the same one gives the same.
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
        scenario: Scenario = CALM,
        start_s: float | None = None,
        seed: int = 1,
    ) -> None:
        self._host = host
        self._port = port
        self._speed = speed
        self._tick_s = tick_s
        self._memory = memory
        self._now = now
        self._scenario = scenario
        self._start_s = start_s
        self._seed = seed
        # When the farm began, by how much its clock was then ahead of the real one, and up to when it has lived.
        self._began_s = self._ahead_s = self._seen_s = 0.0
        self._plcs: dict[str, SimulatedPlc] = {}
        self._programs: dict[tuple[str, int], Program] = {}
        self._told: deque[Told] = deque(maxlen=_REMEMBERED)
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
        return self._began_s + self._ahead_s + (self._now() - self._began_s) * self._speed

    async def start(self) -> None:
        """Listen on both ports and let the feeders live.

        Raises:
            Unavailable: a port is taken.
            SettingsError: the memory file holds something else.
        """
        self._began_s = self._now()
        self._ahead_s = 0.0 if self._start_s is None else self._start_s - self._began_s % DAY_S
        self._seen_s = self._began_s + self._ahead_s
        retained = recall(self._memory) if self._memory else None
        try:
            for number, name in enumerate(LAYOUT):
                memory = _initial_memory(name, retained, self._seen_s)
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
        self._programs.clear()

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
        for at_s, misfortune in self._scenario.between(self._seen_s, farm_s):
            await self._live_until(at_s)
            for program in self._programs.values():
                if program.name == misfortune.feeder:
                    await program.befall(misfortune)
            self._told.append(Told(at_s=at_s, feeder=misfortune.feeder, text=misfortune.told))
        await self._live_until(farm_s)
        await self._keep_memory()

    async def picture(self) -> Picture:
        """The farm as it is now; not before :meth:`start`."""
        return Picture(
            farm_s=self.farm_s,
            speed=self._speed,
            scenario=self._scenario.name,
            feeders=tuple([await program.picture() for program in self._programs.values()]),
            told=tuple(self._told),
        )

    async def _live(self) -> None:
        while True:
            await asyncio.sleep(self._tick_s)
            await self._scan()

    async def _wake_feeders(self, retained: Retained | None) -> None:
        for number, (plc, name, base) in enumerate(all_feeders()):
            program = Program(
                self._plcs[plc],
                name,
                number,
                base=base,
                scenario=self._scenario,
                seed=self._seed,
                began_s=self.farm_s,
            )
            self._programs[plc, base] = program
            await program.wake(retained.runs.get(plc, {}).get(base) if retained else None)
            await program.tick(self.farm_s, self._began_s)
        self._awake = True

    async def _live_until(self, farm_s: float) -> None:
        for at_s in self._scenario.steps(self._seen_s, farm_s):
            for program in self._programs.values():
                await program.tick(at_s, self._now())
        self._seen_s = max(self._seen_s, farm_s)

    async def _scan(self) -> None:
        with _disk_may_be_full():
            await self.tick()

    async def _keep(self) -> None:
        with _disk_may_be_full():
            await self._keep_memory()

    async def _on_write(self, acts: bool) -> None:
        """Within the request: what it did is retained before its answer leaves, so that a kill loses neither."""
        if not self._awake:
            return
        await (self._scan() if acts else self._keep())

    async def _keep_memory(self) -> None:
        if self._memory is None:
            return
        plcs: dict[str, dict[int, list[int]]] = {}
        runs: dict[str, dict[int, Run]] = {}
        for plc, _, base in all_feeders():
            plcs.setdefault(plc, {})[base] = list(await self._plcs[plc].read(base, block.SIZE))
            if (run := self._programs[plc, base].run) is not None:
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


def _initial_memory(plc: str, retained: Retained | None, farm_s: float) -> dict[int, list[int]]:
    kept = retained.plcs.get(plc, {}) if retained else {}
    same_day = retained is not None and retained.day == int(farm_s // DAY_S)
    return {base: at_power_up(kept.get(base, []), same_day=same_day) for base in LAYOUT[plc].values()}
