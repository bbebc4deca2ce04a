"""The site's file."""

from pathlib import Path

import pytest

from gateway.protocol.errors import SettingsError
from site_agent.site_file import load

GOOD = """
site = "arava-1"
[broker]
password_file = "secrets/arava-1"
[[plcs]]
name = "plc-1"
host = "10.0.0.5"
[[devices]]
id = "feeder-1"
title = "Feeder 1"
plc = "plc-1"
[devices.properties.portion_g]
type = "uint16"
register = 0
writable = true
"""


def _load(folder: Path, text: str) -> None:
    path = folder / "site.toml"
    path.write_text(text, encoding="utf-8")
    load(path)


def _faults(folder: Path, text: str) -> str:
    with pytest.raises(SettingsError) as caught:
        _load(folder, text)
    return str(caught.value)


def test_load_good_file_takes_paths_relative_to_it(tmp_path: Path) -> None:
    """A site's folder can be moved as a whole."""
    path = tmp_path / "site.toml"
    path.write_text(GOOD, encoding="utf-8")
    assert load(path).broker.password_file == tmp_path / "secrets/arava-1"


def test_load_all_faults_are_reported_with_their_keys(tmp_path: Path) -> None:
    """A technician corrects a file in one go."""
    text = GOOD.replace("arava-1", "Arava 1", 1).replace('"uint16"', '"uint17"').replace("register", "regster")
    report = _faults(tmp_path, text)
    assert "/site" in report
    assert "/devices/0/properties/portion_g/type" in report
    assert "/devices/0/properties/portion_g/regster" in report


def test_load_unknown_plc_is_refused_and_names_the_known_ones(tmp_path: Path) -> None:
    """A device on a PLC that is not there would never answer."""
    assert "plc-1" in _faults(tmp_path, GOOD.replace('plc = "plc-1"', 'plc = "plc-2"'))


def test_load_overlapping_registers_are_refused(tmp_path: Path) -> None:
    """Two settings on one register would overwrite each other."""
    text = GOOD + '[devices.properties.other]\ntype = "float32"\nregister = 0\n'
    assert "overlap" in _faults(tmp_path, text)


def test_load_minimum_above_maximum_is_refused(tmp_path: Path) -> None:
    """Such a setting could never be written."""
    assert "minimum" in _faults(tmp_path, GOOD + "minimum = 5\nmaximum = 1\n")


@pytest.mark.parametrize("content", [b"\xff\xfe", b"site = "])
def test_load_unreadable_file_is_refused(tmp_path: Path, content: bytes) -> None:
    """Bytes that are no TOML give a clear error."""
    path = tmp_path / "site.toml"
    path.write_bytes(content)
    with pytest.raises(SettingsError):
        load(path)


def test_load_missing_file_is_refused(tmp_path: Path) -> None:
    """A wrong path gives a clear error."""
    with pytest.raises(SettingsError, match=r"nowhere\.toml"):
        load(tmp_path / "nowhere.toml")
