"""Profiles: the shipped ones fit, one takes over from another, and a device says only what differs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gateway.protocol.errors import SettingsError
from site_agent.configuration import DeviceTable, SiteConfiguration
from site_agent.device import Device
from site_agent.profile import merged, read_profiles, shifted
from site_agent.site_file import load
from tests.documentation import fences

SHIPPED = read_profiles()
HEAD = 'site = "arava-1"\n[broker]\npassword_file = "secret"\n[[plcs]]\nname = "plc-1"\nhost = "127.0.0.1"\n'


def _load(folder: Path, *devices: str) -> SiteConfiguration:
    path = folder / "site.toml"
    path.write_text(HEAD + "".join(f"[[devices]]\n{each}\n" for each in devices), encoding="utf-8")
    return load(path)


def _device(rest: str, id: str = "one", profile: str = "fish-feeder-mailbox") -> str:
    return f'id = "{id}"\nplc = "plc-1"\nprofile = "{profile}"\n{rest}'


def test_shipped_profiles_are_all_there_and_without_fault() -> None:
    """What the product promises to know."""
    names = {"fish-feeder", "fish-feeder-mailbox", "fish-feeder-schedule", "oxygen-probe", "aerator", "silo"}
    assert SHIPPED.by_name.keys() == names
    assert SHIPPED.faults == []


@pytest.mark.parametrize("profile", SHIPPED.by_name)
def test_shipped_profile_makes_a_device(tmp_path: Path, profile: str) -> None:
    """With nothing but a place."""
    (device,) = _load(tmp_path, _device("base = 100", profile=profile)).devices
    assert device.properties
    assert device.title == SHIPPED.by_name[profile].title
    assert min(each.register_ for each in device.properties.values()) >= 100


@pytest.mark.parametrize("profile", ["fish-feeder", "fish-feeder-mailbox", "fish-feeder-schedule"])
def test_shipped_feeder_is_read_with_a_fifth_of_the_requests(tmp_path: Path, profile: str) -> None:
    """Blocks are planned: one request where each property would have its own."""
    (table,) = _load(tmp_path, _device("base = 100", profile=profile)).devices
    assert 5 * len(Device("arava-1", table).read_blocks()) <= len(table.properties)


def test_device_at_a_base_has_all_its_registers_from_there(tmp_path: Path) -> None:
    """Properties and mailbox alike."""
    (device,) = _load(tmp_path, _device("base = 100")).devices
    assert device.properties["portion_g"].register_ == 100
    assert device.mailbox is not None
    assert device.mailbox.register_ == 120


def test_base_may_differ_between_tables(tmp_path: Path) -> None:
    """Coils and registers are numbered apart."""
    rest = "base = {holding = 100, input = 200, discrete = 8}"
    (device,) = _load(tmp_path, _device(rest, profile="aerator")).devices
    places = {name: each.register_ for name, each in device.properties.items()}
    assert (places["mode"], places["current_a"], places["running"]) == (100, 200, 8)


def test_device_overrides_key_by_key(tmp_path: Path) -> None:
    """A smaller portion, another threshold, and the rest as the profile says."""
    rest = (
        'title = "By the pier"\n[devices.properties.portion_g]\nmaximum = 500\n'
        '[[devices.interlocks]]\nname = "low-oxygen"\nvalue = 5.5\n[devices.actions.feed.limits]\nlargest = 200\n'
    )
    (device,) = _load(tmp_path, _device(rest)).devices
    portion = device.properties["portion_g"]
    assert (device.title, portion.maximum, portion.unit) == ("By the pier", 500, "g")
    assert {each.name: each.value for each in device.interlocks}["low-oxygen"] == 5.5
    assert len(device.interlocks) == 3
    limits = device.actions["feed"].limits
    assert (limits.largest, limits.most_per_day) == (200, 3000)


def test_device_leaves_out_what_it_does_not_have(tmp_path: Path) -> None:
    """A feeder without a probe has neither the reading nor what depends on it."""
    (device,) = _load(tmp_path, _device('without = ["water_c", "oxygen_mg_l", "low-oxygen"]')).devices
    assert not {"water_c", "oxygen_mg_l"} & device.properties.keys()
    assert [each.name for each in device.interlocks] == ["lid-open", "service-mode"]


def test_device_that_leaves_out_an_alarm_keeps_the_interlock_of_that_name(tmp_path: Path) -> None:
    """Whoever is tired of an alarm does not mean to feed into an open lid."""
    (device,) = _load(tmp_path, _device('without = ["alarms/lid-open", "meals"]')).devices
    assert "lid-open" not in device.alarms
    assert "lid-open" in [each.name for each in device.interlocks]
    assert device.meals is None
    (device,) = _load(tmp_path, _device('without = ["interlocks/lid-open"]')).devices
    assert "lid-open" in device.alarms
    assert "lid-open" not in [each.name for each in device.interlocks]


def test_two_devices_of_one_profile_do_not_overlap_at_their_bases(tmp_path: Path) -> None:
    """And do where the bases are too near."""
    assert len(_load(tmp_path, _device("base = 0"), _device("base = 100", "two")).devices) == 2
    with pytest.raises(SettingsError, match="belongs to one"):
        _load(tmp_path, _device("base = 0"), _device("base = 10", "two"))


@pytest.mark.parametrize(
    ("device", "expected"),
    [
        (_device("", profile="fish-feder"), "/devices/0/profile: no such profile. Did you mean 'fish-feeder'?"),
        (_device("bas = 3"), "/devices/0/bas: there is no such key. Did you mean 'base'?"),
        (
            _device('without = ["watr_c"]'),
            "/devices/0/without/0: the device has no 'watr_c' anyway. Did you mean 'water_c'?",
        ),
        (
            _device('without = ["lid-open"]'),
            "/devices/0/without/0: 'lid-open' is the name of several things; say 'alarms/lid-open' or 'interlocks/lid-",
        ),
        (
            _device("[devices.properties.portion_g]\nmaxmum = 3"),
            "/devices/0/properties/portion_g/maxmum: there is no such key. Did you mean 'maximum'?",
        ),
        (
            _device("[devices.mailbox]\nregster = 3"),
            "/devices/0/mailbox/regster: there is no such key. Did you mean 'regis",
        ),
        ('id = "one"\nplc = "plc-1"', "/devices/0/properties: a device has properties of its own or a profile's"),
        (_device("").replace("plc-1", "plc-l"), "/devices/0/plc: there is no PLC 'plc-l'. Did you mean 'plc-1'?"),
    ],
)
def test_load_mistake_is_told_with_the_nearest_name(tmp_path: Path, device: str, expected: str) -> None:
    """File, key, reason, and what was probably meant."""
    with pytest.raises(SettingsError) as caught:
        _load(tmp_path, device)
    assert expected in str(caught.value)


@pytest.mark.parametrize("base", ['"1000"', "1000.0", "true", '{holding = "1000"}', "-5", "70000"])
def test_base_that_is_no_register_is_refused(tmp_path: Path, base: str) -> None:
    """A device at the wrong place would feed somebody else's fish."""
    with pytest.raises(SettingsError, match="/devices/0"):
        _load(tmp_path, _device(f"base = {base}"))


