"""Which readings are worth a message: what matters, soon; the rest, now and then."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as some

from gateway.protocol.messages import Value
from site_agent.property_tables import PropertyTable
from site_agent.reporting import Reporting


def _reporting(refresh_s: float = 60.0, **reading: float) -> Reporting:
    tables: dict[str, dict[str, Any]] = {
        "portion_g": {"type": "uint16", "register": 0, "writable": True},
        "water_c": {"type": "float32", "register": 2, **reading},
        "lid_open": {"type": "bool", "register": 4},
    }
    properties = {name: PropertyTable.model_validate(each) for name, each in tables.items()}
    return Reporting(properties, refresh_s=refresh_s)


def _values(portion_g: int = 50, water_c: float | None = 20.0, *, lid_open: bool = False) -> dict[str, Value | None]:
    return {"portion_g": portion_g, "water_c": water_c, "lid_open": lid_open}


def _told(reporting: Reporting, at_s: float = 0.0) -> Reporting:
    reporting.tell(_values(), at_s)
    return reporting


def test_first_values_are_told() -> None:
    """Whoever asks for the first time gets an answer."""
    assert _reporting().due(_values(), 0.0)


def test_nothing_new_is_not_told() -> None:
    """A quiet pond is quiet on the wire."""
    assert not _told(_reporting()).due(_values(), 1.0)


def test_everything_is_told_again_now_and_then() -> None:
    """So that its age says something."""
    reporting = _told(_reporting(refresh_s=30))
    assert not reporting.due(_values(), 29.9)
    assert reporting.due(_values(), 30.0)


def test_reading_within_its_dead_band_is_not_told_and_beyond_it_is() -> None:
    """The band lies around what was told last, so a slow drift is told too."""
    reporting = _told(_reporting(dead_band=0.5))
    assert not reporting.due(_values(water_c=20.5), 1.0)
    assert reporting.due(_values(water_c=20.51), 1.0)


def test_reading_that_cannot_be_read_any_more_is_told_whatever_its_band() -> None:
    """No value is news, and so is the first one after it."""
    reporting = _told(_reporting(dead_band=100))
    assert reporting.due(_values(water_c=None), 1.0)
    reporting.tell(_values(water_c=None), 1.0)
    assert reporting.due(_values(), 2.0)


def test_reading_changes_again_only_after_its_least_interval() -> None:
    """What was held back is told then."""
    reporting = _told(_reporting(least_interval_s=10))
    assert not reporting.due(_values(water_c=25.0), 9.9)
    assert reporting.due(_values(water_c=25.0), 10.0)


def test_setting_that_changes_is_told_at_once() -> None:
    """However calm the readings are to be."""
    assert _told(_reporting(dead_band=100, least_interval_s=3600)).due(_values(portion_g=51), 0.1)


def test_bool_is_no_number_within_a_band() -> None:
    """An open lid is not half a lid."""
    assert _told(_reporting()).due(_values(lid_open=True), 0.1)


@given(some.lists(some.floats(-50, 50), min_size=1, max_size=60), some.floats(0, 5))
def test_what_is_told_is_never_further_from_the_truth_than_the_band(readings: list[float], band: float) -> None:
    """Whatever the water does."""
    reporting, told = _reporting(refresh_s=1e9, dead_band=band), 0.0
    for now_s, reading in enumerate(readings):
        if reporting.due(_values(water_c=reading), float(now_s)):
            reporting.tell(_values(water_c=reading), float(now_s))
            told = reading
        assert abs(told - reading) <= band
