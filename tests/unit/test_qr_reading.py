"""The tests' own reading of QR codes, held against an encoder that others made."""

from __future__ import annotations

import pytest
import segno

from tests.qr_reading import text_of


@pytest.mark.parametrize("length", [20, 40, 60, 80, 100])
@pytest.mark.parametrize("mask", range(8))
def test_code_of_another_encoder_is_read(length: int, mask: int) -> None:
    """Versions 2 to 6, each mask."""
    text = "tge1_" + "aB-_9" * (length // 5 - 1)
    made = segno.make(text, error="m", mode="byte", mask=mask, boost_error=False, micro=False)
    assert text_of([[bool(module) for module in row] for row in made.matrix]) == text