@pytest.mark.parametrize("without", ['"water_c"', "5", "{a = 1}", '[["a"]]', "[5]"])
def test_without_that_is_no_list_of_names_is_refused(tmp_path: Path, without: str) -> None:
    """What somebody wanted to leave out must not stay."""
    with pytest.raises(SettingsError, match="/devices/0/without"):
        _load(tmp_path, _device(f"without = {without}"))


def test_choice_called_register_is_no_register() -> None:
    """Names of choices are the writer's own."""
    assert shifted({"register": 1, "choices": {"register": 3}}, 100) == {"register": 101, "choices": {"register": 3}}


def test_profile_file_that_nobody_can_read_is_told(tmp_path: Path) -> None:
    """Other bytes than UTF-8, and a folder that looks like a file."""
    (tmp_path / "profiles" / "folder.toml").mkdir(parents=True)
    (tmp_path / "profiles" / "latin.toml").write_bytes(b'title = "\xfc"')
    with pytest.raises(SettingsError) as caught:
        _load(tmp_path, _device(""))
    assert {"latin.toml", "folder.toml"} <= {Path(each.pointer).name for each in caught.value.faults}


# --- a technician's own ------------------------------------------------------------------------------------

OWN = """\
extends = "oxygen-probe"
title = "Two-channel probe"

[properties.ph]
type = "float32"
table = "input"
register = 8
"""


