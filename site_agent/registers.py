"""Raw values and the 16-bit registers that carry them. Pure; nothing here reads or writes a PLC.

Bytes within a register are big-endian (Modbus Application Protocol 1.1b3, section 4.2). For a value of several
registers the standard names no order, so the site's file says which word, and where a vendor swaps them which byte,
comes first. 0x12345678 lies as ``1234 5678`` (big, big), ``5678 1234`` (words little), ``3412 7856`` (bytes little) or
``7856 3412`` (both little).
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from enum import StrEnum
from math import isfinite
from typing import Final

from gateway.protocol.messages import Value


class Space(StrEnum):
    """Modbus' four tables (Modbus Application Protocol 1.1b3, section 4.3), each with its own addresses from 0 on."""

    HOLDING = "holding"
    INPUT = "input"
    COIL = "coil"
    DISCRETE = "discrete"

    @property
    def bits(self) -> bool:
        """Whether a cell holds a bit instead of a word."""
        return self in (Space.COIL, Space.DISCRETE)

    @property
    def writable(self) -> bool:
        """Whether anybody can write it over Modbus."""
        return self in (Space.HOLDING, Space.COIL)


class RegisterType(StrEnum):
    """How a value lies in registers."""

    BOOL = "bool"
    UINT16 = "uint16"
    INT16 = "int16"
    UINT32 = "uint32"
    INT32 = "int32"
    UINT64 = "uint64"
    INT64 = "int64"
    FLOAT32 = "float32"
    FLOAT64 = "float64"
    BCD16 = "bcd16"
    BCD32 = "bcd32"
    STRING = "string"

    @property
    def whole(self) -> bool:
        """Whether it counts in whole numbers."""
        return self in RANGES

    @property
    def real(self) -> bool:
        """Whether it is a floating-point number."""
        return self in (RegisterType.FLOAT32, RegisterType.FLOAT64)


class WordOrder(StrEnum):
    """Which word of a value of several registers has the lowest address: the most or the least significant."""

    BIG = "big"
    LITTLE = "little"


class ByteOrder(StrEnum):
    """Which byte of a register comes first on the wire: the most significant, as the standard says, or the least."""

    BIG = "big"
    LITTLE = "little"


