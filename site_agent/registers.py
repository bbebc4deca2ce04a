"""Values and the 16-bit registers that carry them. Pure; nothing here reads or writes a PLC.

Bytes within a register are big-endian (Modbus Application Protocol 1.1b3, section 4.2). For a value of two
registers the standard names no order, so each property says which of its words comes first.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from enum import StrEnum
from math import isfinite
from typing import Final

from gateway.protocol.messages import Value


class RegisterType(StrEnum):
    """How a value lies in registers."""

    BOOL = "bool"
    UINT16 = "uint16"
    INT16 = "int16"
    UINT32 = "uint32"
    FLOAT32 = "float32"


class WordOrder(StrEnum):
    """Which word of a value of several registers has the lowest address: the most or the least significant."""

    BIG = "big"
    LITTLE = "little"


_WORDS: Final = {
    RegisterType.BOOL: 1,
    RegisterType.UINT16: 1,
    RegisterType.INT16: 1,
    RegisterType.UINT32: 2,
    RegisterType.FLOAT32: 2,
}
_RANGES: Final = {
    RegisterType.UINT16: (0, 0xFFFF),
    RegisterType.INT16: (-0x8000, 0x7FFF),
    RegisterType.UINT32: (0, 0xFFFF_FFFF),
}
_FLOAT32: Final = struct.Struct(">f")
_TWO_WORDS: Final = struct.Struct(">HH")


def words_of(kind: RegisterType) -> int:
    """How many registers a value of this type takes."""
    return _WORDS[kind]


def encode_value(kind: RegisterType, value: Value, order: WordOrder) -> tuple[int, ...]:
    """The register words of a value, lowest address first.

    Raises:
        ValueError: the value is not of the type, or out of its range; nothing is converted or clipped.
    """
    if kind is RegisterType.BOOL:
        if not isinstance(value, bool):
            raise ValueError(f"{value!r} is no bool")
        return (int(value),)
    if kind is RegisterType.FLOAT32:
        return _ordered(_TWO_WORDS.unpack(_pack_float32(value)), order)
    low, high = _RANGES[kind]
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ValueError(f"{value!r} is no {kind} ({low} to {high})")
    if kind is RegisterType.UINT32:
        return _ordered((value >> 16, value & 0xFFFF), order)
    return (value & 0xFFFF,)


def decode_words(kind: RegisterType, words: Sequence[int], order: WordOrder) -> Value | None:
    """The value in these words; None if they hold none (a float that is no number, a bool other than 0 and 1).

    Raises:
        ValueError: another number of words than the type takes.
    """
    if len(words) != _WORDS[kind]:
        raise ValueError(f"a {kind} takes {_WORDS[kind]} registers, not {len(words)}")
    if kind is RegisterType.FLOAT32:
        first, second = _ordered((words[0], words[1]), order)
        return _shortest(_TWO_WORDS.pack(first, second))
    if kind is RegisterType.UINT32:
        first, second = _ordered((words[0], words[1]), order)
        return first << 16 | second
    word = words[0]
    if kind is RegisterType.BOOL:
        return bool(word) if word in (0, 1) else None
    if kind is RegisterType.INT16 and word >= 0x8000:
        return word - 0x1_0000
    return word


def same(kind: RegisterType, asked: Value, read: Value) -> bool:
    """Whether a PLC that reads ``read`` holds what was ``asked``, within what the type can carry.

    Raises:
        ValueError: ``asked`` is no value of the type.
    """
    if isinstance(asked, bool) is not isinstance(read, bool):
        return False
    if kind is RegisterType.FLOAT32 and not isinstance(read, str):
        return _as_float32(asked) == _as_float32(read)
    return asked == read


def _ordered(words: tuple[int, int], order: WordOrder) -> tuple[int, int]:
    return words if order is WordOrder.BIG else (words[1], words[0])


def _pack_float32(value: Value) -> bytes:
    try:
        if isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value):
            return _FLOAT32.pack(value)
    except OverflowError:
        raise ValueError(f"{value!r} is beyond float32") from None
    raise ValueError(f"{value!r} is no number")


def _as_float32(value: Value) -> float:
    (rounded,) = _FLOAT32.unpack(_pack_float32(value))
    return float(rounded)


def _shortest(packed: bytes) -> float | None:
    """The shortest decimal that rounds to this float32, so that a sensor's 18.4 is not shown as 18.399999618530273."""
    (exact,) = _FLOAT32.unpack(packed)
    if not isfinite(exact):
        return None
    for digits in (6, 7, 8):
        short = float(f"{exact:.{digits}g}")
        if _FLOAT32.pack(short) == packed:
            return short
    return float(f"{exact:.9g}")  # nine digits name every float32 (IEEE 754, section 5.12.2)
