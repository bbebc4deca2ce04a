"""A site's file that says impossible things about registers: each fault with its key, all of them at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.protocol.errors import SettingsError
from site_agent.configuration import SiteConfiguration
from site_agent.registers import ByteOrder, WordOrder
from site_agent.site_file import load

HEAD = """\
site = "arava-1"

[broker]
password_file = "secret"

[[plcs]]
name = "plc-1"
host = "127.0.0.1"
{plc}
[[devices]]
id = "pump-1"
title = "Pump"
plc = "plc-1"
"""


def _load(folder: Path, properties: str, plc: str = "") -> SiteConfiguration:
    path = folder / "site.toml"
    path.write_text(HEAD.format(plc=plc) + properties, encoding="utf-8")
    return load(path)


def _property(text: str, name: str = "speed") -> str:
    return f"[devices.properties.{name}]\n" + text.replace("; ", "\n") + "\n"


@pytest.mark.parametrize(
    ("text", "key", "reason"),
    [
        ('type = "uint16"; table = "coil"; register = 1', "type", "holds a bit"),
        ('type = "uint16"; table = "input"; register = 1; writable = true', "writable", "nobody can write"),
        ('type = "bool"; bit = 3; register = 1; writable = true', "writable", "written whole"),
        ('type = "uint16"; bit = 3; register = 1', "bit", "only a bool"),
        ('type = "bool"; table = "discrete"; bit = 3; register = 1', "bit", "only a bool"),
        ('type = "string"; register = 1', "length", "says how many"),
        ('type = "uint16"; length = 2; register = 1', "length", "nothing else"),
        ('type = "string"; length = 4; register = 65533', "register", "beyond register 65535"),
        ('type = "uint64"; register = 65533', "register", "beyond register 65535"),
        ('type = "uint16"; scale = 0; register = 1', "scale", "the same"),
        ('type = "bool"; scale = 2; register = 1', "type", "cannot be scaled"),
        ('type = "float32"; scale = 0.1; register = 1; writable = true', "writable", "cannot be proved"),
        ('type = "float32"; decimals = 1; register = 1; writable = true', "writable", "cannot be proved"),
        ('type = "float32"; choices = {a = 1}; register = 1', "choices", "whole numbers"),
        ('type = "uint16"; choices = {a = 70000}; register = 1', "choices/a", "0 to 65535"),
        ('type = "uint16"; choices = {a = 1, b = 1}; register = 1', "choices/b", "'a' already"),
        ('type = "uint16"; scale = 0.01; decimals = 1; register = 1; writable = true', "writable", "cannot be proved"),
        ('type = "uint16"; minimum = -5; register = 1', "minimum", "beyond what the register"),
        ('type = "uint16"; maximum = 100000; register = 1', "maximum", "beyond what the register"),
        ('type = "uint16"; step = 0.5; register = 1', "step", "by which the register counts"),
        ('type = "uint64"; scale = 1000; register = 1', "scale", "beyond 64 bits"),
        ('type = "uint16"; scale = 1e300; register = 1', "scale", "less than or equal"),
        ('type = "uint16"; maximum = inf; register = 1', "maximum", "finite"),
        ('type = "uint16"; register = "1"', "register", "a whole number"),
        ('type = "uint16"; register = 1.0', "register", "a whole number"),
        ('type = "uint16"; register = true', "register", "a whole number"),
        ('type = "uint16"; write_function = 5; register = 1; writable = true', "write_function", "6 or 16"),
        (
            'type = "bool"; table = "coil"; write_function = 6; register = 1; writable = true',
            "write_function",
            "5 or 15",
        ),
        ('type = "uint32"; write_function = 6; register = 1; writable = true', "write_function", "one register"),
        ('type = "uint16"; write_function = 6; register = 1', "write_function", "only a setting"),
        ('type = "uint16"; verify = {register = 2}; register = 1', "verify", "only a setting"),
        (
            'type = "uint16"; verify = {table = "coil", register = 2}; register = 1; writable = true',
            "table",
            "the kind",
        ),
    ],
)
def test_load_impossible_property_is_refused_with_key_and_reason(
    tmp_path: Path, text: str, key: str, reason: str
) -> None:
    """Nothing that cannot be read, written or proved gets as far as a PLC."""
    with pytest.raises(SettingsError) as caught:
        _load(tmp_path, _property(text))
    report = str(caught.value)
    assert f"/devices/0/properties/speed/{'verify/' if key == 'table' else ''}{key}" in report
    assert reason in report


def test_load_many_impossible_properties_are_all_reported(tmp_path: Path) -> None:
    """A technician corrects a file in one go."""
    with pytest.raises(SettingsError) as caught:
        _load(
            tmp_path,
            _property('type = "string"; register = 1') + _property('type = "bool"; scale = 2; register = 2', "light"),
        )
    assert {"/devices/0/properties/speed/length", "/devices/0/properties/light/type"} <= {
        each.pointer for each in caught.value.faults
    }


def test_load_bits_of_one_register_do_not_overlap_and_one_bit_twice_does(tmp_path: Path) -> None:
    """Sixteen flags share a register; two owners of one flag are a mistake."""
    jam, empty = (_property(f'type = "bool"; register = 5; bit = {bit}', f"flag-{bit}") for bit in (0, 1))
    assert len(_load(tmp_path, jam + empty).devices[0].properties) == 2
    again = _property('type = "bool"; register = 5; bit = 1', "again")
    with pytest.raises(SettingsError, match="bit 1 of holding register 5 of plc-1 belongs to"):
        _load(tmp_path, jam + empty + again)
    whole = _property('type = "uint16"; register = 5', "whole")
    with pytest.raises(SettingsError, match="holding register 5 of plc-1 belongs to"):
        _load(tmp_path, jam + whole)


def test_load_same_address_in_two_tables_does_not_overlap(tmp_path: Path) -> None:
    """Coil 1 and register 1 have nothing in common."""
    coil = _property('type = "bool"; table = "coil"; register = 1', "light")
    loaded = _load(tmp_path, coil + _property('type = "uint16"; register = 1'))
    assert loaded.devices[0].properties.keys() == {"light", "speed"}


def test_load_orders_come_from_the_plc_unless_a_property_has_its_own(tmp_path: Path) -> None:
    """A vendor's habit is stated once."""
    text = _property('type = "uint32"; register = 1') + _property(
        'type = "uint32"; register = 3; word_order = "big"', "other"
    )
    device = _load(tmp_path, text, 'word_order = "little"\nbyte_order = "little"\n').devices[0]
    layouts = [each.layout for each in device.properties.values()]
    assert [(each.word_order, each.byte_order) for each in layouts] == [
        (WordOrder.LITTLE, ByteOrder.LITTLE),
        (WordOrder.BIG, ByteOrder.LITTLE),
    ]


