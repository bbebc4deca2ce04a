"""Values with a scale, a bit, choices, an order: exactly what a register can say, and nothing near it."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as some

from gateway.protocol.description import ValueType
from gateway.protocol.messages import Value
from site_agent.layout import Layout
from site_agent.registers import RANGES, ByteOrder, RegisterType, WordOrder

BIG, LITTLE = "big", "little"
#: Written down by hand: type, word order, byte order, value, words.
GOLDEN: Final[list[tuple[str, str, str, Value, tuple[int, ...]]]] = [
    ("uint16", BIG, BIG, 0x1234, (0x1234,)),
    ("uint16", BIG, LITTLE, 0x1234, (0x3412,)),
    ("int16", BIG, BIG, -2, (0xFFFE,)),
    ("uint32", BIG, BIG, 0x12345678, (0x1234, 0x5678)),
    ("uint32", LITTLE, BIG, 0x12345678, (0x5678, 0x1234)),
    ("uint32", BIG, LITTLE, 0x12345678, (0x3412, 0x7856)),
    ("uint32", LITTLE, LITTLE, 0x12345678, (0x7856, 0x3412)),
    ("int32", BIG, BIG, -2, (0xFFFF, 0xFFFE)),
    ("uint64", BIG, BIG, 0x0123456789ABCDEF, (0x0123, 0x4567, 0x89AB, 0xCDEF)),
    ("uint64", LITTLE, BIG, 0x0123456789ABCDEF, (0xCDEF, 0x89AB, 0x4567, 0x0123)),
    ("int64", BIG, BIG, -1, (0xFFFF,) * 4),
    ("float32", BIG, BIG, 123456.5, (0x47F1, 0x2040)),
    ("float32", LITTLE, LITTLE, 123456.5, (0x4020, 0xF147)),
    ("float64", BIG, BIG, 1.0, (0x3FF0, 0, 0, 0)),
    ("bcd16", BIG, BIG, 1234, (0x1234,)),
    ("bcd32", BIG, BIG, 12345678, (0x1234, 0x5678)),
    ("bcd32", LITTLE, BIG, 42, (0x0042, 0x0000)),
    ("bool", BIG, BIG, True, (1,)),
]


@pytest.mark.parametrize(("kind", "words_first", "bytes_first", "value", "words"), GOLDEN)
def test_layout_golden_value_lies_as_written_down(
    kind: str, words_first: str, bytes_first: str, value: Value, words: tuple[int, ...]
) -> None:
    """In both directions."""
    layout = Layout(kind=RegisterType(kind), word_order=WordOrder(words_first), byte_order=ByteOrder(bytes_first))
    assert layout.encode(value) == words
    assert layout.decode(words) == value


PAGE: Final = Path("docs/registers.md")
ROW: Final = re.compile(
    r"^\| `(\w+)` \| (\S+) \| (any|big|little)(?:, (big|little))? \| `([0-9a-f ]+)` \|$", re.MULTILINE
)


@pytest.mark.parametrize(("kind", "shown", "first", "second", "words"), ROW.findall(PAGE.read_text(encoding="utf-8")))
def test_registers_page_shows_words_as_they_are(kind: str, shown: str, first: str, second: str, words: str) -> None:
    """Whoever compares with a PLC's panel finds what the agent finds."""
    raw = tuple(int(word, 16) for word in words.split())
    orders = {} if first == "any" else {"word_order": WordOrder(first), "byte_order": ByteOrder(second)}
    layout = Layout(kind=RegisterType(kind), length=len(raw), **orders)  # type: ignore[arg-type] # two enumerations
    value = layout.decode(raw)
    assert (str(value).lower() if kind == "bool" else str(value)) == shown
    assert value is not None
    assert layout.encode(value) == raw


def test_registers_page_shows_every_type() -> None:
    """None is left for the reader to guess."""
    assert {row[0] for row in ROW.findall(PAGE.read_text(encoding="utf-8"))} == set(RegisterType)


@some.composite
def _whole(draw: some.DrawFn) -> tuple[Layout, int]:
    kind = draw(some.sampled_from(sorted(RANGES)))
    low, high = RANGES[kind]
    layout = Layout(
        kind=kind, word_order=draw(some.sampled_from(WordOrder)), byte_order=draw(some.sampled_from(ByteOrder))
    )
    return layout, draw(some.integers(low, high))


@given(_whole())
def test_layout_of_any_whole_number_gives_it_back(example: tuple[Layout, int]) -> None:
    """Every type, in every order."""
    layout, value = example
    assert layout.decode(layout.encode(value)) == value


@given(
    some.integers(-32_768, 32_767), some.sampled_from(["0.1", "0.25", "-0.5", "10", "0.001"]), some.integers(-99, 99)
)
def test_layout_scaled_gives_every_raw_number_back(raw: int, scale: str, offset: int) -> None:
    """What was read can be written, and becomes the same raw number."""
    layout = Layout(kind=RegisterType.INT16, scale=Fraction(scale), offset=Fraction(offset))
    words = Layout(kind=RegisterType.INT16).encode(raw)
    value = layout.decode(words)
    assert value is not None
    assert layout.encode(value) == words


def test_layout_scaled_shows_tenths_as_decimals() -> None:
    """184 tenths are 18.4, and not 18.400000000000002."""
    layout = Layout(kind=RegisterType.UINT16, scale=Fraction("0.1"))
    assert layout.decode((184,)) == 18.4
    assert layout.encode(18.4) == (184,)


