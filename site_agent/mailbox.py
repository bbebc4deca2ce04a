"""The mailbox: registers through which a PLC takes a command exactly once (design of the block: docs/plc/).

The agent writes the command in one request: ``cmd_seq``, ``last_seq``, ``fence``, ``op``, two arguments and
``check`` (CRC-16/MODBUS over the words before it, high byte first), so that half a request is inert. The PLC acts only
if ``check`` fits, it is not busy, ``cmd_seq`` differs from its retentive ``done_seq``, ``last_seq`` equals it, and
``fence`` is not below the highest it has seen. Everything else is inert: it changes nothing, now or later. So a command
is carried out only upon the very end that its sender had seen: repeats and commands that were overtaken never act, and
neither does an agent of the past. When it begins, the PLC sets ``busy_seq`` and takes over ``fence``; at the end, in
one scan, it sets ``result``, the counters, ``done_check`` and ``done_seq``, and clears ``busy_seq``. All of the answer
is retentive. Sequence numbers are never 0, which is what a PLC holds that has lost its memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

#: Registers of the command, written in one request from the mailbox's base on.
COMMAND_SIZE: Final = 10
#: Where the answer begins, and how many registers it has; read in one request.
STATUS_OFFSET, STATUS_SIZE = 10, 12
#: The agent counts here; a PLC that does not see it change goes to its safe state.
WATCHDOG_OFFSET: Final = 22
#: 1 while the PLC believes in the agent, 0 in the safe state.
ALIVE_OFFSET: Final = 23
SIZE: Final = 24
#: Does nothing but move ``done_seq`` on, and ``fence`` up: greets a PLC, and makes an older command void for ever.
NO_OPERATION: Final = 0


class Result(IntEnum):
    """How the PLC ended the command ``done_seq``."""

    NONE = 0
    DONE = 1
    #: Less was counted than asked (empty, jammed).
    SHORT = 2
    #: Power was lost, or the watchdog bit, while it acted; the counters tell how far it came.
    INTERRUPTED = 3
    #: The PLC's own interlock; it did not act.
    INTERLOCKED = 4
    #: No such operation, or an argument out of range; it did not act.
    BAD_ARGUMENT = 5


#: Results that prove that nothing was done.
WITHOUT_EFFECT: Final = frozenset({Result.INTERLOCKED, Result.BAD_ARGUMENT})


@dataclass(frozen=True, slots=True, kw_only=True)
class MailboxCommand:
    """One command as it lies in the registers; sequence numbers and fence are 32 bits, the rest 16."""

    cmd_seq: int
    last_seq: int
    fence: int
    op: int
    arg_1: int = 0
    arg_2: int = 0

    @property
    def check(self) -> int:
        """CRC over the other words; the PLC echoes it as ``done_check``."""
        return crc16(self._content())

    def words(self) -> tuple[int, ...]:
        """The registers, to be written in one request."""
        content = self._content()
        return (*content, crc16(content))

    def _content(self) -> tuple[int, ...]:
        return (*_split(self.cmd_seq), *_split(self.last_seq), *_split(self.fence), self.op, self.arg_1, self.arg_2)


@dataclass(frozen=True, slots=True, kw_only=True)
class MailboxStatus:
    """The PLC's answer; counters are the total that its sensor ever counted (grams), before and after ``done_seq``."""

    done_seq: int
    done_check: int
    result: int
    counter_before: int
    counter_after: int
    busy_seq: int
    fence: int

    @classmethod
    def from_words(cls, words: Sequence[int]) -> MailboxStatus:
        """Read from the :data:`STATUS_SIZE` registers at :data:`STATUS_OFFSET`.

        Raises:
            ValueError: another number of words.
        """
        if len(words) != STATUS_SIZE:
            raise ValueError(f"a mailbox's answer takes {STATUS_SIZE} registers, not {len(words)}")
        return cls(
            done_seq=_join(words[0:2]),
            done_check=words[2],
            result=words[3],
            counter_before=_join(words[4:6]),
            counter_after=_join(words[6:8]),
            busy_seq=_join(words[8:10]),
            fence=_join(words[10:12]),
        )

    def words(self) -> tuple[int, ...]:
        """As the PLC lays them out."""
        return (
            *_split(self.done_seq),
            self.done_check,
            self.result,
            *_split(self.counter_before),
            *_split(self.counter_after),
            *_split(self.busy_seq),
            *_split(self.fence),
        )


def crc16(words: Sequence[int]) -> int:
    """CRC-16/MODBUS (Modbus over Serial Line 1.02, section 6.2.2) over the words' bytes, high byte first."""
    crc = 0xFFFF
    for word in words:
        for byte in word.to_bytes(2, "big"):
            crc ^= byte
            for _ in range(8):
                crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
    return crc


def _split(value: int) -> tuple[int, int]:
    return value >> 16 & 0xFFFF, value & 0xFFFF


def _join(words: Sequence[int]) -> int:
    return words[0] << 16 | words[1]