@pytest.mark.parametrize(
    ("marker", "reason"),
    [
        ('{type = "string", register = 1, value = 5}', "number or a bool"),
        ('{type = "uint16", register = 1, value = 70000}', "no uint16"),
        ('{type = "uint16", table = "coil", register = 1, value = 7}', "holds a bit"),
    ],
)
def test_load_impossible_marker_is_refused(tmp_path: Path, marker: str, reason: str) -> None:
    """A marker that no PLC can hold would shut it out for ever."""
    with pytest.raises(SettingsError, match=reason):
        _load(tmp_path, _property('type = "uint16"; register = 1'), f"marker = {marker}\n")


def test_load_value_in_an_unreadable_range_is_refused(tmp_path: Path) -> None:
    """The PLC's own table says that it would be refused."""
    with pytest.raises(SettingsError, match="calls unreadable"):
        _load(tmp_path, _property('type = "uint16"; register = 10'), "unreadable = [[8, 12]]\n")


def test_load_value_longer_than_the_largest_read_is_refused(tmp_path: Path) -> None:
    """It would have to be read in two, and could be torn."""
    with pytest.raises(SettingsError, match="largest_read is 2"):
        _load(tmp_path, _property('type = "float64"; register = 10'), "largest_read = 2\n")


def test_load_setting_at_an_argument_s_register_is_refused_whatever_it_is_called(tmp_path: Path) -> None:
    """To write it would be half a command."""
    action = (
        '[devices.actions.run]\neffect = "once"\n[devices.actions.run.input.amount]\ntype = "uint16"\nregister = 5\n'
    )
    for name in ("amount", "other"):
        with pytest.raises(SettingsError, match="belongs to pump-1"):
            _load(tmp_path, _property('type = "uint16"; register = 5; writable = true', name) + action)


def test_load_two_plcs_at_one_address_are_refused(tmp_path: Path) -> None:
    """Each would have a lane, and neither would know of the other's writes."""
    twin = '[[plcs]]\nname = "plc-2"\nhost = "127.0.0.1"\n'
    with pytest.raises(SettingsError, match=r"both at 127\.0\.0\.1:502 unit 1"):
        _load(tmp_path, _property('type = "uint16"; register = 5'), twin)


def test_load_interlock_on_a_choice_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """It would never forbid anything."""
    mode = _property('type = "uint16"; register = 5; choices = {service = 1, auto = 2}', "mode")
    lock = '[[devices.interlocks]]\nname = "x"\nproperty = "mode"\ncomparison = "equals"\nvalue = "serivce"\n'
    with pytest.raises(SettingsError, match="Did you mean 'service'"):
        _load(tmp_path, mode + lock + 'commands = ["write"]\n')


def test_load_odd_files_are_refused_and_never_worse(tmp_path: Path) -> None:
    """Whatever somebody has saved under that name."""
    path = tmp_path / "site.toml"
    for text in ("a = " + "[" * 3000 + "]" * 3000, "a = " + "9" * 5000, "devices = 5", "devices = [5]"):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(SettingsError):
            load(path)