def test_layout_scaled_refuses_what_lies_between() -> None:
    """Nothing is rounded behind anybody's back."""
    with pytest.raises(ValueError, match=r"0\.1 apart"):
        Layout(kind=RegisterType.UINT16, scale=Fraction("0.1")).encode(18.45)


@pytest.mark.parametrize(
    ("layout", "schema"),
    [
        (
            Layout(kind=RegisterType.UINT16, scale=Fraction("0.1")),
            {"type": ValueType.NUMBER, "minimum": 0, "maximum": 6553.5, "multiple_of": 0.1},
        ),
        (
            Layout(kind=RegisterType.INT16, scale=Fraction(10)),
            {"type": ValueType.INTEGER, "minimum": -327_680, "maximum": 327_670, "multiple_of": 10},
        ),
        (
            Layout(kind=RegisterType.UINT16, scale=Fraction(10), offset=Fraction(5)),
            {"type": ValueType.INTEGER, "minimum": 5, "maximum": 655_355},
        ),
        (Layout(kind=RegisterType.STRING, length=4), {"type": ValueType.STRING, "max_length": 8}),
        (
            Layout(kind=RegisterType.UINT16, choices={"off": 0, "auto": 2}),
            {"type": ValueType.STRING, "enum": ("off", "auto")},
        ),
    ],
)
def test_layout_schema_says_what_the_registers_can_carry(layout: Layout, schema: dict[str, Any]) -> None:
    """So the far end refuses what the PLC could not hold."""
    assert layout.schema() == schema


def test_layout_choices_are_names_of_numbers() -> None:
    """A number without a name is no value."""
    layout = Layout(kind=RegisterType.UINT16, choices={"off": 0, "auto": 2})
    assert layout.encode("auto") == (2,)
    assert [layout.decode((raw,)) for raw in (0, 1, 2)] == ["off", None, "auto"]
    with pytest.raises(ValueError, match="none of off, auto"):
        layout.encode("on")


@pytest.mark.parametrize("bit", range(16))
def test_layout_bit_is_one_of_sixteen(bit: int) -> None:
    """Bit 0 is the lowest."""
    layout = Layout(kind=RegisterType.BOOL, bit=bit)
    assert layout.decode((1 << bit,)) is True
    assert layout.decode((0xFFFF ^ 1 << bit,)) is False


@given(some.text(max_size=4), some.sampled_from(ByteOrder))
def test_layout_text_gives_back_what_fits(text: str, order: ByteOrder) -> None:
    """UTF-8, filled up with zeros; what does not fit is refused, never cut."""
    layout = Layout(kind=RegisterType.STRING, length=4, byte_order=order)
    try:
        words = layout.encode(text)
    except ValueError:
        assert "\0" in text or len(text.encode("utf-8", "surrogatepass")) > 8 or not text.isprintable()
    else:
        assert layout.decode(words) == text.rstrip(" ")


def test_layout_text_golden_lies_two_bytes_to_a_register() -> None:
    """In the order of the bytes that the PLC uses."""
    assert Layout(kind=RegisterType.STRING, length=2).encode("AB") == (0x4142, 0)
    assert Layout(kind=RegisterType.STRING, length=2, byte_order=ByteOrder.LITTLE).encode("AB") == (0x4241, 0)


@pytest.mark.parametrize(
    ("kind", "words"), [("bcd16", (0x12A4,)), ("bool", (2,)), ("float32", (0x7FC0, 0)), ("float64", (0x7FF0, 0, 0, 0))]
)
def test_layout_words_without_meaning_are_no_value(kind: str, words: tuple[int, ...]) -> None:
    """A digit beyond 9, a bool of 2, a float that is no number."""
    assert Layout(kind=RegisterType(kind)).decode(words) is None


@pytest.mark.invariant("I3")
def test_layout_same_compares_reals_as_the_register_holds_them() -> None:
    """0.1 is no float32; what the PLC can hold of it is equal enough, and its neighbour is not."""
    layout = Layout(kind=RegisterType.FLOAT32)
    assert layout.same(0.1, 0.1)
    assert layout.same(0.0, -0.0)
    assert not layout.same(0.1, 0.10000002)


def test_layout_scaled_real_is_always_a_number_that_a_message_can_carry() -> None:
    """A word order that is wrong makes huge numbers of small ones; they are told as such, or not at all."""
    huge = Layout(kind=RegisterType.FLOAT32, scale=Fraction("0.1")).decode(
        Layout(kind=RegisterType.FLOAT32).encode(3e38)
    )
    assert huge == pytest.approx(3e37)
    assert isinstance(huge, float)
    words = Layout(kind=RegisterType.FLOAT64).encode(1.7e308)
    assert Layout(kind=RegisterType.FLOAT64, scale=Fraction(1000)).decode(words) is None


def test_layout_zero_has_no_sign() -> None:
    """0.0 and -0.0 are one value, with one revision."""
    assert str(Layout(kind=RegisterType.FLOAT32).decode((0x8000, 0))) == "0.0"


@pytest.mark.invariant("I3")
def test_layout_same_of_choices_takes_names_as_they_are() -> None:
    """A blank at the end belongs to the name."""
    layout = Layout(kind=RegisterType.UINT16, choices={"on ": 1})
    assert layout.same("on ", "on ")
