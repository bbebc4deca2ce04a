"""A site's file that changes again and again while commands come and replies get lost: judged by the PLC's own log."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.protocol.lifecycle import FINAL, State
from tests import plc_faults as faults
from tests.agents import AgentProcess, Technician
from tests.conditions import eventually
from tests.mqtt_client import MqttClient
from tests.plc import FaultyPlc
from tests.running_broker import RunningBroker

SECOND_FEEDER = """
[[devices]]
id = "feeder-2"
plc = "plc-1"
[devices.properties.portion_g]
type = "uint16"
register = 100
"""


@pytest.fixture
def plc() -> Iterator[FaultyPlc]:
    """A PLC with one feeder, which takes a moment for a dose."""
    with FaultyPlc.running() as running:
        running.set(0, 50, 60, 1)
        running.add_feeder(0, dose_s=0.1)
        yield running


@pytest.fixture
def technician(broker: RunningBroker, site_id: str) -> Iterator[Technician]:
    """Ana."""
    with MqttClient(broker.add_person("@ana")) as client:
        yield Technician(client, site_id, "@ana")


@pytest.fixture
def agent(
    broker: RunningBroker, site_id: str, tmp_path: Path, plc: FaultyPlc, technician: Technician
) -> Iterator[AgentProcess]:
    """At work."""
    with AgentProcess(broker.add_site(site_id), tmp_path / "site", plc.port, heartbeat_s=0.3).running() as running:
        technician.online()
        eventually(lambda: any(state.quality == "good" for state in technician.states()), what="a good state")
        yield running


def _toggle(agent: AgentProcess, first: str, number: int) -> None:
    """Another file each time: with the second feeder, or without."""
    text = f"# {number}\n{first}{SECOND_FEEDER if number % 2 else ''}"
    (agent.folder / "site.toml").write_text(text)


def _taken_over(agent: AgentProcess) -> int:
    return agent.log().count("site-file-taken-over")


def _judge(technician: Technician, plc: FaultyPlc, doses: dict[str, int], writes: dict[str, int]) -> None:
    """Every command has one true end, and the PLC did each at most once."""
    ends = {id: technician.final(id, within_s=60) for id in (*doses, *writes)}
    assert {ack.state for ack in ends.values()} <= FINAL
    given = [dose.asked for dose in plc.doses]
    assert len(given) == len(set(given)), "a dose was given twice"
    for id, grams in doses.items():
        assert (ends[id].state is State.APPLIED) is (grams in given), (grams, ends[id])
    held = [write.words[0] for write in plc.writes if write.address == 0]
    assert len(held) == len(set(held)), "a setting was written twice"
    for id, grams in writes.items():
        assert ends[id].state is not State.APPLIED or grams in held, ends[id]
        assert ends[id].state not in {State.REJECTED, State.EXPIRED} or grams not in held, ends[id]


@pytest.mark.invariant("I1")
@pytest.mark.invariant("I7")
def test_commands_over_many_changes_and_lost_replies_end_truly(
    agent: AgentProcess, technician: Technician, plc: FaultyPlc
) -> None:
    """Each command has a number of its own grams, so the PLC's log tells which of them it was."""
    first = (agent.folder / "site.toml").read_text()
    doses, writes = dict[str, int](), dict[str, int]()
    for number in range(24):
        if number % 3 == 1:
            _toggle(agent, first, number)
        if number % 4 == 2:
            plc.misbehave(faults.LOST, on=faults.WRITES)
        doses[technician.feed(5 + 5 * number, ttl_s=30)] = 5 + 5 * number
        writes[technician.send({"portion_g": 1_000 + 5 * number}, ttl_s=30)] = 1_000 + 5 * number
        if number % 2:
            technician.final(list(doses)[-1], within_s=60)
    plc.behave()
    _judge(technician, plc, doses, writes)


