"""The mailbox of one feeder of a running simulated PLC: from its registers, and back into them."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import structlog

from gateway.protocol.messages import Value
from site_agent.mailbox import COMMAND_SIZE, STATUS_SIZE, MailboxStatus
from site_agent.simulator import block
from site_agent.simulator.auger import Alarm, Auger, present
from site_agent.simulator.dosing import Doser, Run, Watch, power_up, scan
from site_agent.simulator.feeder import MOST_FED_G
from site_agent.simulator.plc import SimulatedPlc

_UINT32: Final = 0xFFFF_FFFF

log = structlog.get_logger(__name__)


class Doses:
    """Doses of the feeder ``name``, whose registers begin at ``base``; ``run`` is the one under way.

    Two clocks: a dose flows in farm time, an agent is silent in real time. ``error_g`` is by how much the hopper's
    scale shows too much.
    """

    def __init__(self, plc: SimulatedPlc, name: str, base: int, run: Run | None) -> None:
        self.run = run
        self._plc = plc
        self._name = name
        self._base = base
        self._watch = Watch()

    async def power_up(self) -> None:
        """End what was under way when the power went."""
        before = await self._read(0)
        await self._store(before, power_up(before), 0)

    async def scan(self, farm_s: float, now_s: float, auger: Auger, error_g: int) -> None:
        """One turn of the PLC's program."""
        words = await self._plc.read(self._base, block.SIZE)
        before = await self._read(error_g)
        self._watch = self._watch.see(words[block.WATCHDOG], now_s)
        values = block.decode(words)
        locked = values["lid_open"] is not False or values["service_mode"] is not False
        command = words[block.MAILBOX : block.MAILBOX + COMMAND_SIZE]
        alive = self._watch.alive(now_s)
        after = scan(before, command, farm_s, interlocked=locked, alive=alive, auger=auger)
        after = replace(after, alarms=present(after.alarms, auger))
        if after.run is not None and before.run is None:
            self._watch = self._watch.anew(now_s)
        alive = self._watch.alive(now_s)
        if alive != words[block.ALIVE]:
            await self._plc.write(self._base + block.ALIVE, [int(alive)])
        if after != before:
            await self._store(before, after, error_g)
        if before.run is not None and after.run is None:
            log.info("dosed", feeder=self._name, grams=after.status.counter_after - after.status.counter_before)

    async def count(self, grams: int) -> None:
        """Add a meal to the lifetime total."""
        if grams:
            total = block.decode(await self._plc.read(self._base, block.SIZE))["fed_total_g"]
            await self._put("fed_total_g", int(total or 0) + grams & _UINT32)

    async def _read(self, error_g: int) -> Doser:
        words = await self._plc.read(self._base, block.SIZE)
        values = block.decode(words)
        return Doser(
            status=MailboxStatus.from_words(words[block.STATUS : block.STATUS + STATUS_SIZE]),
            total_g=int(values["fed_total_g"] or 0),
            hopper_g=round(1000 * float(values["hopper_kg"] or 0)) - error_g,
            run=self.run,
            alarms=Alarm(words[block.ALARMS]),
        )

    async def _store(self, before: Doser, after: Doser, error_g: int) -> None:
        today = block.decode(await self._plc.read(self._base, block.SIZE))["fed_today_g"]
        given_g = after.total_g - before.total_g & _UINT32
        await self._put("fed_total_g", after.total_g)
        await self._put("hopper_kg", (after.hopper_g + error_g) / 1000)
        await self._put("fed_today_g", min(int(today or 0) + given_g, MOST_FED_G))
        await self._put("feeding", after.run is not None)
        await self._put("alarms", int(after.alarms))
        await self._plc.write(self._base + block.STATUS, after.status.words())
        self.run = after.run

    async def _put(self, name: str, value: Value) -> None:
        offset, words = block.encode(name, value)
        await self._plc.write(self._base + offset, words)
