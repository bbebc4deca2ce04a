"""What was last asked of settings, from the ledger's real table."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Engine

from gateway.database import open_engine, upgrade
from gateway.ledger import Ledger
from gateway.protocol.lifecycle import State
from http_facade.desired import LOOK_BACK, Desires
from tests.entries import NOON, answer, asked, new_id

SITE, DEVICE = "arava-1", "feeder-1"
SETTINGS = frozenset({"portion_g", "enabled", "level"})


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """An empty ledger."""
    made = open_engine(database_url)
    upgrade(made)
    yield made
    made.dispose()


@pytest.fixture
def ledger(engine: Engine) -> Ledger:
    """The ledger's writing side."""
    return Ledger(engine)


@pytest.fixture
def desires(engine: Engine) -> Desires:
    """The subject."""
    return Desires(engine)


def test_newest_wish_per_setting_counts(ledger: Ledger, desires: Desires) -> None:
    """Each setting has a wish of its own, whichever command it came with."""
    first, second = sorted((new_id(), new_id()))
    old = asked(id=first, input={"portion_g": 100, "enabled": True})
    new = asked(id=second, input={"portion_g": 120})
    ledger.record([old, new])
    ledger.settle([answer(old, result={"portion_g": 100, "enabled": True})])
    wishes = desires.of_device(SITE, DEVICE, SETTINGS)
    assert {name: (wish.value, wish.state, wish.command) for name, wish in wishes.items()} == {
        "portion_g": (120, State.PENDING, new.id),
        "enabled": (True, State.APPLIED, old.id),
    }


def test_newest_wish_is_the_one_recorded_last_whatever_its_id(engine: Engine, desires: Desires) -> None:
    """A technician's id may sort before that of an older command."""
    first, second = sorted((new_id(), new_id()), reverse=True)
    for minute, (id, grams) in enumerate(((first, 100), (second, 120))):
        at = NOON + timedelta(minutes=minute)
        ledger = Ledger(engine, now=lambda at=at: at)  # type: ignore[misc] # mypy sees no type of a default
        ledger.record([asked(id=id, input={"portion_g": grams})])
    assert desires.of_device(SITE, DEVICE, SETTINGS)["portion_g"].value == 120
    assert desires.of_site(SITE, {DEVICE: SETTINGS})[DEVICE]["portion_g"].command == second


@pytest.mark.parametrize("state", [State.REJECTED, State.FAILED, State.EXPIRED])
def test_command_without_effect_wishes_nothing(ledger: Ledger, desires: Desires, state: State) -> None:
    """The wish before it stands."""
    ids = sorted((new_id(), new_id()))
    first, second = asked(id=ids[0], input={"portion_g": 100}), asked(id=ids[1], input={"portion_g": 120})
    ledger.record([first, second])
    ledger.settle([answer(first), answer(second, state, code="plc-lost", result={})])
    assert desires.of_device(SITE, DEVICE, SETTINGS)["portion_g"].value == 100


def test_wish_is_met_by_its_own_read_back(ledger: Ledger, desires: Desires) -> None:
    """A float32 register cannot hold 0.1; what the PLC was read to hold after the write is the same wish."""
    command = asked(input={"level": 0.1})
    ledger.record([command])
    ledger.settle([answer(command, result={"level": 0.10000000149011612})])
    wish = desires.of_device(SITE, DEVICE, SETTINGS)["level"]
    assert wish.met_by(0.10000000149011612)
    assert not wish.met_by(0.2)


def test_wishes_of_a_site_are_kept_apart_by_device(ledger: Ledger, desires: Desires) -> None:
    """And other sites' are not among them."""
    ledger.record([asked(device="feeder-2", input={"portion_g": 5}), asked(input={"portion_g": 10})])
    ledger.record([asked(site="arava-2", input={"portion_g": 15})])
    wishes = desires.of_site(SITE, dict.fromkeys(("feeder-1", "feeder-2"), SETTINGS))
    assert {device: each["portion_g"].value for device, each in wishes.items()} == {"feeder-1": 10, "feeder-2": 5}


def test_what_is_no_setting_any_more_is_not_wished_for(ledger: Ledger, desires: Desires) -> None:
    """A device may lose a setting; what was once asked of it is of no interest."""
    ledger.record([asked(input={"gone": 1})])
    assert desires.of_device(SITE, DEVICE, SETTINGS) == {}


def test_wish_long_ago_is_found_behind_newer_ones(ledger: Ledger, desires: Desires) -> None:
    """A setting that is rarely written keeps its wish."""
    ids = sorted(new_id() for _ in range(LOOK_BACK))
    ledger.record([asked(id=ids[0], input={"enabled": True})])
    ledger.record([asked(id=each, input={"portion_g": 5}) for each in ids[1:]])
    assert desires.of_device(SITE, DEVICE, SETTINGS)["enabled"].command == ids[0]


def test_wish_with_any_character_is_read_whole(ledger: Ledger, desires: Desires) -> None:
    """Text values may hold tabs and newlines; JSON writes them otherwise."""
    label = 'a\tb\nc\\"\u2028\x85é'
    ledger.record([asked(input={"level": label})])
    assert desires.of_device(SITE, DEVICE, SETTINGS)["level"].value == label
