from __future__ import annotations

import pytest

from gateway.protocol import errors
from gateway.protocol.errors import (
    DecodeError,
    Fault,
    IllegalStep,
    InvalidInput,
    SettingsError,
    TidegateError,
    Unavailable,
)

FAULTS = (Fault("/portion_g", "above-maximum", "2500 g is above 2000 g"), Fault("", "empty", "name a setting"))
EXAMPLES: list[TidegateError] = [
    InvalidInput(FAULTS),
    SettingsError("site.toml", FAULTS),
    DecodeError("some/topic", b"\x00", FAULTS),
    IllegalStep("applied", "failed"),
    Unavailable("redis", "no answer within 0.3 s"),
]


def test_errors_have_one_code_each() -> None:
    """Programs can branch on the code: it is never shared."""
    classes = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, TidegateError)]
    assert len({each.code for each in classes}) == len(classes)
    assert {type(each) for each in EXAMPLES} == set(classes) - {TidegateError}


@pytest.mark.parametrize("error", EXAMPLES[:3], ids=lambda error: error.code)
def test_error_with_faults_shows_each(error: TidegateError) -> None:
    """Whoever reads the error sees everything that is wrong."""
    assert all(fault.detail in str(error) for fault in FAULTS)


def test_settings_error_names_its_source() -> None:
    """The operator learns which file to open."""
    assert str(EXAMPLES[1]).startswith("site.toml is not usable:\n  /portion_g")


def test_unavailable_names_the_part() -> None:
    """The message says which part does not answer."""
    assert str(EXAMPLES[4]) == "redis is unavailable: no answer within 0.3 s"
