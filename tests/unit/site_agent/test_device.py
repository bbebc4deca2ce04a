"""A device's registers, description and revision."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from site_agent.device import READ_REGISTERS, Block, Device, WriteBlock, plan_reads
from tests.sites import site

FEEDER = Device("arava-1", site().devices[0])
VALUES = {"portion_g": 120, "interval_min": 30, "enabled": True, "target_c": 18.5, "hopper_kg": 40.0}


def test_description_gives_limits_of_the_register_where_none_are_set() -> None:
    """A uint16 without limits of its own still has those of its register."""
    schema = FEEDER.description.properties["interval_min"]
    assert (schema.minimum, schema.maximum) == (1, 65_535)


def test_description_readings_are_read_only() -> None:
    """What is not writable is a reading."""
    assert FEEDER.settings == {"portion_g", "interval_min", "enabled", "target_c"}


def test_write_blocks_neighbours_travel_together() -> None:
    """Settings side by side change in one request, others in their own."""
    blocks = FEEDER.write_blocks({"enabled": True, "portion_g": 120, "interval_min": 30, "target_c": 1.0})
    assert blocks[0] == WriteBlock(0, (120, 30, 1), ("portion_g", "interval_min", "enabled"))
    assert blocks[1].address == 8


def test_decode_missing_registers_give_none() -> None:
    """A value is never made up from half of its registers."""
    assert FEEDER.decode({0: 120, 4: 1}, ["portion_g", "hopper_kg"]) == {"portion_g": 120, "hopper_kg": None}


def test_revision_changes_with_a_setting_and_only_then() -> None:
    """Readings do not count."""
    before = FEEDER.revision(VALUES)
    assert FEEDER.revision({**VALUES, "hopper_kg": 1.0}) == before
    assert FEEDER.revision({**VALUES, "portion_g": 125}) != before


def test_revision_unread_setting_gives_none() -> None:
    """What is not known has no revision."""
    assert FEEDER.revision({**VALUES, "portion_g": None}) is None


def test_differing_float_is_compared_as_the_register_holds_it() -> None:
    """0.1 is not a float32; what the PLC can hold of it is equal enough."""
    read = FEEDER.decode(dict(enumerate(FEEDER.write_blocks({"target_c": 0.1})[0].words, start=8)), ["target_c"])
    assert FEEDER.differing({"target_c": 0.1}, read) == ()


@pytest.mark.invariant("I3")
def test_differing_unread_value_counts_as_different() -> None:
    """A value that could not be decoded proves nothing."""
    assert FEEDER.differing({"portion_g": 120}, {"portion_g": None}) == ("portion_g",)


@given(st.lists(st.tuples(st.integers(0, 65_000), st.integers(1, 2)), max_size=40))
def test_plan_reads_covers_everything_in_allowed_sizes(spans: list[tuple[int, int]]) -> None:
    """Every register is read, in requests that a PLC accepts, none twice."""
    blocks = plan_reads(spans)
    read = [register for block in blocks for register in range(block.address, block.address + block.count)]
    assert {register for address, count in spans for register in range(address, address + count)} <= set(read)
    assert len(read) == len(set(read))
    assert all(block.count <= READ_REGISTERS for block in blocks)


def test_plan_reads_small_gaps_are_bridged() -> None:
    """One request is cheaper than two."""
    assert plan_reads([(0, 1), (8, 2)]) == (Block(0, 10),)
