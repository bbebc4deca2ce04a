from __future__ import annotations

from dataclasses import replace

import pytest

from site_agent.simulator.auger import SOUND
from site_agent.simulator.farm import LAYOUT
from site_agent.simulator.scenario import BY_NAME, CALM, SCENARIOS, Scenario, scenario_list
from site_agent.simulator.schedule import DAY_S

JAM = replace(BY_NAME["jam-at-noon"], rounds=())
NOON = 12 * 3600.0
STARTED = [each for each in SCENARIOS if each.start]


def happened(scenario: Scenario, after_s: float, until_s: float) -> list[float]:
    """When something did."""
    return [at_s for at_s, _ in scenario.between(after_s, until_s)]


def test_calm_farm_is_exact_and_nothing_happens_on_it() -> None:
    """The tests judge by it."""
    assert (CALM.auger, CALM.climate, CALM.drift_g, CALM.happens) == (SOUND, None, 0, ())


def test_misfortune_comes_once_at_its_second() -> None:
    """Not before, and not again when the clock is looked at again."""
    at_s = NOON + 20
    assert happened(JAM, NOON, at_s - 1) == []
    assert happened(JAM, NOON, at_s) == [at_s]
    assert happened(JAM, at_s, at_s + 60) == []


def test_misfortunes_of_a_long_step_come_in_order() -> None:
    """Over midnight too."""
    assert happened(JAM, NOON, NOON + 3600) == [NOON + 20, NOON + 45 * 60]
    assert happened(JAM, NOON + 1800, DAY_S + NOON + 600) == [NOON + 45 * 60, DAY_S + NOON + 20]


def test_misfortunes_of_many_days_come_for_the_last_one() -> None:
    """A farm that slept does not live through them all."""
    assert len(happened(JAM, 0.0, 100.5 * DAY_S)) == 2


@pytest.mark.parametrize("scenario", [each for each in SCENARIOS if each.lively], ids=lambda scenario: scenario.name)
def test_every_hopper_of_a_lively_farm_is_filled_each_morning(scenario: Scenario) -> None:
    """Or a farm at a high speed ends with all hoppers empty, and teaches nothing more."""
    night_s, morning_s = 5 * 3600.0, 7 * 3600.0
    happening = scenario.between(DAY_S + night_s, DAY_S + morning_s)
    filled = [each.feeder for _, each in happening if "hopper_kg" in each.panel]
    assert sorted(filled) == sorted(feeder for plc in LAYOUT.values() for feeder in plc)


def test_misfortune_changes_what_it_says_and_leaves_the_rest() -> None:
    """A jam trips no motor."""
    jam, cleared = JAM.happens
    assert jam.upon(SOUND).jammed
    assert not jam.upon(SOUND).tripped
    assert cleared.upon(jam.upon(SOUND)) == SOUND


@pytest.mark.parametrize("scenario", STARTED, ids=lambda scenario: scenario.name)
def test_scenario_begins_shortly_before_its_first_misfortune(scenario: Scenario) -> None:
    """Nobody waits for noon."""
    hours, minutes = map(int, str(scenario.start).split(":"))
    began_s = 3600 * hours + 60 * minutes
    assert all(each.second > began_s for each in scenario.happens)
    assert min((each.second for each in scenario.happens), default=began_s) - began_s <= 180


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_scenario_befalls_feeders_that_are_there(scenario: Scenario) -> None:
    """Each names a feeder of the farm."""
    feeders = {name for plc in LAYOUT.values() for name in plc}
    assert {each.feeder for each in scenario.happens} <= feeders


def test_list_of_scenarios_names_and_teaches_each() -> None:
    """One line for each."""
    lines = scenario_list().splitlines()
    assert [line.split()[0] for line in lines] == list(BY_NAME)
    assert all(each.teaches in line for each, line in zip(SCENARIOS, lines, strict=True))


def test_long_step_of_a_lively_farm_is_cut_into_short_ones() -> None:
    """Which end where it ends, and are not too many."""
    steps = list(JAM.steps(NOON, NOON + 3600))
    assert len(steps) == 6
    assert steps[-1] == NOON + 3600
    assert list(CALM.steps(NOON, NOON + 3600)) == [NOON + 3600]
    assert list(JAM.steps(NOON, NOON - 10)) == [NOON - 10]
    assert len(list(JAM.steps(0.0, 1000.0 * DAY_S))) == 500
