"""The registers of one simulated feeder, and what its PLC accepts in them. Pure.

Addresses are zero-based holding registers, relative to the feeder's base.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from gateway.protocol.messages import Value
from site_agent import mailbox
from site_agent.registers import RegisterType, WordOrder, decode_words, encode_value, words_of

#: Registers of one feeder; those without a name are spare, read as 0.
SIZE: Final = 60
#: The word of alarm bits, see ``auger.Alarm``.
ALARMS: Final = 17
#: Where the mailbox (site_agent/mailbox.py) begins.
MAILBOX: Final = 20
STATUS: Final = MAILBOX + mailbox.STATUS_OFFSET
WATCHDOG: Final = MAILBOX + mailbox.WATCHDOG_OFFSET
ALIVE: Final = MAILBOX + mailbox.ALIVE_OFFSET
#: Meal times: one register that turns them on, then minute of the day and grams of four meals.
SCHEDULE, SCHEDULE_SIZE = 50, 9
SERVICE_MODE: Final = 11
ILLEGAL_ADDRESS, ILLEGAL_VALUE = 2, 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One value of a feeder; ``limits`` are those that the PLC itself checks, and only a setting has them."""

    offset: int
    name: str
    kind: RegisterType
    unit: str
    title: str
    limits: tuple[int, int] | None = None

    @property
    def writable(self) -> bool:
        """Whether a Modbus client may write it."""
        return self.limits is not None

    @property
    def size(self) -> int:
        """How many registers it takes."""
        return words_of(self.kind)


_BOOL, _UINT16, _FLOAT32 = RegisterType.BOOL, RegisterType.UINT16, RegisterType.FLOAT32
ROWS: Final = (
    Row(offset=0, name="portion_g", kind=_UINT16, unit="g", title="food per meal", limits=(0, 2000)),
    Row(offset=1, name="interval_min", kind=_UINT16, unit="min", title="time between two meals", limits=(1, 1440)),
    Row(offset=2, name="enabled", kind=RegisterType.BOOL, unit="", title="1 feeds, 0 rests", limits=(0, 1)),
    Row(offset=4, name="hopper_kg", kind=_FLOAT32, unit="kg", title="food left in the hopper"),
    Row(offset=6, name="fed_today_g", kind=_UINT16, unit="g", title="food given since midnight"),
    Row(offset=8, name="water_c", kind=_FLOAT32, unit="°C", title="temperature of the water"),
    # There is no lid to lift and no key to turn, so whoever tries the farm writes these two by hand.
    Row(offset=10, name="lid_open", kind=_BOOL, unit="", title="1: the lid is open, no doses", limits=(0, 1)),
    Row(offset=11, name="service_mode", kind=_BOOL, unit="", title="1: somebody works at it, no doses", limits=(0, 1)),
    Row(offset=12, name="oxygen_mg_l", kind=_FLOAT32, unit="mg/l", title="oxygen in the water"),
    Row(offset=14, name="fed_total_g", kind=RegisterType.UINT32, unit="g", title="food given ever, meals and doses"),
    Row(offset=16, name="feeding", kind=RegisterType.BOOL, unit="", title="1: the auger runs"),
)
_ALARM_ROW: Final = Row(
    offset=ALARMS, name="alarms", kind=_UINT16, unit="", title="bits: 1 jam, 2 motor fault, 4 over time, 8 short"
)
SCHEDULE_ROWS: Final = (
    Row(offset=SCHEDULE, name="schedule_on", kind=_BOOL, unit="", title="1: meals at these times", limits=(0, 1)),
    *(
        row
        for number in range(1, 5)
        for row in (
            Row(
                offset=SCHEDULE + 2 * number - 1,
                name=f"meal_{number}_min",
                kind=_UINT16,
                unit="min",
                title=f"meal {number}, minute of the day",
                limits=(0, 1439),
            ),
            Row(
                offset=SCHEDULE + 2 * number,
                name=f"meal_{number}_g",
                kind=_UINT16,
                unit="g",
                title=f"meal {number}; 0 is no meal",
                limits=(0, 2000),
            ),
        )
    ),
)
_ALL: Final = (*ROWS, _ALARM_ROW, *SCHEDULE_ROWS)
_BY_NAME: Final = {row.name: row for row in _ALL}
_BY_OFFSET: Final = {row.offset: row for row in _ALL if row.writable}
#: What is written in one request or not at all: the mailbox's command, and the watchdog word.
_WHOLE: Final = frozenset({(MAILBOX, mailbox.COMMAND_SIZE), (WATCHDOG, 1)})
_MAILBOX_ROWS: Final = (
    ("+20..29", "mailbox", "command", "whole", "cmd_seq, last_seq, fence, op, arg_1, arg_2, check"),
    ("+30..41", "mailbox", "answer", "no", "done_seq, done_check, result, before, after, busy_seq, fence"),
    ("+42", "mailbox", "watchdog", "any", "the agent counts here"),
    ("+43", "mailbox", "alive", "no", "0: the agent counted, and then not for a minute"),
)


def decode(words: Sequence[int]) -> dict[str, Value | None]:
    """The values of :data:`ROWS` from a feeder's :data:`SIZE` words; alarms and meal times are read elsewhere."""
    return {row.name: decode_words(row.kind, words[row.offset : row.offset + row.size], WordOrder.BIG) for row in ROWS}


def encode(name: str, value: Value) -> tuple[int, tuple[int, ...]]:
    """Offset and words of one value.

    Raises:
        ValueError: the value does not fit.
    """
    row = _BY_NAME[name]
    return row.offset, encode_value(row.kind, value, WordOrder.BIG)


def refusal(offset: int, words: Sequence[int]) -> int:
    """The exception code with which a PLC turns away this write, or 0; refused writes change nothing at all."""
    if (offset, len(words)) in _WHOLE:
        return 0
    rows = [_BY_OFFSET.get(offset + number) for number in range(len(words))]
    if None in rows:
        return ILLEGAL_ADDRESS
    for row, word in zip(rows, words, strict=True):
        if row is not None and row.limits is not None and not row.limits[0] <= word <= row.limits[1]:
            return ILLEGAL_VALUE
    return 0


def acts(offset: int, words: Sequence[int]) -> bool:
    """Whether the PLC's program answers to this write at once: to its mailbox, and to the key of the service mode."""
    touched = range(offset, offset + len(words))
    return SERVICE_MODE in touched or MAILBOX <= offset < MAILBOX + mailbox.SIZE


def table() -> str:
    """The register table for people, as plain text."""
    lines = [f"{'register':<9} {'name':<13} {'type':<8} {'unit':<5} {'write':<9} meaning"]
    lines += [_line(row) for row in (*ROWS, _ALARM_ROW)]
    for span, name, kind, write, title in _MAILBOX_ROWS:
        lines.append(f"{span:<9} {name:<13} {kind:<8} {'':<5} {write:<9} {title}")
    lines += [_line(row) for row in SCHEDULE_ROWS]
    return "\n".join(lines)


def _line(row: Row) -> str:
    span = f"+{row.offset}" if row.size == 1 else f"+{row.offset}..{row.offset + row.size - 1}"
    write = f"{row.limits[0]}-{row.limits[1]}" if row.limits else "no"
    return f"{span:<9} {row.name:<13} {row.kind:<8} {row.unit:<5} {write:<9} {row.title}"
