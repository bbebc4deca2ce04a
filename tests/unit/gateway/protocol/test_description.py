from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.protocol.codec import decode, encode
from gateway.protocol.description import (
    CONTEXT,
    DataSchema,
    Description,
    Form,
    PropertyAffordance,
    SecurityScheme,
    ValueType,
    check_value,
    check_write,
)
from gateway.protocol.messages import Command, Value
from tests.strategies import junk, names, schemas, steps, values

FORMS = (Form(href="mqtt://broker/x", op=("writeproperty",)),)


def described(**properties: PropertyAffordance) -> Description:
    """A feeder with these properties."""
    return Description(
        id="urn:tidegate:arava-1:feeder-1",
        title="Feeder 1",
        security_definitions={"login": SecurityScheme(scheme="basic")},
        security=("login",),
        plc="plc-1",
        properties=properties,
    )


FEEDER = described(
    portion_g=PropertyAffordance(type=ValueType.INTEGER, unit="g", minimum=0, maximum=2000, multiple_of=5, forms=FORMS),
    enabled=PropertyAffordance(type=ValueType.BOOLEAN, forms=FORMS),
    rate=PropertyAffordance(type=ValueType.NUMBER, multiple_of=0.1, minimum=0, maximum=1, forms=FORMS),
    mode=PropertyAffordance(type=ValueType.STRING, enum=("day", "night"), max_length=5, forms=FORMS),
    hopper_kg=PropertyAffordance(type=ValueType.NUMBER, read_only=True, forms=FORMS),
)


def codes(values: dict[str, Any]) -> list[tuple[str, str]]:
    """Pointer and code of each fault that the feeder finds."""
    return [(fault.pointer, fault.code) for fault in check_write(FEEDER, values)]


def faults(value: object, **rules: object) -> list[str]:
    """Codes of one value's faults."""
    return [fault.code for fault in check_value(DataSchema.model_validate(rules), value, "/x")]


def test_check_write_good_settings_has_no_fault() -> None:
    """What fits its schema may be written."""
    assert codes({"portion_g": 120, "enabled": True, "rate": 0.3, "mode": "day"}) == []


def test_check_write_finds_all_faults_at_once() -> None:
    """One answer lists everything that is wrong, so that nobody corrects in turns."""
    assert codes({"portion_g": 2002, "enabled": 1, "hopper_kg": 3.0, "colour": "red", "mode": "evening"}) == [
        ("/portion_g", "above-maximum"),
        ("/portion_g", "off-step"),
        ("/enabled", "wrong-type"),
        ("/hopper_kg", "read-only"),
        ("/colour", "unknown-property"),
        ("/mode", "not-in-enum"),
        ("/mode", "too-long"),
    ]


def test_check_write_nothing_is_a_fault() -> None:
    """A write that names no setting is a mistake, not a success."""
    assert codes({}) == [("", "empty")]


def test_check_write_unknown_setting_names_the_known_ones() -> None:
    """The answer to a misspelt name helps to spell it."""
    assert "enabled, mode, portion_g, rate" in check_write(FEEDER, {"portion": 1})[0].detail


def test_check_write_pointer_is_escaped() -> None:
    """A slash or tilde in a name does not change the place that the pointer means."""
    assert codes({"a/b~c": 1}) == [("/a~1b~0c", "unknown-property")]


def test_check_write_out_of_range_says_value_limit_and_unit() -> None:
    """The sentence tells what was asked and what is allowed."""
    assert check_write(FEEDER, {"portion_g": 2500})[0].detail == "2500 g is above the maximum of 2000 g"


@pytest.mark.parametrize(
    ("kind", "value", "fits"),
    [
        ("integer", 1, True),
        ("integer", 1.0, False),
        ("integer", True, False),
        ("integer", "1", False),
        ("number", 1, True),
        ("number", 1.5, True),
        ("number", False, False),
        ("number", float("nan"), False),
        ("number", float("inf"), False),
        ("boolean", True, True),
        ("boolean", 1, False),
        ("boolean", "true", False),
        ("string", "1", True),
        ("string", 1, False),
        ("string", None, False),
        ("integer", None, False),
        ("integer", [1], False),
    ],
)
def test_check_value_type_is_never_converted(kind: str, value: object, fits: bool) -> None:
    """A value of another type is refused, not turned into the wanted one."""
    assert faults(value, type=ValueType(kind)) == ([] if fits else ["wrong-type"])


@pytest.mark.parametrize("tenths", range(-50, 51))
def test_check_value_every_tenth_fits_a_step_of_a_tenth(tenths: int) -> None:
    """Steps are counted in decimals, so 0.3 is three times 0.1."""
    assert faults(tenths / 10, type=ValueType.NUMBER, multiple_of=0.1) == []


