"""A device's registers, description and revision."""

from typing import Any

import pytest

from site_agent.configuration import DeviceTable
from site_agent.device import Device, WriteBlock
from site_agent.reading import Block
from site_agent.registers import Space
from tests.sites import site

FEEDER = Device("arava-1", site().devices[0])
VALUES = {"portion_g": 120, "interval_min": 30, "enabled": True, "target_c": 18.5, "hopper_kg": 40.0}


def _holding(words: dict[int, int]) -> dict[tuple[Space, int], int]:
    return {(Space.HOLDING, address): word for address, word in words.items()}


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
    assert FEEDER.decode(_holding({0: 120, 4: 1}), ["portion_g", "hopper_kg"]) == {"portion_g": 120, "hopper_kg": None}


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
    (words,) = (each.words for each in FEEDER.write_blocks({"target_c": 0.1}))
    read = FEEDER.decode(_holding(dict(enumerate(words, start=8))), ["target_c"])
    assert FEEDER.differing({"target_c": 0.1}, read) == ()


@pytest.mark.invariant("I3")
def test_differing_unread_value_counts_as_different() -> None:
    """A value that could not be decoded proves nothing."""
    assert FEEDER.differing({"portion_g": 120}, {"portion_g": None}) == ("portion_g",)


def test_write_blocks_of_coils_and_registers_are_apart() -> None:
    """Each space has its own requests, and a setting that insists on its function travels as it says."""
    device = _device(
        light={"type": "bool", "table": "coil", "register": 2, "writable": True},
        pump={"type": "bool", "table": "coil", "register": 3, "writable": True},
        speed={"type": "uint16", "register": 2, "writable": True, "write_function": 6},
        level={"type": "uint16", "register": 3, "writable": True, "write_function": 16},
    )
    assert device.write_blocks({"light": True, "pump": False, "speed": 7, "level": 8}) == (
        WriteBlock(2, (1, 0), ("light", "pump"), Space.COIL),
        WriteBlock(2, (7,), ("speed",), Space.HOLDING, 6),
        WriteBlock(3, (8,), ("level",), Space.HOLDING, 16),
    )


def test_verify_place_is_where_the_value_is_read() -> None:
    """A command register that clears itself is proved by another one."""
    verify = {"register": 40, "table": "input"}
    device = _device(speed={"type": "uint16", "register": 2, "writable": True, "verify": verify})
    assert device.read_blocks() == (Block(40, 1, Space.INPUT),)
    assert device.decode({(Space.INPUT, 40): 7, (Space.HOLDING, 2): 0}) == {"speed": 7}
    assert device.write_blocks({"speed": 7})[0].address == 2


def test_bits_of_one_register_are_read_at_once() -> None:
    """Sixteen flags cost one register."""
    device = _device(jam={"type": "bool", "register": 5, "bit": 0}, empty={"type": "bool", "register": 5, "bit": 15})
    assert device.read_blocks() == (Block(5, 1),)
    assert device.decode({(Space.HOLDING, 5): 0x8000}) == {"jam": False, "empty": True}


def _device(**properties: dict[str, Any]) -> Device:
    table = site().devices[0].model_dump(by_alias=True) | {"properties": properties}
    return Device("arava-1", DeviceTable.model_validate(table | {"mailbox": None, "actions": {}, "interlocks": []}))
