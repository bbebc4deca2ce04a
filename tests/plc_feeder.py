"""A feeder with a mailbox inside a :class:`tests.plc.FaultyPlc`: what really fell into the water, and why.

It shares no code with the product: layout and checksum are written down anew, from the register table of docs/plc. The
log of doses is the ground truth of every test about them. Time passes only when the PLC is asked something, which is
all that anybody outside can tell.
"""

from __future__ import annotations

import time
from collections.abc import Callable, MutableSequence
from dataclasses import dataclass
from typing import Final, Protocol

#: Offsets from the feeder's base.
LID_OPEN, SERVICE_MODE, OXYGEN, TOTAL, FEEDING, MAILBOX = 10, 11, 12, 14, 16, 20
#: Offsets from the mailbox's base.
_CMD, _DONE, _DONE_CHECK, _RESULT, _BEFORE, _AFTER, _BUSY, _FENCE, _WATCHDOG, _ALIVE = (
    0,
    10,
    12,
    13,
    14,
    16,
    18,
    20,
    22,
    23,
)
_DONE_OK, _SHORT, _INTERRUPTED, _INTERLOCKED, _BAD = 1, 2, 3, 4, 5
_FEED: Final = 1
LARGEST_G: Final = 500


class Program(Protocol):
    """What a PLC runs on a block of its registers."""

    def scan(self) -> None:
        """One turn, or as many as make a difference."""

    def power_off(self) -> None:
        """The power goes; what is not retentive is lost."""


@dataclass(slots=True)
class Dose:
    """One time that the auger ran for a command; ``at_s`` is ``time.monotonic()``; ``counted`` None while it runs."""

    base: int
    seq: int
    asked: int
    at_s: float
    #: The epoch of the agent that commanded it.
    fence: int
    counted: int | None = None


@dataclass(frozen=True, slots=True)
class _Run:
    seq: int
    check: int
    dose: Dose
    until_s: float


class Feeder:
    """The program behind the registers from ``base`` on; ``dose_s`` is how long a dose takes."""

    def __init__(self, registers: MutableSequence[int], base: int, doses: list[Dose], dose_s: float) -> None:
        self.base = base
        self.dose_s = dose_s
        #: Grams that the next dose falls short by.
        self.short_g = 0
        #: Seconds after which a silent agent's dose is stopped.
        self.watchdog_s = 60.0
        #: Its clock.
        self.now: Callable[[], float] = time.monotonic
        self._registers = registers
        self._doses = doses
        self._run: _Run | None = None
        self._watched = (0, 0.0)
        self._counted = False
        self._put32(self.base + TOTAL, 0)
        self._set(_ALIVE, 1)

    def scan(self) -> None:
        """One turn of the program: end what is over, then look for a new command."""
        now_s = self.now()
        self._watch(now_s)
        run = self._run
        if run is not None and now_s >= run.until_s:
            self._end(run, run.dose.asked - self.short_g, _SHORT if self.short_g else _DONE_OK)
            self.short_g = 0
        elif run is not None and not self._registers[self._at(_ALIVE)]:
            self.interrupt()
        if self._run is None:
            self._look(now_s)

    def power_off(self) -> None:
        """What is over has ended, what runs ends now; nothing but the watchdog's word is forgotten."""
        self.scan()
        self.interrupt()
        self._set(_WATCHDOG, 0)
        self._counted = False

    def forsake(self) -> None:
        """As if the agent had not counted for longer than the watchdog waits."""
        self._watch(self.now())
        self._watched = (self._watched[0], self._watched[1] - self.watchdog_s - 1)

    def interrupt(self) -> None:
        """Power or the watchdog ends the dose that runs: as much has fallen as its time allowed."""
        run = self._run
        if run is None:
            return
        left_s = max(0.0, run.until_s - self.now())
        share = 1 - left_s / self.dose_s if self.dose_s else 1.0
        self._end(run, int(run.dose.asked * share), _INTERRUPTED)

    def _look(self, now_s: float) -> None:
        words = [self._registers[self._at(_CMD) + offset] for offset in range(10)]
        seq, last, fence = (words[at] << 16 | words[at + 1] for at in (0, 2, 4))
        op, grams, check = words[6], words[7], words[9]
        if check != _crc(words[:9]) or seq in (0, self._get32(_DONE)) or last != self._get32(_DONE):
            return
        if fence < self._get32(_FENCE):
            return
        self._put32(self._at(_FENCE), fence)
        total = self._total()
        if op == _FEED and 5 <= grams <= LARGEST_G:
            if self._registers[self.base + LID_OPEN]:
                self._finish(seq, check, _INTERLOCKED, total, total)
                return
            dose = Dose(self.base, seq, grams, now_s, fence)
            self._doses.append(dose)
            self._put32(self._at(_BUSY), seq)
            self._registers[self.base + FEEDING] = 1
            self._run = _Run(seq, check, dose, now_s + self.dose_s)
            self._live(now_s)  # who commands, lives
            if not self.dose_s:
                self.scan()
            return
        self._finish(seq, check, _DONE_OK if op == 0 else _BAD, total, total)

    def _end(self, run: _Run, grams: int, result: int) -> None:
        run.dose.counted = max(0, grams)
        before = self._total()
        self._put32(self.base + TOTAL, before + run.dose.counted)
        self._registers[self.base + FEEDING] = 0
        self._run = None
        self._finish(run.seq, run.check, result, before, before + run.dose.counted)

    def _finish(self, seq: int, check: int, result: int, before: int, after: int) -> None:
        self._set(_RESULT, result)
        self._set(_DONE_CHECK, check)
        self._put32(self._at(_BEFORE), before)
        self._put32(self._at(_AFTER), after)
        self._put32(self._at(_DONE), seq)
        self._put32(self._at(_BUSY), 0)

    def _watch(self, now_s: float) -> None:
        """An agent that never counted since the power came back counts no watchdog; nobody waits for it."""
        word, (last, since_s) = self._registers[self._at(_WATCHDOG)], self._watched
        self._counted = self._counted or word != 0
        if word != last or not self._counted:
            self._live(now_s)
        elif now_s - since_s > self.watchdog_s:
            self._set(_ALIVE, 0)

    def _live(self, now_s: float) -> None:
        self._watched = self._registers[self._at(_WATCHDOG)], now_s
        self._set(_ALIVE, 1)

    def _total(self) -> int:
        return self._registers[self.base + TOTAL] << 16 | self._registers[self.base + TOTAL + 1]

    def _at(self, offset: int) -> int:
        return self.base + MAILBOX + offset

    def _set(self, offset: int, word: int) -> None:
        self._registers[self._at(offset)] = word

    def _get32(self, offset: int) -> int:
        return self._registers[self._at(offset)] << 16 | self._registers[self._at(offset) + 1]

    def _put32(self, address: int, value: int) -> None:
        self._registers[address], self._registers[address + 1] = value >> 16 & 0xFFFF, value & 0xFFFF


def _crc(words: list[int]) -> int:
    """CRC-16/MODBUS, bit by bit, as on paper."""
    register = 0xFFFF
    for byte in (part for word in words for part in (word >> 8, word & 0xFF)):
        register ^= byte
        for _ in range(8):
            carry, register = register & 1, register >> 1
            register ^= 0xA001 * carry
    return register
