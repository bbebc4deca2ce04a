"""How one property's value lies in its registers: type, orders, bit, scale, choices. Pure.

A scaled value is computed in exact fractions, so 184 tenths are 18.4 and nothing near it; a value that no raw number
stands for is refused instead of rounded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Final

from gateway.protocol.description import ValueType
from gateway.protocol.messages import Value
from site_agent.registers import (
    RANGES,
    ByteOrder,
    RegisterType,
    WordOrder,
    decode_text,
    decode_words,
    encode_text,
    encode_value,
    same,
    words_of,
)

#: Whole numbers that a message can carry.
WHOLE: Final = (-(2**63), 2**64 - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """``value = raw × scale + offset``; ``length`` counts the registers of a string, ``bit`` 0 is the lowest."""

    kind: RegisterType
    word_order: WordOrder = WordOrder.BIG
    byte_order: ByteOrder = ByteOrder.BIG
    bit: int | None = None
    length: int = 0
    scale: Fraction = Fraction(1)
    offset: Fraction = Fraction(0)
    decimals: int | None = None
    #: Names of raw numbers.
    choices: Mapping[str, int] = field(default_factory=dict)

    @property
    def words(self) -> int:
        """How many registers it takes."""
        return self.length if self.kind is RegisterType.STRING else words_of(self.kind)

    @property
    def scaled(self) -> bool:
        """Whether the raw number is another one."""
        return self.scale != 1 or self.offset != 0

    def encode(self, value: Value) -> tuple[int, ...]:
        """The words that stand for exactly this value.

        Raises:
            ValueError: there are none.
        """
        if self.kind is RegisterType.STRING:
            return encode_text(value, self.length, self.byte_order)
        return encode_value(self.kind, self._raw(value), self.word_order, self.byte_order)

    def decode(self, words: Sequence[int]) -> Value | None:
        """The value in these words; None if they hold none.

        Raises:
            ValueError: another number of words than it takes.
        """
        if self.kind is RegisterType.STRING:
            return decode_text(words, self.byte_order)
        if self.bit is not None:
            raw = decode_words(RegisterType.UINT16, words, self.word_order, self.byte_order)
            return bool(int(raw or 0) >> self.bit & 1)
        raw = decode_words(self.kind, words, self.word_order, self.byte_order)
        if raw is None or isinstance(raw, bool | str):
            return raw
        if self.choices:
            return next((name for name, number in self.choices.items() if number == raw), None)
        return self._shown(raw)

    def same(self, asked: Value, read: Value) -> bool:
        """Whether a PLC that reads ``read`` holds what was ``asked``; raises ValueError if that is no value of it."""
        if self.choices:
            return asked == read
        if isinstance(asked, str):
            return asked.rstrip(" ") == read  # as it is shown, since PLCs fill up with blanks
        return self.encode(asked) == self.encode(read) if self.scaled else same(self.kind, asked, read)

    @property
    def value_type(self) -> ValueType:
        """What JSON calls its values."""
        if self.choices or self.kind is RegisterType.STRING:
            return ValueType.STRING
        if self.kind is RegisterType.BOOL:
            return ValueType.BOOLEAN
        whole = self.kind.whole and self.scale.denominator == self.offset.denominator == 1
        return ValueType.INTEGER if whole else ValueType.NUMBER

    def schema(self) -> dict[str, Any]:
        """The members of its data schema that follow from the registers: type, range, step, choices, length."""
        found: dict[str, Any] = {"type": self.value_type}
        if self.choices:
            return found | {"enum": tuple(self.choices)}
        if self.kind is RegisterType.STRING:
            return found | {"max_length": 2 * self.length}
        if not self.kind.whole:
            return found
        low, high = sorted(raw * self.scale + self.offset for raw in RANGES[self.kind])
        found |= {"minimum": _number(low), "maximum": _number(high)}
        # JSON Schema counts steps from zero, so with an offset between two of them there is none to name.
        if self.scale != 1 and not self.offset % self.scale:
            found["multiple_of"] = _number(abs(self.scale))
        return found

    def _raw(self, value: Value) -> Value:
        if self.choices:
            if not isinstance(value, str) or value not in self.choices:
                raise ValueError(f"{value!r} is none of {', '.join(self.choices)}")
            return self.choices[value]
        if not self.scaled:
            return value
        if isinstance(value, bool | str):
            raise ValueError(f"{value!r} is no number")  # noqa: TRY004 # as for any other value that does not fit
        raw = (Fraction(str(value)) - self.offset) / self.scale
        if raw.denominator != 1:
            raise ValueError(f"{value!r} lies between two raw numbers, which are {_number(abs(self.scale))} apart")
        return int(raw)

    def _shown(self, raw: float) -> Value | None:
        if not self.scaled and self.decimals is None:
            return raw + 0  # 0.0 and -0.0 are one value
        value = Fraction(str(raw)) * self.scale + self.offset
        value = value if self.decimals is None else round(value, self.decimals)
        if self.kind.real:
            return _real(value)
        number = _number(value)
        return number if isinstance(number, float) or WHOLE[0] <= number <= WHOLE[1] else None


def _real(value: Fraction) -> float | None:
    try:
        return float(value)
    except OverflowError:
        return None


def _number(value: Fraction) -> int | float:
    return int(value) if value.denominator == 1 else float(value)
