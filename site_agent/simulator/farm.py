"""The simulated farm: two PLCs with two feeders each, and the time that makes them live."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final, Self

import structlog

from gateway.protocol.messages import Value
from site_agent.mailbox import COMMAND_SIZE, STATUS_SIZE, MailboxStatus
from site_agent.simulator import block
from site_agent.simulator.dosing import Doser, Run, power_up, scan
from site_agent.simulator.feeder import DAY_S, MOST_FED_G, Feeder, Settings, advance
from site_agent.simulator.plc import UNIT, SimulatedPlc
from site_agent.simulator.retention import Retained, keep, recall

log = structlog.get_logger(__name__)

#: PLC -> feeder -> base register.
LAYOUT: Final = {
    "plc-1": {"feeder-1": 0, "feeder-2": 100},
    "plc-2": {"feeder-3": 0, "feeder-4": 100},
}
DEFAULTS: Final[dict[str, Value]] = {
    "portion_g": 120,
    "interval_min": 30,
    "enabled": True,
    "hopper_kg": 25.0,
    "fed_today_g": 0,
    "oxygen_mg_l": 8.0,
}
#: Seconds of the clock, not of the farm, without a new count of the agent until the safe state.
WATCHDOG_S: Final = 60.0


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
        memory: a file that keeps the registers over a restart.
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
        self._runs: dict[tuple[str, int], Run] = {}
        self._watched: dict[tuple[str, int], tuple[int, float]] = {}
        self._kept: Retained | None = None
        self._keeping: set[asyncio.Task[None]] = set()
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
            self._runs = _runs(retained)
            await self._wake_feeders()
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
        await asyncio.gather(*self._keeping)
        for plc in self._plcs.values():
            await plc.stop()
        self._plcs.clear()
        self._feeders.clear()

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
            try:
                await self.tick()
            except OSError as error:  # a full disk stops the memory file, not the feeders
                log.error("memory not kept", reason=str(error))

    async def _wake_feeders(self) -> None:
        for number, (plc, name, base) in enumerate(_all_feeders()):
            await self._put_doser(plc, base, power_up(await self._doser(plc, base)))
            self._feeders[plc, name] = Feeder(
                now_s=self._began_s, timer_s=self._began_s, hopper_kg=0.0, fed_today_g=0, phase=float(number)
            )
            await self._tick_feeder(plc, name, base, self._began_s)

    async def _tick_feeder(self, plc: str, name: str, base: int, farm_s: float) -> None:
        await self._dose(plc, name, base, farm_s)
        words = await self._plcs[plc].read(base, block.SIZE)
        settings, before = _from_registers(words, self._feeders[plc, name])
        # One auger: a meal that is due while a dose runs comes after it, so that the counters tell the dose alone.
        after = before if (plc, base) in self._runs else advance(before, settings, farm_s)
        await self._count(plc, base, round(1000 * (before.hopper_kg - after.hopper_kg)))
        for reading in ("hopper_kg", "fed_today_g", "water_c"):
            offset, fresh = block.encode(reading, getattr(after, reading))
            if fresh != words[offset : offset + len(fresh)]:
                await self._plcs[plc].write(base + offset, fresh)
        if settings != self._settings.get((plc, name)):
            log.info("settings", feeder=name, **asdict(settings))
        if after.hopper_kg != before.hopper_kg:
            log.info("fed", feeder=name, grams=round(1000 * (before.hopper_kg - after.hopper_kg)))
        self._feeders[plc, name], self._settings[plc, name] = after, settings

    async def _dose(self, plc: str, name: str, base: int, farm_s: float) -> None:
        words = await self._plcs[plc].read(base, block.SIZE)
        before = await self._doser(plc, base)
        alive = self._alive(plc, base, words[block.WATCHDOG])
        values = block.decode(words)
        locked = values["lid_open"] is not False or values["service_mode"] is not False
        command = words[block.MAILBOX : block.MAILBOX + COMMAND_SIZE]
        after = scan(before, command, farm_s, interlocked=locked, alive=alive)
        if after.run is not None and before.run is None:  # whoever commands lives
            self._watched[plc, base] = words[block.WATCHDOG], self._now()
            alive = True
        if int(alive) != words[block.ALIVE]:
            await self._plcs[plc].write(base + block.ALIVE, [int(alive)])
        if after != before:
            await self._put_doser(plc, base, after)
        if before.run is not None and after.run is None:
            log.info("dosed", feeder=name, grams=after.status.counter_after - after.status.counter_before)

    def _alive(self, plc: str, base: int, word: int) -> bool:
        now_s = self._now()
        last, since_s = self._watched.get((plc, base), (None, now_s))
        if word != last:
            since_s = now_s
        self._watched[plc, base] = word, since_s
        return now_s - since_s <= WATCHDOG_S

    async def _doser(self, plc: str, base: int) -> Doser:
        words = await self._plcs[plc].read(base, block.SIZE)
        values = block.decode(words)
        return Doser(
            status=MailboxStatus.from_words(words[block.STATUS : block.STATUS + STATUS_SIZE]),
            total_g=int(values["fed_total_g"] or 0),
            hopper_g=round(1000 * float(values["hopper_kg"] or 0)),
            run=self._runs.get((plc, base)),
        )

    async def _put_doser(self, plc: str, base: int, doser: Doser) -> None:
        before = await self._doser(plc, base)
        fed_g = before.hopper_g - doser.hopper_g
        today = block.decode(await self._plcs[plc].read(base, block.SIZE))["fed_today_g"]
        await self._put(plc, base, "fed_total_g", doser.total_g)
        await self._put(plc, base, "hopper_kg", doser.hopper_g / 1000)
        await self._put(plc, base, "fed_today_g", min(int(today or 0) + fed_g, MOST_FED_G))
        await self._put(plc, base, "feeding", doser.run is not None)
        await self._plcs[plc].write(base + block.STATUS, doser.status.words())
        if doser.run is None:
            self._runs.pop((plc, base), None)
        else:
            self._runs[plc, base] = doser.run

    async def _count(self, plc: str, base: int, grams: int) -> None:
        if grams:
            total = block.decode(await self._plcs[plc].read(base, block.SIZE))["fed_total_g"]
            await self._put(plc, base, "fed_total_g", int(total or 0) + grams & 0xFFFF_FFFF)

    async def _put(self, plc: str, base: int, name: str, value: Value) -> None:
        offset, fresh = block.encode(name, value)
        await self._plcs[plc].write(base + offset, fresh)

    async def _scan(self) -> None:
        try:
            await self.tick()
        except OSError as error:
            log.error("memory not kept", reason=str(error))

    def _on_write(self, to_mailbox: bool) -> None:
        if to_mailbox or self._memory is not None:
            # Runs when the server has stored it, before the next request: a kill must not lose a setting.
            task = asyncio.create_task(self._scan() if to_mailbox else self._keep_memory())
            self._keeping.add(task)
            task.add_done_callback(self._keeping.discard)

    async def _keep_memory(self) -> None:
        if self._memory is None:
            return
        plcs: dict[str, dict[int, list[int]]] = {}
        runs: dict[str, dict[int, Run]] = {}
        for plc, _, base in _all_feeders():
            plcs.setdefault(plc, {})[base] = list(await self._plcs[plc].read(base, block.SIZE))
            if (plc, base) in self._runs:
                runs.setdefault(plc, {})[base] = self._runs[plc, base]
        retained = Retained(day=int(self.farm_s // DAY_S), plcs=plcs, runs=runs)
        if retained != self._kept:
            keep(self._memory, retained)
            self._kept = retained


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
    memory = {base: _block(kept.get(base, [])) for base in LAYOUT[plc].values()}
    if retained and retained.day != int(farm_s // DAY_S):
        for words in memory.values():
            _put(words, "fed_today_g", 0)
    return memory


def _runs(retained: Retained | None) -> dict[tuple[str, int], Run]:
    runs = retained.runs if retained else {}
    return {(plc, base): run for plc, bases in runs.items() for base, run in bases.items()}


def _block(kept: Sequence[int]) -> list[int]:
    """A memory kept before a feeder had more registers is filled up with fresh ones."""
    return [*kept, *_fresh_block()[len(kept) :]]


def _fresh_block() -> list[int]:
    words = [0] * block.SIZE
    for name, value in DEFAULTS.items():
        _put(words, name, value)
    return words


def _put(words: list[int], name: str, value: Value) -> None:
    offset, fresh = block.encode(name, value)
    words[offset : offset + len(fresh)] = fresh
