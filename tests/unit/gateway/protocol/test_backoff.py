"""The link's back-off."""

from __future__ import annotations

import random
from itertools import islice

from gateway.protocol.backoff import FIRST_DELAY_S, LAST_DELAY_S, delays


def test_delays_stay_within_their_bounds() -> None:
    """Never at once, never longer than the cap."""
    assert all(FIRST_DELAY_S <= each <= LAST_DELAY_S for each in islice(delays(random.uniform), 100))


def test_delays_begin_short() -> None:
    """The first attempts follow quickly: most losses are short."""
    assert max(islice(delays(random.uniform), 1)) <= 2 * FIRST_DELAY_S


def test_delays_differ_between_links() -> None:
    """Full jitter: those who were cut off together do not come back together."""
    assert len({tuple(islice(delays(random.uniform), 8)) for _ in range(20)}) == 20
