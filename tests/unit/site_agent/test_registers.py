from __future__ import annotations

import struct
from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.protocol.messages import Value
from site_agent.registers import RegisterType, WordOrder, decode_words, encode_value, same, words_of

ORDERS = st.sampled_from(WordOrder)
BIG, LITTLE = WordOrder.BIG, WordOrder.LITTLE
LARGEST = struct.unpack(">f", b"\x7f\x7f\xff\xff")[0]


@given(st.booleans(), ORDERS)
def test_bool_encoded_and_decoded_is_the_same(value: bool, order: WordOrder) -> None:
    """A bool survives the way through a register."""
    assert decode_words(RegisterType.BOOL, encode_value(RegisterType.BOOL, value, order), order) is value


@given(st.integers(0, 65_535), ORDERS)
def test_uint16_encoded_and_decoded_is_the_same(value: int, order: WordOrder) -> None:
    """Every uint16 survives the way through a register."""
    assert decode_words(RegisterType.UINT16, encode_value(RegisterType.UINT16, value, order), order) == value


@given(st.integers(-32_768, 32_767), ORDERS)
def test_int16_encoded_and_decoded_is_the_same(value: int, order: WordOrder) -> None:
    """Every int16 survives the way through a register."""
    assert decode_words(RegisterType.INT16, encode_value(RegisterType.INT16, value, order), order) == value


@given(st.floats(width=32, allow_nan=False, allow_infinity=False), ORDERS)
def test_float32_encoded_and_decoded_holds_the_same_bits(value: float, order: WordOrder) -> None:
    """Every float32 survives bit by bit, though it is shown as a shorter decimal."""
    words = encode_value(RegisterType.FLOAT32, value, order)
    read = decode_words(RegisterType.FLOAT32, words, order)
    assert read is not None
    assert encode_value(RegisterType.FLOAT32, read, order) == words


@given(st.tuples(st.integers(0, 65_535), st.integers(0, 65_535)), ORDERS)
def test_float32_of_any_two_words_is_a_number_that_encodes_back_or_nothing(
    words: tuple[int, int], order: WordOrder
) -> None:
    """Whatever a PLC holds, decoding never raises and never invents."""
    read = decode_words(RegisterType.FLOAT32, words, order)
    assert read is None or encode_value(RegisterType.FLOAT32, read, order) == words


@given(st.floats(-LARGEST, LARGEST).filter(lambda value: value == 0 or abs(value) > 1e-44), ORDERS)
def test_same_float_written_and_read_is_equal(value: float, order: WordOrder) -> None:
    """A float64 that was asked for equals what a PLC can hold of it."""
    read = decode_words(RegisterType.FLOAT32, encode_value(RegisterType.FLOAT32, value, order), order)
    assert read is not None
    assert same(RegisterType.FLOAT32, value, read)


@pytest.mark.parametrize(("order", "words"), [(BIG, (0x47F1, 0x2040)), (LITTLE, (0x2040, 0x47F1))])
def test_float32_golden_value_lies_in_the_named_word_order(order: WordOrder, words: tuple[int, int]) -> None:
    """123456.5 is 47 F1 20 40, most significant word first when the order is big."""
    assert encode_value(RegisterType.FLOAT32, 123456.5, order) == words
    assert decode_words(RegisterType.FLOAT32, words, order) == 123456.5


def test_float32_read_in_the_wrong_word_order_is_another_number() -> None:
    """A wrong word order raises nothing, so a commissioning value must show it."""
    assert decode_words(RegisterType.FLOAT32, (0x47F1, 0x2040), LITTLE) != 123456.5


def test_int16_golden_value_is_two_s_complement() -> None:
    """-2 is FF FE."""
    assert encode_value(RegisterType.INT16, -2, BIG) == (0xFFFE,)


def test_float32_of_a_sensor_is_shown_as_the_sensor_wrote_it() -> None:
    """18.4 does not become 18.399999618530273."""
    assert decode_words(RegisterType.FLOAT32, encode_value(RegisterType.FLOAT32, 18.4, BIG), BIG) == 18.4


@pytest.mark.parametrize("words", [(0x7FC0, 0), (0x7F80, 0), (0xFF80, 0)])
def test_float32_without_a_number_decodes_to_none(words: tuple[int, int]) -> None:
    """NaN and the infinities are no values."""
    assert decode_words(RegisterType.FLOAT32, words, BIG) is None


def test_bool_of_another_word_than_0_and_1_decodes_to_none() -> None:
    """A register that holds 2 is no bool, and is not taken for true."""
    assert decode_words(RegisterType.BOOL, (2,), BIG) is None


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (RegisterType.BOOL, 1),
        (RegisterType.UINT16, -1),
        (RegisterType.UINT16, 65_536),
        (RegisterType.UINT16, True),
        (RegisterType.UINT16, 1.0),
        (RegisterType.UINT16, "1"),
        (RegisterType.INT16, 32_768),
        (RegisterType.INT16, -32_769),
        (RegisterType.FLOAT32, nan),
        (RegisterType.FLOAT32, inf),
        (RegisterType.FLOAT32, 1e39),
        (RegisterType.FLOAT32, 10**400),
        (RegisterType.FLOAT32, True),
        (RegisterType.FLOAT32, "1.5"),
    ],
)
def test_encode_value_that_does_not_fit_is_refused(kind: RegisterType, value: Value) -> None:
    """Nothing is converted, wrapped or clipped on its way to a PLC."""
    with pytest.raises(ValueError, match=r"is no|is beyond"):
        encode_value(kind, value, BIG)


@pytest.mark.parametrize("kind", [kind for kind in RegisterType if kind is not RegisterType.STRING])
def test_decode_words_of_another_length_is_refused(kind: RegisterType) -> None:
    """Words that do not belong to one value are never decoded."""
    with pytest.raises(ValueError, match="registers"):
        decode_words(kind, (0,) * (words_of(kind) + 1), BIG)


def test_types_take_as_many_registers_as_their_bits_need() -> None:
    """Sixteen bits to a register; a BCD digit takes four."""
    widths = {1: "bool uint16 int16 bcd16", 2: "uint32 int32 float32 bcd32", 4: "uint64 int64 float64"}
    assert {words_of(RegisterType(kind)) for kind in widths[1].split()} == {1}
    assert {words_of(RegisterType(kind)) for kind in widths[2].split()} == {2}
    assert {words_of(RegisterType(kind)) for kind in widths[4].split()} == {4}


@pytest.mark.parametrize(
    ("kind", "asked", "read", "equal"),
    [
        (RegisterType.UINT16, 120, 120, True),
        (RegisterType.UINT16, 120, 125, False),
        (RegisterType.UINT16, 1, True, False),
        (RegisterType.BOOL, True, True, True),
        (RegisterType.BOOL, True, 1, False),
        (RegisterType.FLOAT32, 0.1, 0.10000000149011612, True),
        (RegisterType.FLOAT32, 0.1, 0.1000001, False),
        (RegisterType.FLOAT32, 1, 1.0, True),
    ],
)
def test_same_compares_what_the_type_can_carry(kind: RegisterType, asked: Value, read: Value, equal: bool) -> None:
    """A bool is never a number, and floats are compared as float32."""
    assert same(kind, asked, read) is equal


def test_float_that_would_become_zero_is_refused() -> None:
    """Nothing is rounded away on its way to a PLC."""
    with pytest.raises(ValueError, match="too near to zero"):
        encode_value(RegisterType.FLOAT32, 1e-50, BIG)
