"""What is wrong with a site's file is told in the words of whoever writes it."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.protocol.errors import SettingsError
from site_agent.site_file import load

_HEAD = 'site = "arava-1"\n[broker]\npassword_file = "pw"\n'
_PLC = '[[plcs]]\nname = "lab"\nhost = "127.0.0.1"\n'
_DEVICE = '[[devices]]\nid = "one"\nplc = "lab"\nprofile = "fish-feeder-mailbox"\n'


def _told(folder: Path, text: str) -> list[str]:
    path = folder / "site.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        load(path)
    return str(caught.value).splitlines()[1:]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(_HEAD.replace("arava-1", "A 1") + _PLC + _DEVICE, "/site: must be 1 to 48 of a-z", id="pattern"),
        pytest.param(
            _HEAD + _PLC + _DEVICE + 'base = "x"\n', "/devices/0/base: must be a whole number or a table", id="either"
        ),
        pytest.param(
            _HEAD + _PLC + _DEVICE + '[devices.properties.portion_g]\nminimum = "x"\n',
            "/devices/0/properties/portion_g/minimum: must be a number",
            id="any number",
        ),
        pytest.param(
            _HEAD + _PLC.replace("127.0.0.1", "10.0.0.7:502") + _DEVICE,
            "/plcs/0/host: the port is a key of its own: host = '10.0.0.7', port = 502",
            id="port in the host",
        ),
        pytest.param(_HEAD + _PLC + "[[plcs]]\nhost = '::1'\n" + _DEVICE, "/plcs/1/name: is missing", id="missing"),
    ],
)
def test_fault_is_told_once_and_without_a_validator_s_words(tmp_path: Path, text: str, expected: str) -> None:
    """One line for one mistake, at the key that is there in the file, with what to write instead."""
    (line,) = _told(tmp_path, text)
    assert line.strip().startswith(expected)


def test_fault_names_its_device_and_its_plc(tmp_path: Path) -> None:
    """TOML's tables have no numbers that anybody could see."""
    told = _told(tmp_path, _HEAD + _PLC + "unit = true\n" + _DEVICE + "base = true\n")
    assert [line.rpartition(" (")[2].partition(")")[0] for line in told] == ["PLC 'lab'", "device 'one'"]


def test_file_that_cannot_be_read_is_told_without_a_place(tmp_path: Path) -> None:
    """There is no key to name."""
    with pytest.raises(SettingsError, match=r"\n  \[Errno 2\].*\[unreadable\]"):
        load(tmp_path / "nowhere.toml")