@pytest.mark.parametrize("value", [0.15, 0.25, 1e-9, 0.30000000000000004])
def test_check_value_between_two_steps_is_refused(value: float) -> None:
    """What is not on the step is not rounded to it."""
    assert faults(value, type=ValueType.NUMBER, multiple_of=0.1) == ["off-step"]


@pytest.mark.parametrize("value", [1e300, -1e300, 2**63, 5e-324])
def test_check_value_huge_number_on_a_small_step_is_judged(value: float) -> None:
    """No quotient is too long for the check of the step."""
    assert faults(value, type=ValueType.NUMBER, multiple_of=1e-20) in ([], ["off-step"])


@pytest.mark.parametrize(
    "value", [2**64, -(2**63) - 1, 10**5000, -(10**5000)], ids=["2^64", "-2^63-1", "huge", "-huge"]
)
def test_check_value_beyond_64_bits_is_refused(value: int) -> None:
    """What no message can carry is found by the check, not by a crash behind it."""
    assert faults(value, type=ValueType.INTEGER, minimum=0, multiple_of=5) == ["too-large"]


def test_check_value_text_beyond_every_message_is_refused() -> None:
    """Text has a limit even where the device states none."""
    assert faults("x" * 1025, type=ValueType.STRING) == ["too-long"]


def test_check_value_half_a_surrogate_pair_is_refused() -> None:
    """Text that cannot be sent as UTF-8 is found by the check."""
    assert faults("\ud800", type=ValueType.STRING) == ["not-unicode"]


@pytest.mark.parametrize(("value", "choice"), [(1, True), (0, False), (True, 1)])
def test_check_value_boolean_is_no_number_in_a_choice(value: object, choice: object) -> None:
    """JSON tells true from 1, though Python does not."""
    kind = ValueType.BOOLEAN if isinstance(value, bool) else ValueType.INTEGER
    assert faults(value, type=kind, enum=(choice,)) == ["not-in-enum"]


@pytest.mark.parametrize(("value", "code"), [(-1, "below-minimum"), (11, "above-maximum")])
def test_check_value_outside_its_range_is_refused(value: int, code: str) -> None:
    """Limits are inclusive; what lies outside is named."""
    assert faults(value, type=ValueType.INTEGER, minimum=0, maximum=10) == [code]
    assert faults(0, type=ValueType.INTEGER, minimum=0, maximum=10) == []
    assert faults(10, type=ValueType.INTEGER, minimum=0, maximum=10) == []


@given(schemas, junk)
def test_check_value_of_anything_never_raises(schema: DataSchema, value: object) -> None:
    """Whatever a caller sends and whatever a device describes, the check answers with faults."""
    for fault in check_value(schema, value, "/x"):
        assert str(fault)


@given(schemas, names, values)
def test_check_value_that_passes_can_be_sent(schema: DataSchema, name: str, value: Value) -> None:
    """A value without fault fits into a command."""
    if not list(check_value(schema, value, "/x")):
        command = Command(input={name: value})
        assert decode(Command, "some/topic", encode(command)) == command


@given(st.integers(-10_000, 10_000), steps.filter(lambda step: isinstance(step, int)))
def test_check_value_multiples_of_the_step_fit(count: int, step: int) -> None:
    """Every multiple of a whole step is on it."""
    assert faults(count * step, type=ValueType.INTEGER, multiple_of=step) == []


def test_settings_are_the_writable_properties() -> None:
    """A reading is no setting."""
    assert FEEDER.settings == {"portion_g", "enabled", "rate", "mode"}


def test_description_is_a_thing_description() -> None:
    """The document has what Thing Description 1.1 asks of every one: context, title, security, and forms everywhere."""
    document = json.loads(encode(FEEDER))
    assert document["@context"] == CONTEXT
    assert document["title"] == "Feeder 1"
    assert set(document["security"]) <= set(document["securityDefinitions"])
    assert document["securityDefinitions"]["login"] == {"scheme": "basic", "in": "header"}
    for each in document["properties"].values():
        assert each["forms"]
        assert all(form["href"] for form in each["forms"])


def test_description_uses_the_vocabulary_of_the_standard() -> None:
    """Names on the wire are the standard's, not Python's."""
    portion = json.loads(encode(FEEDER))["properties"]["portion_g"]
    assert portion["multipleOf"] == 5
    assert portion["readOnly"] is False
    assert portion["forms"][0]["contentType"] == "application/json"


@pytest.mark.parametrize("missing", ["title", "security", "securityDefinitions"])
def test_description_without_a_mandatory_part_is_refused(missing: str) -> None:
    """A document that is no Thing Description is not read as one."""
    document = json.loads(encode(FEEDER))
    del document[missing]
    with pytest.raises(Exception, match=missing):
        decode(Description, "some/topic", json.dumps(document).encode())
