"""A feeder inside a :class:`tests.plc.FaultyPlc` that runs the function block of docs/plc, as a customer's would.

Around the block is what the guide asks of a customer: the copying of registers in every cycle, and a feeder's program
that obeys ``start`` and ``running``, counts grams, and says when it is finished. The cycles' time is the test's.
"""

from __future__ import annotations

from collections.abc import MutableSequence
from pathlib import Path
from typing import Final

from tests.plc_feeder import LID_OPEN, MAILBOX, SERVICE_MODE, TOTAL
from tests.structured_text import Block

SOURCE: Final = Path(__file__).parents[1] / "docs" / "plc" / "tidegate_mailbox.st"
CYCLE_MS: Final = 10
#: Cycles that a scan takes, so that a dose that is not slow begins and ends in it.
_CYCLES: Final = 4


class StructuredTextFeeder:
    """The program behind the registers from ``base`` on; a slow dose gives ``slow_g`` at once and goes on for ever."""

    def __init__(self, registers: MutableSequence[int], base: int) -> None:
        self.slow_g: int | None = None
        self.short_g = 0
        self.now_ms = 0
        self._registers = registers
        self._base = base
        self._block = Block(SOURCE.read_text(encoding="utf-8"), "TidegateMailbox")
        self._finished = False
        self._due_g = 0

    def scan(self) -> None:
        """Some cycles."""
        for _ in range(_CYCLES):
            self.cycle()

    def cycle(self) -> None:
        """One cycle: registers in, the block, the feeder's program, registers out."""
        self.now_ms += CYCLE_MS
        at = self._base + MAILBOX
        self._block.scan(
            self.now_ms,
            command=list(self._registers[at : at + 10]),
            watchdog=self._registers[at + 22],
            counter=self.total_g,
            finished=self._finished,
            interlock=bool(self._registers[self._base + LID_OPEN] or self._registers[self._base + SERVICE_MODE]),
        )
        self._feed()
        self._registers[at + 10 : at + 22] = self._block.words("answer")
        self._registers[at + 23] = self._block["alive"]

    def power_off(self) -> None:
        """Registers that the agent writes are not retentive, the lifetime counter is."""
        at = self._base + MAILBOX
        self._registers[at : at + 24] = [0] * 24
        self._block.power_cycle()
        self._finished, self._due_g = False, 0

    @property
    def total_g(self) -> int:
        """The lifetime counter."""
        return self._registers[self._base + TOTAL] << 16 | self._registers[self._base + TOTAL + 1]

    def _feed(self) -> None:
        if self._block["start"]:
            self._finished = False
            self._due_g = self._block["grams"] - self.short_g
            if self.slow_g is not None:
                self._drop(self.slow_g)
        elif self._block["running"] and self.slow_g is None:
            self._drop(self._due_g)
            self._due_g = 0
            self._finished = True

    def _drop(self, grams: int) -> None:
        total = self.total_g + grams & 0xFFFF_FFFF
        self._registers[self._base + TOTAL : self._base + TOTAL + 2] = [total >> 16, total & 0xFFFF]
