"""Actions, mailbox and interlocks in the site's file."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.protocol.errors import SettingsError
from site_agent.site_file import load
from tests.unit.site_agent.test_configuration import GOOD

_FEED = """
[devices.mailbox]
register = 20
[devices.properties.lid_open]
type = "bool"
register = 10
[[devices.interlocks]]
name = "lid-open"
property = "lid_open"
comparison = "equals"
value = true
commands = ["feed"]
[devices.actions.feed]
op = 1
argument = "grams"
[devices.actions.feed.input.grams]
type = "uint16"
slot = 1
[devices.actions.feed.limits]
largest = 300
"""


def _faults(folder: Path, text: str) -> str:
    path = folder / "site.toml"
    path.write_text(GOOD + text, encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        load(path)
    return str(caught.value)


def test_load_action_with_mailbox_and_interlock_is_taken(tmp_path: Path) -> None:
    """The usual feeder."""
    path = tmp_path / "site.toml"
    path.write_text(GOOD + _FEED, encoding="utf-8")
    device = load(path).devices[0]
    assert device.mailbox is not None
    assert device.actions["feed"].input["grams"].slot == 1
    assert device.interlocks[0].refuses("feed")


@pytest.mark.parametrize(
    ("right", "wrong", "key"),
    [
        ("[devices.mailbox]\nregister = 20\n", "", "/devices/0/actions/feed/effect"),
        ("op = 1\n", "", "/devices/0/actions/feed/op"),
        ("slot = 1", "register = 60", "/devices/0/actions/feed/input/grams"),
        ('"uint16"', '"float32"', "/devices/0/actions/feed/input/grams/type"),
        ('argument = "grams"\n', "", "/devices/0/actions/feed/limits"),
        ("grams", "g" * 56, "/devices/0/actions/feed/argument"),
        ('argument = "grams"', 'argument = "kilos"', "/devices/0/actions/feed/argument"),
        ("op = 1", 'op = 1\ncounter = "nothing"', "/devices/0/actions/feed/counter"),
        ("op = 1", "op = 1\ntrigger = {register = 70}", "/devices/0/actions/feed/trigger"),
        ("op = 1", 'op = 1\neffect = "once"', "/devices/0/actions/feed/op"),
        ("actions.feed", "actions.cancel", "/devices/0/actions/cancel"),
        ('property = "lid_open"', 'property = "door"', "/devices/0/interlocks/0"),
        ("value = true", "value = 3", "/devices/0/interlocks/0"),
        ('commands = ["feed"]', 'commands = ["fly"]', "/devices/0/interlocks/0"),
        ("register = 20", "register = 5", "belongs to"),
    ],
)
def test_load_contradiction_is_refused_with_its_key(tmp_path: Path, right: str, wrong: str, key: str) -> None:
    """Whoever wrote the file sees where it contradicts itself."""
    assert right in _FEED
    assert key in _faults(tmp_path, _FEED.replace(right, wrong))
