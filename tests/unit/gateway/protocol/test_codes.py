from __future__ import annotations

import pytest

from gateway.protocol.codes import MEANING, AckCode
from gateway.protocol.lifecycle import State
from gateway.protocol.messages import Ack
from tests.strategies import NOW


@pytest.mark.parametrize("code", AckCode)
def test_code_has_a_meaning(code: AckCode) -> None:
    """Whoever meets a code finds one plain sentence for it."""
    assert MEANING[code]


def test_meanings_are_of_codes_only() -> None:
    """No sentence outlives its code."""
    assert set(MEANING) == set(AckCode)


@pytest.mark.parametrize("code", AckCode)
def test_code_fits_into_an_ack(code: AckCode) -> None:
    """Every code of ours is a code by the message's own rule."""
    ack = Ack(
        id="0193544a-0000-7000-8000-000000000000",
        device="feeder-1",
        name="write",
        input={},
        state=State.REJECTED,
        code=code,
        epoch=1,
        at=NOW,
    )
    assert ack.code == code
