"""Which PLCs a changed file replaces, and what it cannot change."""

from __future__ import annotations

from typing import Any

import pytest

from site_agent.change import changed_plcs, restart_faults
from site_agent.configuration import SiteConfiguration

PROPERTIES = {"portion_g": {"type": "uint16", "register": 0}}


def _site(*devices: tuple[str, str], poll_s: float = 1.0, **more: Any) -> SiteConfiguration:  # noqa: ANN401 # parts of a file
    plcs = [{"name": name, "host": "127.0.0.1", "poll_s": poll_s} for name in ("one", "two", "three")]
    tables = [{"id": id, "plc": plc, "properties": PROPERTIES} for id, plc in devices]
    whole = {"site": "arava-1", "broker": {"password_file": "p"}, "plcs": plcs, "devices": tables, **more}
    return SiteConfiguration.model_validate(whole)


USUAL = (("a", "one"), ("b", "two"), ("c", "three"))


def test_same_file_changes_nothing() -> None:
    """Whatever was only written differently."""
    assert changed_plcs(_site(*USUAL), _site(*USUAL)) == ()


def test_device_that_is_new_replaces_its_plc_alone() -> None:
    """The other lanes go on."""
    assert changed_plcs(_site(*USUAL), _site(*USUAL, ("d", "two"))) == (frozenset({"two"}),)


def test_plcs_are_replaced_one_after_another() -> None:
    """Each is a group of its own."""
    assert changed_plcs(_site(*USUAL), _site(*USUAL, poll_s=2.0)) == tuple(
        frozenset({name}) for name in ("one", "three", "two")
    )


def test_device_that_moves_joins_both_of_its_plcs() -> None:
    """It must not be on two lanes at a time."""
    assert changed_plcs(_site(*USUAL), _site(("a", "two"), ("b", "two"), ("c", "three"))) == (
        frozenset({"one", "two"}),
    )


def test_time_zone_concerns_all() -> None:
    """Meals are planned in it."""
    assert len(changed_plcs(_site(*USUAL), _site(*USUAL, time_zone="Asia/Jerusalem"))) == 3


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"site": "arava-2"}, "/site"),
        ({"broker": {"password_file": "p", "port": 1}}, "/broker/port"),
        ({"agent": {"heartbeat_s": 1}}, "/agent/heartbeat_s"),
    ],
)
def test_what_the_agent_is_built_on_needs_a_restart(change: dict[str, Any], pointer: str) -> None:
    """It is said, with the key."""
    assert [fault.pointer for fault in restart_faults(_site(*USUAL), _site(*USUAL, **change))] == [pointer]
    assert restart_faults(_site(*USUAL), _site(*USUAL, poll_s=2.0)) == ()
