"""What a PLC held before a write is the evidence that it was not done; it must outlive the agent (I3, I7)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.protocol.codes import AckCode
from gateway.protocol.lifecycle import State
from tests import plc_faults as faults
from tests.agents import AgentProcess, Technician
from tests.conditions import eventually
from tests.plc import FaultyPlc, Write
from tests.running_broker import RunningBroker


@pytest.fixture
def agent(
    broker: RunningBroker, site_id: str, tmp_path: Path, plc: FaultyPlc, technician: Technician
) -> Iterator[AgentProcess]:
    """It has never read its PLC when the first command comes, and dies directly before or after it writes."""
    plc.misbehave(faults.DROP, on=faults.READS, times=1)
    process = AgentProcess(
        broker.add_site(site_id), tmp_path / "site", plc.port, feed=None, edits={"poll_s = 0.2": "poll_s = 3600"}
    )
    with process.running() as running:
        technician.online()
        eventually(lambda: len(plc.requests) == 1, what="the one poll, which is not answered")
        yield running


def _dies_at(agent: AgentProcess, technician: Technician, plc: FaultyPlc, step: str) -> str:
    epoch = technician.statuses()[-1].epoch
    agent.kill()
    agent.crash_at = f"{step}:1"
    plc.misbehave(faults.DROP, on=faults.READS, times=1)
    asked = len(plc.requests)
    agent.start()
    epoch = technician.online(above=epoch).epoch
    eventually(lambda: len(plc.requests) > asked, what="the one poll, which is not answered")
    command = technician.send({"portion_g": 145})
    eventually(lambda: agent.process is not None and agent.process.poll() is not None, what="the crash")
    agent.crash_at = ""
    agent.start()
    technician.online(above=epoch)
    return command


@pytest.mark.fault("F19")
@pytest.mark.invariant("I7")
@pytest.mark.parametrize("step", ["agent-journaled", "agent-before-write"])
def test_first_command_of_a_blind_agent_that_dies_before_writing_ends_failed(
    agent: AgentProcess, technician: Technician, plc: FaultyPlc, step: str
) -> None:
    """The former value is noted before the write; where none is noted, nothing was written."""
    command = _dies_at(agent, technician, plc, step)
    ack = technician.final(command, within_s=15)
    assert (ack.state, ack.code) == (State.FAILED, AckCode.NOT_WRITTEN)
    assert plc.writes == []


@pytest.mark.fault("F20")
@pytest.mark.invariant("I3")
def test_first_command_of_a_blind_agent_that_dies_after_writing_ends_applied(
    agent: AgentProcess, technician: Technician, plc: FaultyPlc
) -> None:
    """Found by reading, and not written again."""
    command = _dies_at(agent, technician, plc, "agent-after-write")
    assert technician.final(command, within_s=15).state is State.APPLIED
    assert plc.writes == [Write(6, 0, (145,))]
