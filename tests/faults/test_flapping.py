"""A link that comes and goes all the time, under settings and doses."""

from __future__ import annotations

import time
from concurrent.futures import Future
from typing import Final

import pytest

from gateway.protocol.messages import SiteState
from tests.auditor import Auditor
from tests.conditions import eventually
from tests.http_client import Answer
from tests.system import System

TIMES: Final = 12


@pytest.mark.fault("F7")
@pytest.mark.invariant("I1")
@pytest.mark.invariant("I3")
@pytest.mark.invariant("I11")
def test_flapping_link_gives_no_wrong_answer_and_nothing_twice(system: System, auditor: Auditor) -> None:
    """Whatever 200 says is true by the PLC's log; epochs rise; the last status stands."""
    before, asked = len(system.doses()), dict[str, tuple[int, Future[Answer]]]()
    for number in range(TIMES):
        grams, dose = system.fresh(), 100 + 5 * number
        asked[f"setting {grams}"] = grams, system.write_aside({"portion_g": grams}, ttl_s=3, wait_s=4)
        asked[f"dose {dose}"] = dose, system.feed_aside(dose, ttl_s=3, wait_s=4)
        said = len(auditor.statuses())
        system.agent_wire.cut(refuse=True)
        down_s = time.monotonic() + 0.4
        eventually(lambda: time.monotonic() > down_s, what="a moment without a link")  # noqa: B023 # now
        system.agent_wire.release()
        # Sometimes before it is back, sometimes after.
        if number % 2:
            eventually(lambda: _back(auditor, said), within_s=20, what="the agent back")  # noqa: B023 # now
    system.heal()
    answers = {what: (grams, future.result()) for what, (grams, future) in asked.items()}
    doses = [dose.asked for dose in system.doses()[before:]]
    for what, (grams, answer) in answers.items():
        times = doses.count(grams) if what.startswith("dose") else system.written(grams)
        if "id" in answer.body or "command" in answer.body:
            end = system.ended(answer.command, within_s=30)["state"]
            assert times == (1 if end == "applied" else 0), (what, end)
            assert answer.status != 200 or end == "applied"
        else:
            assert (answer.status, times) == (503, 0), what
    epochs = [each.epoch for each in auditor.statuses() if each.state is SiteState.ONLINE]
    assert epochs == sorted(epochs)
    eventually(lambda: auditor.statuses()[-1].state is SiteState.ONLINE, what="online, for good")
    assert auditor.statuses()[-1].epoch == max(epochs)


def _back(auditor: Auditor, said: int) -> bool:
    return any(each.state is SiteState.ONLINE for each in auditor.statuses()[said:])
