"""A seeded run of misfortune: processes die, freeze and come back, wires break, while clients go on asking.

Nothing here waits for time to pass: a fault lasts until some more answers have come.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from random import Random
from typing import Final

import requests

from gateway.demo.roles import AGENT, BROKER, FACADE, GATEWAY, REDIS
from tests import plc_faults as faults
from tests.conditions import eventually
from tests.history import Asked, History
from tests.proxy import Way
from tests.system import INTERVAL, PLACES, System

SETTING: Final = "interval_min"
PATIENCE_S: Final = 1
TTL_S: Final = 2
#: Requests of each feeder's client: the setting takes 1440 different values, in rising order.
MOST: Final = 1_400
PLC_FAULTS: Final = (faults.LOST, faults.DROP, faults.RESET_AFTER, faults.RESET_BEFORE, faults.ANOTHER_VALUE)
#: Between two requests of a client; without it the values would not last.
THINKING_S: Final = 0.1
#: Answers that come while one fault lasts.
FEWEST, MOST_ANSWERS = 2, 15
#: How often the next fault comes before the last one is over.
TWO_AT_ONCE: Final = 0.3


@dataclass
class Chaos:
    """``run`` plays a number of faults, mends everything, and returns the history of the run."""

    system: System
    seed: int
    asked: list[Asked] = field(default_factory=list)
    played: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._random = Random(self.seed)  # noqa: S311 # a script of faults that can be played again
        self._stopping = threading.Event()

    def run(self, steps: int) -> History:
        """Play ``steps`` faults, one after the other, each mended before or during the next."""
        clients = [threading.Thread(target=self._ask, args=(device,), name=device) for device in PLACES]
        for client in clients:
            client.start()
        try:
            for _ in range(steps):
                self._play()
        finally:
            self._stopping.set()
            for client in clients:
                client.join()
        self.system.heal()
        eventually(self._quiet, within_s=30, what="an end, or unknown, of every command")
        return History(asked=tuple(self.asked), rows=self._rows(), effects=self._effects(), setting=SETTING)

    # --- clients -------------------------------------------------------------------------------------------

    def _ask(self, device: str) -> None:
        for value in count(61):
            if self._stopping.wait(THINKING_S) or value > MOST:
                return
            try:
                answer = self.system.http.write({SETTING: value}, device=device, wait_s=PATIENCE_S, ttl_s=TTL_S)
            except requests.RequestException:
                self.asked.append(Asked(device, value, None, None, None))
                continue
            command = (answer.body.get("command") or answer.body).get("id")
            self.asked.append(Asked(device, value, answer.status, answer.code, command))

    def _rows(self) -> list[dict[str, object]]:
        return [row for row in self.system.http.commands() if SETTING in row["input"]]

    def _quiet(self) -> bool:
        return all(row["final"] or row["state"] == "unknown" for row in self._rows())

    def _effects(self) -> dict[str, list[int]]:
        return {
            device: [write.words[0] for write in self.system.plcs[plc].writes if write.address == base + INTERVAL]
            for device, (plc, base) in PLACES.items()
        }

    # --- faults --------------------------------------------------------------------------------------------

    def _play(self) -> None:
        fault: Callable[[], None] = self._random.choice(
            (self._kill, self._kill, self._freeze, self._cut, self._hold, self._misbehave, self._misbehave)
        )
        fault()
        if self._random.random() > TWO_AT_ONCE:
            self._recover()

    def _recover(self) -> None:
        before = len(self.asked)

        def served() -> bool:
            return {each.device for each in self.asked[before:] if each.status == 200} == PLACES.keys()

        try:
            eventually(served, within_s=40, what=f"a write to every device after {self.played}")
        except AssertionError as error:
            error.add_note(f"the last answers: {self.asked[-12:]}")
            raise

    def _for_a_while(self) -> None:
        enough = len(self.asked) + self._random.randint(FEWEST, MOST_ANSWERS)
        eventually(lambda: len(self.asked) >= enough, within_s=60, what="some answers")

    def _note(self, *words: object) -> None:
        self.played.append(" ".join(map(str, words)))

    def _kill(self) -> None:
        role = self._random.choice((BROKER, GATEWAY, FACADE, AGENT, REDIS))
        self._note("kill", role)
        self.system.stack.kill(role)
        self._for_a_while()
        self.system.stack.children[role].start()

    def _freeze(self) -> None:
        role = self._random.choice((BROKER, GATEWAY, FACADE, AGENT, REDIS))
        self._note("freeze", role)
        self.system.stack.freeze(role)
        if role != FACADE:  # no answers come from a frozen facade
            self._for_a_while()
        self.system.stack.thaw(role)

    def _cut(self) -> None:
        wire = self._random.choice(("agent_wire", "facade_wire"))
        self._note("cut", wire)
        getattr(self.system, wire).cut(refuse=self._random.random() < 0.5)
        self._for_a_while()
        getattr(self.system, wire).release()

    def _hold(self) -> None:
        wire, ways = self._random.choice(("agent_wire", "facade_wire")), self._random.choice((*Way, None))
        self._note("hold", wire, ways)
        getattr(self.system, wire).hold(*([ways] if ways else []))
        self._for_a_while()
        getattr(self.system, wire).release()

    def _misbehave(self) -> None:
        plc, fault = self._random.choice(self.system.plcs), self._random.choice(PLC_FAULTS)
        self._note("plc", fault.kind)
        plc.misbehave(fault, on=faults.ALL if self._random.random() < 0.3 else faults.WRITES, times=2)
        self._for_a_while()