def test_profile_of_the_site_s_folder_extends_a_shipped_one(tmp_path: Path) -> None:
    """By one level, with what it adds."""
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles" / "probe-2.toml").write_text(OWN)
    (device,) = _load(tmp_path, _device("", profile="probe-2")).devices
    assert {"ph", "oxygen_mg_l"} <= device.properties.keys()


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("silo", 'title = "Mine"', "silo.toml has this name already"),
        ("mine", "title = ", "mine.toml"),
        ("mine", 'extends = "fish-feeder-mailbox"', "fish-feeder-mailbox extends another one itself"),
        ("mine", 'extends = "sillo"', "mine.toml#/extends: no such profile. Did you mean 'silo'?"),
        ("mine", 'titel = "x"', "mine.toml#/titel: a profile has no such key. Did you mean 'title'?"),
    ],
)
def test_profile_that_cannot_be_is_told_with_its_file(tmp_path: Path, name: str, text: str, expected: str) -> None:
    """Even if no device uses it yet."""
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles" / f"{name}.toml").write_text(text)
    with pytest.raises(SettingsError) as caught:
        _load(tmp_path, _device(""))
    assert expected in str(caught.value)


def test_profiles_page_shows_files_that_load(tmp_path: Path) -> None:
    """Its devices on one PLC, and its profile in the folder for those."""
    page = Path("docs/profiles.md")
    devices = [each.text for each in fences(page, "toml", "device")]
    (own,) = (each.text for each in fences(page, "toml", "profile"))
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles" / "my-probe.toml").write_text(own, encoding="utf-8")
    path = tmp_path / "site.toml"
    probe = '[[devices]]\nid = "probe"\nplc = "plc-1"\nprofile = "my-probe"\n'
    path.write_text(HEAD + "".join([*devices, probe]), encoding="utf-8")
    assert [each.id for each in load(path).devices] == ["feeder-2", "feeder-3", "probe"]


def test_profiles_page_lists_the_shipped_ones() -> None:
    """Each by its name."""
    page = Path("docs/profiles.md").read_text(encoding="utf-8")
    assert all(f"| `{name}` |" in page for name in SHIPPED.by_name)


def test_merged_leaves_both_as_they_were() -> None:
    """Ten devices share one profile."""
    below: dict[str, Any] = {"a": {"b": 1, "c": 2}, "interlocks": [{"name": "x", "value": 1}]}
    above: dict[str, Any] = {"a": {"b": 3}, "interlocks": [{"name": "x", "value": 2}, {"name": "y"}]}
    assert merged(below, above) == {
        "a": {"b": 3, "c": 2},
        "interlocks": [{"name": "x", "value": 2}, {"name": "y"}],
    }
    assert below == {"a": {"b": 1, "c": 2}, "interlocks": [{"name": "x", "value": 1}]}


def test_shifted_counts_a_verify_place_in_its_own_table() -> None:
    """A coil that is proved by an input register."""
    table = {"table": "coil", "register": 1, "verify": {"table": "input", "register": 2}}
    assert shifted(table, {"coil": 10, "input": 20}) == {
        "table": "coil",
        "register": 11,
        "verify": {"table": "input", "register": 22},
    }


def test_device_without_a_profile_is_as_before() -> None:
    """Nothing is added to what a file says itself."""
    raw = {"id": "one", "plc": "plc-1", "properties": {"a": {"type": "bool", "register": 3}}}
    filled, faults = SHIPPED.device(raw, "/devices/0")
    assert faults == ()
    assert DeviceTable.model_validate(filled).properties["a"].register_ == 3


def test_mistakes_of_every_kind_are_told_at_once(tmp_path: Path) -> None:
    """A wrong type in one place hides nothing elsewhere, and what only follows from another is not told."""
    path = tmp_path / "site.toml"
    head = HEAD.replace('host = "127.0.0.1"', 'host = "127.0.0.1"\nport = "5020"')
    alarm = "[devices.alarms.too-warm]\nproperty = 'watr_c'\nvalue = 28.0\ncomparison = 'above'"
    devices = [
        _device(alarm).replace("plc-1", "plc-l"),
        _device("[devices.alarms.hoper-low]\nvalue = 5.0", "two"),
        _device("", "three", profile="fish-feder"),
    ]
    path.write_text(head + "".join(f"[[devices]]\n{each}\n" for each in devices), encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        load(path)
    text = str(caught.value)
    for expected in (
        "/plcs/0/port",
        "/devices/0/plc: there is no PLC 'plc-l'. Did you mean 'plc-1'?",
        "/devices/0/alarms/too-warm",
        "/devices/1/alarms/hoper-low/property: is missing, and must be there. Did you mean 'hopper-low'?",
        "/devices/2/profile: no such profile. Did you mean 'fish-feeder'?",
    ):
        assert expected in text
    assert "at least 1 item" not in text
    assert "/devices/2/properties" not in text
