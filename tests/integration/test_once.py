"""Actions of PLCs without a mailbox, at the narrow places: the counter, the trigger, and the deadline between them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gateway.protocol.codes import AckCode
from gateway.protocol.lifecycle import State
from site_agent.configuration import SiteConfiguration
from tests import plc_faults as faults
from tests.agent_core import running, until
from tests.plc import FaultyPlc
from tests.plc_feeder import TOTAL
from tests.sites import site

#: Of the action.
ARGUMENT, TRIGGER = 50, 52


@pytest.fixture
def farm(plc: FaultyPlc, tmp_path: Path) -> SiteConfiguration:
    """The site's file, before its mailbox is taken out."""
    return site(folder=tmp_path / "agent", plc_port=plc.port)


def _without_mailbox(farm: SiteConfiguration, **feed: object) -> SiteConfiguration:
    body = farm.model_dump(by_alias=True)
    (device,) = body["devices"]
    action: dict[str, Any] = {
        "effect": "once",
        "argument": "grams",
        "counter": "fed_total_g",
        "input": {"grams": {"type": "uint16", "register": ARGUMENT}},
        "trigger": {"register": TRIGGER},
        **feed,
    }
    device |= {"mailbox": None, "actions": {"feed": action}}
    return SiteConfiguration.model_validate(body)


def _written(plc: FaultyPlc, register: int) -> int:
    return sum(each.address == register for each in plc.writes)


@pytest.mark.invariant("I3")
async def test_action_whose_counter_falls_is_not_called_applied(plc: FaultyPlc, farm: SiteConfiguration) -> None:
    """The PLC has lost its memory: the counter proves nothing."""
    plc.set(TOTAL, 0, 5000)
    async with running(_without_mailbox(farm, longest_s=1.0)) as core:
        command = core.feed(100)
        await until(lambda: _written(plc, TRIGGER))
        plc.set(TOTAL, 0, 0)
        ack = await until(lambda: next((ack for ack in core.said(command) if ack.state is not State.ACCEPTED), None))
    assert (ack.state, ack.code) == (State.UNKNOWN, AckCode.NO_CONFIRMATION)
    assert "grams_counted" not in ack.result


@pytest.mark.invariant("I3")
@pytest.mark.invariant("I10")
async def test_actions_that_share_a_counter_are_counted_one_after_the_other(
    plc: FaultyPlc, farm: SiteConfiguration
) -> None:
    """What falls for the first is no evidence for the second."""
    async with running(_without_mailbox(farm)) as core:
        first, second = core.feed(100), core.feed(50)
        await until(lambda: _written(plc, TRIGGER))
        plc.set(TOTAL, 0, 60)
        reads = len(plc.requests)
        await until(lambda: len(plc.requests) > reads + 3)
        plc.set(TOTAL, 0, 100)
        assert (await core.final(first)).result["grams_counted"] == 100
        await until(lambda: _written(plc, TRIGGER) == 2)
        plc.set(TOTAL, 0, 150)
        assert (await core.final(second)).result["grams_counted"] == 50


@pytest.mark.invariant("I2")
async def test_action_whose_time_ends_between_argument_and_trigger_does_not_begin(
    plc: FaultyPlc, farm: SiteConfiguration
) -> None:
    """The trigger is what begins it, so the deadline is looked at before that too."""
    async with running(_without_mailbox(farm)) as core:
        plc.misbehave(faults.delay(0.35), on=faults.WRITES)
        ack = await core.final(core.feed(100, ttl_s=0.25))
    assert ack.state in (State.FAILED, State.EXPIRED)
    assert _written(plc, TRIGGER) == 0