_STRUCTS: Final = {
    RegisterType.UINT16: struct.Struct(">H"),
    RegisterType.INT16: struct.Struct(">h"),
    RegisterType.UINT32: struct.Struct(">I"),
    RegisterType.INT32: struct.Struct(">i"),
    RegisterType.UINT64: struct.Struct(">Q"),
    RegisterType.INT64: struct.Struct(">q"),
    RegisterType.FLOAT32: struct.Struct(">f"),
    RegisterType.FLOAT64: struct.Struct(">d"),
}
_DIGITS: Final = {RegisterType.BCD16: 4, RegisterType.BCD32: 8}
#: The least and the greatest value of each type of whole numbers.
RANGES: Final = {
    RegisterType.UINT16: (0, 2**16 - 1),
    RegisterType.INT16: (-(2**15), 2**15 - 1),
    RegisterType.UINT32: (0, 2**32 - 1),
    RegisterType.INT32: (-(2**31), 2**31 - 1),
    RegisterType.UINT64: (0, 2**64 - 1),
    RegisterType.INT64: (-(2**63), 2**63 - 1),
    RegisterType.BCD16: (0, 10**4 - 1),
    RegisterType.BCD32: (0, 10**8 - 1),
}
_WORDS: Final = {
    RegisterType.BOOL: 1,
    **{kind: digits // 4 for kind, digits in _DIGITS.items()},
    **{kind: packing.size // 2 for kind, packing in _STRUCTS.items()},
}


def words_of(kind: RegisterType) -> int:
    """How many registers a value of this type takes; a string has a length of its own.

    Raises:
        KeyError: a string.
    """
    return _WORDS[kind]


def encode_value(
    kind: RegisterType, value: Value, order: WordOrder, byte_order: ByteOrder = ByteOrder.BIG
) -> tuple[int, ...]:
    """The register words of a value, lowest address first; not of a string.

    Raises:
        ValueError: the value is not of the type, or out of its range; nothing is converted or clipped.
    """
    if kind is RegisterType.BOOL:
        if not isinstance(value, bool):
            raise ValueError(f"{value!r} is no bool")
        return _words(int(value).to_bytes(2, "big"), order, byte_order)
    if kind.real:
        return _words(_pack_real(kind, value), order, byte_order)
    low, high = RANGES[kind]
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ValueError(f"{value!r} is no {kind} ({low} to {high})")
    packed = bytes.fromhex(f"{value:0{_DIGITS[kind]}d}") if kind in _DIGITS else _STRUCTS[kind].pack(value)
    return _words(packed, order, byte_order)


def decode_words(
    kind: RegisterType, words: Sequence[int], order: WordOrder, byte_order: ByteOrder = ByteOrder.BIG
) -> Value | None:
    """The value in these words; None if they hold none.

    None is the answer to a float that is no number, a bool other than 0 and 1, and a BCD digit beyond 9.

    Raises:
        ValueError: another number of words than the type takes.
    """
    if len(words) != _WORDS[kind]:
        raise ValueError(f"a {kind} takes {_WORDS[kind]} registers, not {len(words)}")
    packed = _bytes(words, order, byte_order)
    if kind is RegisterType.BOOL:
        return bool(packed[1]) if packed in (b"\0\0", b"\0\1") else None
    if kind is RegisterType.FLOAT32:
        return _shortest(packed)
    if kind in _DIGITS:
        digits = packed.hex()
        return int(digits) if digits.isdecimal() else None
    (value,) = _STRUCTS[kind].unpack(packed)
    return value if isinstance(value, int) or isfinite(value) else None


def encode_text(text: Value, length: int, byte_order: ByteOrder) -> tuple[int, ...]:
    """UTF-8, two bytes to a register, filled up with zeros.

    Raises:
        ValueError: no text, longer than ``length`` registers, or with a zero in it.
    """
    if not isinstance(text, str) or "\0" in text:
        raise ValueError(f"{text!r} is no text without zeros")
    packed = text.encode()
    if len(packed) > 2 * length:
        raise ValueError(f"{text!r} has {len(packed)} bytes, {2 * length} at most")
    return _words(packed.ljust(2 * length, b"\0"), WordOrder.BIG, byte_order)


def decode_text(words: Sequence[int], byte_order: ByteOrder) -> str | None:
    """The text up to the first zero, without blanks at its end; None if it is no UTF-8."""
    packed, _, _ = _bytes(words, WordOrder.BIG, byte_order).partition(b"\0")
    try:
        return packed.decode().rstrip(" ")
    except UnicodeDecodeError:
        return None


def same(kind: RegisterType, asked: Value, read: Value) -> bool:
    """Whether a PLC that reads ``read`` holds what was ``asked``, within what the type can carry.

    Raises:
        ValueError: ``asked`` is no value of the type.
    """
    if isinstance(asked, bool) is not isinstance(read, bool):
        return False
    if kind.real and not isinstance(read, str):
        # As numbers: 0.0 and -0.0 are different bytes.
        return _held_real(kind, asked) == _held_real(kind, read)
    return asked == read


def _words(packed: bytes, order: WordOrder, byte_order: ByteOrder) -> tuple[int, ...]:
    words = struct.unpack(f"{'>' if byte_order is ByteOrder.BIG else '<'}{len(packed) // 2}H", packed)
    return words if order is WordOrder.BIG else words[::-1]


def _bytes(words: Sequence[int], order: WordOrder, byte_order: ByteOrder) -> bytes:
    ordered = words if order is WordOrder.BIG else words[::-1]
    return struct.pack(f"{'>' if byte_order is ByteOrder.BIG else '<'}{len(words)}H", *ordered)


def _pack_real(kind: RegisterType, value: Value) -> bytes:
    try:
        if isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value):
            packed = _STRUCTS[kind].pack(value)
            if value and not any(packed[1:]) and packed[0] in (0, 0x80):
                raise ValueError(f"{value!r} is too near to zero for {kind}")
            return packed
    except OverflowError:
        raise ValueError(f"{value!r} is beyond {kind}") from None
    raise ValueError(f"{value!r} is no number")


def _held_real(kind: RegisterType, value: Value) -> float:
    (held,) = _STRUCTS[kind].unpack(_pack_real(kind, value))
    return float(held)


def _shortest(packed: bytes) -> float | None:
    """The shortest decimal that rounds to this float32, so that a sensor's 18.4 is not shown as 18.399999618530273."""
    (exact,) = _STRUCTS[RegisterType.FLOAT32].unpack(packed)
    if not isfinite(exact):
        return None
    for digits in (6, 7, 8):
        short = float(f"{exact:.{digits}g}")
        if _STRUCTS[RegisterType.FLOAT32].pack(short) == packed:
            return short
    return float(f"{exact:.9g}")  # nine digits name every float32 (IEEE 754, section 5.12.2)
