"""The program of one feeder in its simulated PLC: registers in, a piece of life, registers out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Final

import structlog

from site_agent.mailbox import STATUS_SIZE, MailboxStatus
from site_agent.simulator import block
from site_agent.simulator.auger import Alarm
from site_agent.simulator.doses import Doses
from site_agent.simulator.dosing import Run
from site_agent.simulator.feeder import Feeder, Settings, advance
from site_agent.simulator.picture import FeederPicture
from site_agent.simulator.plc import SimulatedPlc
from site_agent.simulator.pond import Pond, drift_g
from site_agent.simulator.scenario import Misfortune, Scenario
from site_agent.simulator.schedule import slots

log = structlog.get_logger(__name__)

#: Seconds between the meals of one feeder and the next, where meals keep to the clock.
_STAGGER_S: Final = 120


class Program:
    """Life of the feeder ``name``, the farm's ``number``-th, whose registers begin at ``base`` of ``plc``.

    The registers overrule what it remembers, so whoever changes a register changes the feeder.
    """

    def __init__(
        self, plc: SimulatedPlc, name: str, number: int, *, base: int, scenario: Scenario, seed: int, began_s: float
    ) -> None:
        self.name = name
        self._plc = plc
        self._number = number
        self._base = base
        self._scenario = scenario
        self._seed = f"{seed}/{name}"
        self._began_s = began_s
        self._auger = replace(scenario.auger, seed=self._seed)
        self._doses = Doses(plc, name, base, None)
        self._feeder = Feeder(now_s=began_s, timer_s=began_s, hopper_kg=0.0, fed_today_g=0, phase=float(number))
        self._pond = Pond(now_s=began_s, seed=self._seed)
        self._settings: Settings | None = None
        self._error_g = 0
        self._total_g = 0
        self._logged_g = 0
        self._served = False

    @property
    def run(self) -> Run | None:
        """The dose under way."""
        return self._doses.run

    async def wake(self, run: Run | None) -> None:
        """Power up; ``run`` is the dose that was under way when the power went."""
        self._doses = Doses(self._plc, self.name, self._base, run)
        await self._doses.power_up()
        values = block.decode(await self._words())
        self._total_g, self._served = int(values["fed_total_g"] or 0), values["service_mode"] is True
        if self._scenario.lively:
            interval_s = 60 * max(int(values["interval_min"] or 0), 1)
            late_s = (self._began_s - self._number * _STAGGER_S) % interval_s
            self._feeder = replace(self._feeder, timer_s=self._began_s - late_s)

    async def tick(self, farm_s: float, now_s: float) -> None:
        """Live up to ``farm_s``; ``now_s`` is the real time."""
        served = block.decode(await self._words())["service_mode"] is True
        if self._served and not served:
            self._auger = self._auger.repaired()
        self._served = served
        await self._doses.scan(farm_s, now_s, self._auger, self._error_g)
        words = await self._words()
        settings, before = self._from_registers(words)
        # One auger: a meal that is due while a dose runs comes after it, so that the counters tell the dose alone.
        after = advance(before, settings, farm_s, replace(self._auger, held=self.run is not None))
        await self._doses.count(after.given_g - before.given_g)
        await self._show(words, after, farm_s)
        self._log(settings, after)
        self._feeder, self._settings = after, settings

    async def befall(self, misfortune: Misfortune) -> None:
        """Let something happen to it."""
        self._auger = misfortune.upon(self._auger)
        for name, value in misfortune.panel.items():
            offset, words = block.encode(name, value)
            await self._plc.write(self._base + offset, words)
        log.info("happened", feeder=self.name, what=misfortune.told)

    async def picture(self) -> FeederPicture:
        """As it is now."""
        words = await self._words()
        return FeederPicture(
            name=self.name,
            values=block.decode(words),
            alarms=Alarm(words[block.ALARMS]),
            meals=slots(words),
            status=MailboxStatus.from_words(words[block.STATUS : block.STATUS + STATUS_SIZE]),
        )

    def _log(self, settings: Settings, after: Feeder) -> None:
        if settings != self._settings:
            log.info("settings", feeder=self.name, **asdict(settings))
        if after.meal is None and after.given_g != self._logged_g:
            log.info("fed", feeder=self.name, grams=after.given_g - self._logged_g)
            self._logged_g = after.given_g
        if after.alarms != self._feeder.alarms:
            log.info("alarms", feeder=self.name, bits=int(after.alarms))

    async def _words(self) -> tuple[int, ...]:
        return await self._plc.read(self._base, block.SIZE)

    def _from_registers(self, words: Sequence[int]) -> tuple[Settings, Feeder]:
        """Nonsense that only a panel can leave there is at rest."""
        values = block.decode(words)
        portion_g, interval_min, hopper_kg, fed_today_g = (
            values[name] or 0 for name in ("portion_g", "interval_min", "hopper_kg", "fed_today_g")
        )
        settings = Settings(
            portion_g=int(portion_g),
            interval_min=int(interval_min),
            enabled=values["enabled"] is True,
            meals=slots(words),
        )
        feeder = replace(
            self._feeder,
            hopper_kg=float(hopper_kg) - self._error_g / 1000,
            fed_today_g=int(fed_today_g),
            alarms=Alarm(words[block.ALARMS]),
        )
        return settings, feeder

    async def _show(self, words: Sequence[int], feeder: Feeder, farm_s: float) -> None:
        """Write what instruments read, where it differs from ``words``."""
        scenario = self._scenario
        if scenario.drift_g:
            # A scale is right when its PLC is switched on: somebody has just set it to nought.
            most_g = scenario.drift_g
            self._error_g = drift_g(self._seed, farm_s, most_g) - drift_g(self._seed, self._began_s, most_g)
        readings = {
            "hopper_kg": feeder.hopper_kg + self._error_g / 1000,
            "fed_today_g": feeder.fed_today_g,
            "water_c": feeder.water_c,
            "feeding": self.run is not None or feeder.meal is not None,
            "alarms": int(feeder.alarms),
        }
        if scenario.climate is not None:
            total_g = int(block.decode(await self._words())["fed_total_g"] or 0)
            self._pond = self._pond.later(scenario.climate, farm_s, max(0, total_g - self._total_g))
            self._total_g = total_g
            readings["oxygen_mg_l"] = self._pond.oxygen_mg_l(scenario.climate)
        for name, value in readings.items():
            offset, fresh = block.encode(name, value)
            if fresh != tuple(words[offset : offset + len(fresh)]):
                await self._plc.write(self._base + offset, fresh)
