from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.protocol.description import (
    ActionAffordance,
    DataSchema,
    Description,
    Form,
    ObjectSchema,
    PropertyAffordance,
    SecurityScheme,
    ValueType,
    check_write,
)
from gateway.protocol.errors import InvalidInput
from gateway.protocol.messages import Value
from gateway.technician.assignment import nearest, read_arguments, read_settings

FORMS = (Form(href="mqtt://broker/x", op=("writeproperty",)),)
FEEDER = Description(
    id="urn:tidegate:arava-1:feeder-1",
    title="Feeder 1",
    security_definitions={"login": SecurityScheme(scheme="basic")},
    security=("login",),
    plc="plc-1",
    properties={
        "portion_g": PropertyAffordance(type=ValueType.INTEGER, minimum=0, maximum=2000, multiple_of=5, forms=FORMS),
        "enabled": PropertyAffordance(type=ValueType.BOOLEAN, forms=FORMS),
        "rate": PropertyAffordance(type=ValueType.NUMBER, forms=FORMS),
        "note": PropertyAffordance(type=ValueType.STRING, forms=FORMS),
        "hopper_kg": PropertyAffordance(type=ValueType.NUMBER, read_only=True, forms=FORMS),
    },
    actions={
        "feed": ActionAffordance(
            input=ObjectSchema(
                properties={"grams": DataSchema(type=ValueType.INTEGER, minimum=5, maximum=500)}, required=("grams",)
            ),
            forms=FORMS,
        )
    },
)


def codes(*words: str) -> list[str]:
    """Codes of the faults of these words."""
    with pytest.raises(InvalidInput) as caught:
        read_settings(FEEDER, words)
    return [fault.code for fault in caught.value.faults]


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("portion_g=120", 120),
        ("portion_g=+5", 5),
        ("enabled=true", True),
        ("enabled=Off", False),
        ("rate=1.5", 1.5),
        ("rate=2", 2),
        ("rate=-1e-3", -0.001),
        ("note=a=b c", "a=b c"),
        ("note=", ""),
        ("note=12", "12"),
    ],
)
def test_word_is_read_as_the_type_of_its_setting(word: str, value: Value) -> None:
    """The device's description decides whether 12 is a number or a text."""
    (read,) = read_settings(FEEDER, [word]).values()
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(
    "word",
    ["portion_g=120.0", "portion_g=1_000", "portion_g=٣", "portion_g=", "portion_g=0x10", "enabled=1", "enabled=",
     "rate=nan", "rate=inf", "rate=1e999", "rate=1,5", "rate=."],
)  # fmt: skip  # one row a type
def test_word_of_another_type_is_refused(word: str) -> None:
    """Nothing is converted that a person might have meant otherwise."""
    assert codes(word) == ["wrong-type"]


def test_words_all_faults_are_found_at_once() -> None:
    """One answer lists everything that is wrong."""
    assert codes("portion_g=2501", "enabled=maybe", "hopper_kg=1", "colour=red", "rate", "note=a", "note=b") == [
        "wrong-type",
        "unknown-property",
        "no-value",
        "twice",
        "above-maximum",
        "off-step",
        "read-only",
    ]


def test_misspelt_setting_names_the_nearest() -> None:
    """A slip of the finger is answered with the right name."""
    with pytest.raises(InvalidInput, match="did you mean portion_g"):
        read_settings(FEEDER, ["portoin_g=120"])


def test_nearest_without_likeness_lists_all() -> None:
    """Who is far off sees what there is."""
    assert nearest("xyz", ["portion_g", "enabled"]) == "known: enabled, portion_g"


@given(st.lists(st.text(), min_size=1, max_size=3) | st.lists(st.sampled_from(sorted(FEEDER.properties)).flatmap(
    lambda name: st.text().map(lambda text: f"{name}={text}")), min_size=1, max_size=3))  # fmt: skip  # one strategy
def test_any_words_give_good_settings_or_faults(words: list[str]) -> None:
    """Whatever is typed, what comes out may be written; or it is refused with its faults."""
    try:
        values = read_settings(FEEDER, words)
    except InvalidInput as error:
        refusal = error
    else:
        assert check_write(FEEDER, values) == ()
        return
    assert refusal.faults


def test_arguments_of_an_action_get_its_types() -> None:
    """Grams are a whole number, as the device says."""
    assert read_arguments(FEEDER, "feed", ["grams=120"]) == {"grams": 120}


@pytest.mark.parametrize(
    ("action", "words", "code"),
    [
        ("fed", ["grams=120"], "unknown-action"),
        ("feed", [], "missing"),
        ("feed", ["gram=120"], "unknown-argument"),
        ("feed", ["grams=much"], "wrong-type"),
        ("feed", ["grams=501"], "above-maximum"),
        ("feed", ["grams=5", "grams=6"], "twice"),
    ],
)
def test_arguments_that_do_not_fit_are_faults(action: str, words: list[str], code: str) -> None:
    """Nothing is guessed, and the nearest name is offered."""
    with pytest.raises(InvalidInput) as caught:
        read_arguments(FEEDER, action, words)
    assert [fault.code for fault in caught.value.faults] == [code]
