from __future__ import annotations

import pytest

from site_agent.simulator import block


@pytest.mark.parametrize(
    ("offset", "words", "code"),
    [
        pytest.param(0, [120], 0, id="portion"),
        pytest.param(0, [2000], 0, id="largest portion"),
        pytest.param(0, [2001], 3, id="portion too large"),
        pytest.param(1, [0], 3, id="no interval"),
        pytest.param(2, [1], 0, id="on"),
        pytest.param(2, [2], 3, id="neither on nor off"),
        pytest.param(0, [120, 30, 1], 0, id="all settings"),
        pytest.param(0, [120, 30, 1, 0], 2, id="settings and a spare register"),
        pytest.param(0, [120, 5000], 3, id="one good, one bad"),
        pytest.param(3, [0], 2, id="spare"),
        pytest.param(4, [0, 0], 2, id="hopper"),
        pytest.param(6, [0], 2, id="fed today"),
        pytest.param(8, [0, 0], 2, id="water"),
        pytest.param(10, [1], 0, id="the lid, by hand"),
        pytest.param(12, [0, 0], 2, id="oxygen"),
        pytest.param(20, [0] * 10, 0, id="a whole mailbox command"),
        pytest.param(20, [0] * 9, 2, id="a torn mailbox command"),
        pytest.param(21, [0] * 9, 2, id="a mailbox command that starts elsewhere"),
        pytest.param(30, [0] * 12, 2, id="the mailbox's answer"),
        pytest.param(42, [7], 0, id="watchdog"),
        pytest.param(42, [7, 1], 2, id="watchdog and alive"),
        pytest.param(44, [0], 2, id="beyond the block"),
    ],
)
def test_write_by_a_client_is_judged_as_a_whole(offset: int, words: list[int], code: int) -> None:
    """Settings within their range pass; anything else is refused with the standard's code."""
    assert block.refusal(offset, words) == code


def test_values_encoded_into_a_block_are_decoded_from_it() -> None:
    """Every row finds its own registers and no other's."""
    values = {
        "portion_g": 125,
        "interval_min": 45,
        "enabled": False,
        "hopper_kg": 24.88,
        "fed_today_g": 360,
        "water_c": 18.37,
        "lid_open": True,
        "service_mode": False,
        "oxygen_mg_l": 7.5,
        "fed_total_g": 100_000,
        "feeding": True,
    }
    words = [0] * block.SIZE
    for name, value in values.items():
        offset, fresh = block.encode(name, value)
        words[offset : offset + len(fresh)] = fresh
    assert block.decode(words) == values


def test_rows_do_not_overlap_and_fit_the_block() -> None:
    """Each register belongs to one value at most."""
    taken = [row.offset + word for row in block.ROWS for word in range(row.size)]
    assert len(set(taken)) == len(taken)
    assert max(taken) < block.SIZE


def test_table_names_every_register() -> None:
    """What a person reads at the start is whole."""
    assert all(row.name in block.table() for row in block.ROWS)