@pytest.mark.invariant("I1")
@pytest.mark.invariant("I7")
def test_agent_killed_while_it_takes_a_file_over_ends_everything_truly(
    agent: AgentProcess, technician: Technician, plc: FaultyPlc
) -> None:
    """A dose is under way, others wait for the new file; the next run finds the file whole and the journal too."""
    first = (agent.folder / "site.toml").read_text()
    doses, writes = dict[str, int](), dict[str, int]()
    for number in range(6):
        epoch = technician.statuses()[-1].epoch
        _toggle(agent, first, number)
        for piece in range(4):
            grams = 5 + 5 * (4 * number + piece)
            doses[technician.feed(grams, ttl_s=30)] = grams
        writes[technician.send({"portion_g": 1_000 + 5 * number}, ttl_s=30)] = 1_000 + 5 * number
        # Between a second and two after the change it is taken over; the acks so far tell when that is near.
        eventually(lambda ids=list(doses)[-4:]: any(technician.acks(id) for id in ids), within_s=20, what="an ack")  # type: ignore[misc]  # ids
        agent.signal(signal.SIGKILL)
        assert agent.process is not None
        agent.process.wait(10)
        agent.start()
        technician.online(above=epoch, within_s=20)
    _judge(technician, plc, doses, writes)


@pytest.mark.invariant("I7")
def test_file_that_changes_while_the_plc_is_dead_is_taken_over(
    agent: AgentProcess, technician: Technician, plc: FaultyPlc
) -> None:
    """Nothing under way there can keep the file waiting, and a write of before is found out about."""
    first = (agent.folder / "site.toml").read_text()
    plc.misbehave(faults.LOST, on=faults.WRITES).misbehave(faults.DROP, on=faults.READS, times=None)
    id = technician.send({"portion_g": 75}, ttl_s=30)
    eventually(lambda: any(ack.state is State.UNKNOWN for ack in technician.acks(id)), within_s=20, what="unknown")
    for number in (1, 2, 3):
        _toggle(agent, first, number)
        before = _taken_over(agent)
        eventually(lambda before=before: _taken_over(agent) > before, within_s=20, what="a new file")  # type: ignore[misc]  # before
    plc.behave()
    assert technician.final(id, within_s=30).state is State.APPLIED
    assert technician.final(technician.feed(60), within_s=30).state is State.APPLIED


def _change(agent: AgentProcess, old: str, new: str) -> None:
    """One word of the file, and wait until it counts."""
    path, before = agent.folder / "site.toml", _taken_over(agent)
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    eventually(lambda: _taken_over(agent) > before, within_s=20, what="the changed file")


def _is_unknown(technician: Technician, id: str) -> bool:
    acks = technician.acks(id)
    return bool(acks) and acks[-1].state is State.UNKNOWN


@pytest.mark.invariant("I3")
@pytest.mark.invariant("I17")
def test_write_is_not_judged_by_another_register_than_it_was_sent_to(
    agent: AgentProcess, technician: Technician, plc: FaultyPlc
) -> None:
    """The PLC never did it, and the changed file leads to a register that holds just that value."""
    plc.set(60, 75)
    # All writes: the agent may greet the mailbox first, and that is not the write which is to get lost.
    plc.misbehave(faults.DROP, on=faults.WRITES, times=None).misbehave(faults.DROP, on=faults.READS, times=None)
    write = technician.send({"portion_g": 75})
    eventually(lambda: _is_unknown(technician, write), within_s=20, what="an unknown end")
    _change(agent, "register = 0\n", "register = 60\n")
    plc.behave()
    later = technician.send({"portion_g": 80})
    assert technician.final(later, within_s=30).state is State.APPLIED
    assert _is_unknown(technician, write)
    _change(agent, "register = 60\n", "register = 0\n")
    assert technician.final(write, within_s=30).state is State.FAILED


@pytest.mark.invariant("I1")
@pytest.mark.invariant("I3")
def test_dose_is_not_judged_by_another_mailbox_than_it_was_sent_to(
    agent: AgentProcess, technician: Technician, plc: FaultyPlc
) -> None:
    """The other one has never heard of it; to say that it was not given would make somebody feed again."""
    plc.add_feeder(0, dose_s=2)
    plc.add_feeder(200, dose_s=0.1)
    dose = technician.feed(50, ttl_s=3)
    eventually(lambda: plc.doses, what="the dose")
    plc.misbehave(faults.DROP, on=faults.ALL, times=None)
    eventually(lambda: _is_unknown(technician, dose), within_s=20, what="an unknown end")
    _change(agent, "register = 20,", "register = 220,")
    plc.behave()
    later = technician.send({"portion_g": 80})
    assert technician.final(later, within_s=30).state is State.APPLIED
    assert _is_unknown(technician, dose)
    _change(agent, "register = 220,", "register = 20,")
    assert technician.final(dose, within_s=30).state is State.APPLIED
    assert [each.asked for each in plc.doses] == [50]
