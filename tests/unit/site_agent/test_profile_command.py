"""`tidegate profile`: what people and programs see of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from gateway.protocol.errors import InvalidInput, SettingsError
from site_agent.profile_command import profile

GOOD = 'extends = "silo"\ntitle = "Big silo"\n[properties.net_kg]\nscale = 1\n'


def _run(*words: str) -> str:
    done = CliRunner().invoke(profile, words, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def _json(*words: str) -> Any:  # noqa: ANN401 # any JSON
    return json.loads(_run(*words, "--json"))


def test_list_names_shipped_and_own_profiles(tmp_path: Path) -> None:
    """In a table, and the same for machines."""
    (tmp_path / "big-silo.toml").write_text(GOOD)
    table = _run("list", "--folder", str(tmp_path))
    found = {each["name"]: each for each in _json("list", "--folder", str(tmp_path))}
    assert all(name in table for name in found)
    assert (found["big-silo"]["extends"], found["big-silo"]["title"]) == ("silo", "Big silo")
    assert found["fish-feeder-mailbox"]["actions"] == ["feed"]


def test_show_tells_registers_limits_and_interlocks() -> None:
    """All that a technician compares with the PLC's own list."""
    shown = _run("show", "fish-feeder-mailbox")
    assert "portion_g" in shown
    assert "mailbox at +20" in shown
    assert "interlock low-oxygen" in shown
    assert _json("show", "aerator")["properties"]["mode"]["choices"] == {"off": 0, "on": 1, "auto": 2}


def test_show_of_a_misspelt_profile_names_the_nearest() -> None:
    """No list to search through."""
    with pytest.raises(InvalidInput, match="Did you mean 'aerator'"):
        CliRunner().invoke(profile, ["show", "areator"], catch_exceptions=False)


def test_check_of_a_good_profile_says_so(tmp_path: Path) -> None:
    """With what was found in it."""
    path = tmp_path / "big-silo.toml"
    path.write_text(GOOD)
    assert _run("check", str(path)) == f"{path}: right; 6 values\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (GOOD + "maxmum = 3\n", "/properties/net_kg/maxmum: there is no such key. Did you mean 'maximum'?"),
        (GOOD + 'type = "float32"\nwritable = true\ntable = "holding"\nscale2 = 2\n', "scale2"),
        (GOOD + '[properties.other]\ntype = "uint16"\ntable = "input"\nregister = 1\n', "belongs to device.net_kg"),
        ("extends = 3\n", "no such profile"),
        ("title = \n", "not-toml"),
    ],
)
def test_check_tells_mistakes_with_key_and_reason(tmp_path: Path, text: str, expected: str) -> None:
    """Before any site uses it."""
    path = tmp_path / "big-silo.toml"
    path.write_text(text)
    with pytest.raises(SettingsError) as caught:
        CliRunner().invoke(profile, ["check", str(path)], catch_exceptions=False)
    assert expected in str(caught.value)


@pytest.mark.parametrize("kind", ["site", "profile"])
def test_schema_is_the_published_one(kind: str) -> None:
    """`docs/schema` is what editors fetch; renew it with `tidegate profile schema`."""
    assert _run("schema", kind) == Path(f"docs/schema/{kind}.json").read_text(encoding="utf-8")
