"""Doses through a real agent, a real broker and Modbus TCP, judged by what the PLC's feeder really gave."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.protocol.codes import AckCode, Evidence
from gateway.protocol.lifecycle import State
from gateway.protocol.messages import Ack, Deed
from tests import plc_faults as faults
from tests.agents import AgentProcess, Technician, fresh_id
from tests.conditions import eventually
from tests.plc import FaultyPlc
from tests.plc_feeder import LID_OPEN, Feeder
from tests.running_broker import RunningBroker

pytestmark = pytest.mark.usefixtures("agent")


@pytest.fixture
def feeder(plc: FaultyPlc) -> Feeder:
    """The feeder behind the mailbox; a dose takes no time unless a test says otherwise."""
    return plc.add_feeder(0)


@pytest.fixture
def agent(
    broker: RunningBroker, site_id: str, tmp_path: Path, plc: FaultyPlc, feeder: Feeder, technician: Technician
) -> Iterator[AgentProcess]:
    """The agent of a site with a mailbox; its file allows five doses of 100 g a day."""
    assert feeder.base == 0
    limits = {"largest": 300, "most_per_day": 500}
    process = AgentProcess(broker.add_site(site_id), tmp_path / "site", plc.port, feed={"limits": limits})
    with process.running() as running:
        _ready(technician)
        yield running


def _ready(technician: Technician, above: int = 0) -> int:
    epoch = technician.online(above=above).epoch
    eventually(lambda: any(state.quality == "good" for state in technician.states()), what="a good state")
    return epoch


def _grams(plc: FaultyPlc) -> list[int | None]:
    return [dose.counted for dose in plc.doses]


def _fed(technician: Technician, grams: int) -> Ack:
    return technician.final(technician.feed(grams))


@pytest.mark.invariant("I3")
def test_feed_is_applied_with_grams_asked_and_counted(technician: Technician, plc: FaultyPlc) -> None:
    """The mailbox's own answer is the evidence, and the counter tells how much fell."""
    ack = _fed(technician, 120)
    assert (ack.state, ack.evidence) == (State.APPLIED, Evidence.MAILBOX)
    wanted = {"grams_asked": 120, "grams_counted": 120, "counter_before_g": 0, "counter_after_g": 120}
    assert ack.result == wanted
    assert [mark.deed for mark in ack.trail] == [Deed.ACCEPTED, Deed.WRITTEN, Deed.VERIFIED]
    assert _grams(plc) == [120]


@pytest.mark.fault("F37")
@pytest.mark.invariant("I1")
def test_feed_with_the_same_id_twice_feeds_once(technician: Technician, plc: FaultyPlc) -> None:
    """The second one is answered from the journal."""
    command = fresh_id()
    technician.final(technician.feed(100, id=command))
    technician.feed(100, id=command)
    eventually(lambda: any(ack.duplicate for ack in technician.acks(command)), what="the repeated ack")
    assert _grams(plc) == [100]


@pytest.mark.invariant("I1")
@pytest.mark.invariant("I3")
@pytest.mark.parametrize(
    "fault",
    [faults.LOST, faults.DROP, faults.RESET_AFTER, faults.RESET_BEFORE, faults.ANOTHER_COUNT, faults.TRANSACTION_0],
    ids=lambda fault: fault.kind,
)
def test_feed_whatever_happens_to_the_reply_feeds_once(
    technician: Technician, plc: FaultyPlc, fault: faults.Fault
) -> None:
    """The write is repeated until the mailbox answers for it; only the first one acts."""
    _fed(technician, 5)
    plc.misbehave(fault, on=faults.WRITES, times=1)
    assert _fed(technician, 100).state is State.APPLIED
    assert _grams(plc) == [5, 100]


@pytest.mark.invariant("I1")
def test_feed_short_is_partial_with_both_amounts(technician: Technician, feeder: Feeder) -> None:
    """An empty hopper is said, not hidden."""
    feeder.short_g = 30
    ack = _fed(technician, 100)
    assert (ack.state, ack.code) == (State.PARTIAL, AckCode.DOSE_SHORT)
    assert (ack.result["grams_asked"], ack.result["grams_counted"]) == (100, 70)


def test_feed_that_takes_its_time_is_accepted_first(technician: Technician, feeder: Feeder) -> None:
    """Whoever waits sees that it has begun, and the end when the auger stops."""
    feeder.dose_s = 1.0
    command = technician.feed(100)
    assert technician.final(command).state is State.APPLIED
    assert [ack.state for ack in technician.acks(command)] == [State.ACCEPTED, State.APPLIED]


def test_feed_while_a_dose_runs_waits_for_its_end(technician: Technician, plc: FaultyPlc, feeder: Feeder) -> None:
    """Two commands are two doses, one after the other."""
    feeder.dose_s = 0.5
    commands = [technician.feed(grams) for grams in (50, 60)]
    assert [technician.final(each).state for each in commands] == [State.APPLIED] * 2
    assert _grams(plc) == [50, 60]


def test_write_while_a_dose_runs_does_not_wait(technician: Technician, plc: FaultyPlc, feeder: Feeder) -> None:
    """A setting goes in while the auger turns."""
    feeder.dose_s = 30.0
    feeding = technician.feed(50)
    eventually(lambda: plc.doses, what="the dose's begin")
    assert technician.final(technician.send({"portion_g": 75})).state is State.APPLIED
    assert not any(ack.final for ack in technician.acks(feeding))


@pytest.mark.invariant("I2")
def test_feed_not_taken_by_the_deadline_never_is(technician: Technician, plc: FaultyPlc) -> None:
    """All writes are lost on the way until the time is over; then the command is made void in the PLC."""
    _fed(technician, 5)
    plc.misbehave(faults.DROP, on={faults.WRITE_MANY}, times=None)  # not the watchdog word
    command = _feed_and_wait_for_its_deadline(technician)
    plc.behave()
    ack = technician.final(command, within_s=20)
    assert (ack.state, ack.code, ack.evidence) == (State.FAILED, AckCode.NOT_WRITTEN, Evidence.MAILBOX)
    assert _grams(plc) == [5]


def _feed_and_wait_for_its_deadline(technician: Technician) -> str:
    command, asked_s = technician.feed(100, ttl_s=2.0), time.monotonic()
    eventually(lambda: time.monotonic() > asked_s + 2.2, what="the deadline")
    return command


@pytest.mark.fault("F16")
@pytest.mark.invariant("I2")
def test_feed_that_arrives_late_at_the_plc_does_nothing(technician: Technician, plc: FaultyPlc) -> None:
    """A gateway in front of the PLC passes the write on after the agent has given it up and said so."""
    _fed(technician, 5)
    plc.misbehave(faults.late(4.0), on={faults.WRITE_MANY}, times=None)
    command = _feed_and_wait_for_its_deadline(technician)
    plc.behave()
    assert technician.final(command, within_s=20).state is State.FAILED
    assert _fed(technician, 60).state is State.APPLIED
    sent = sum(each.function_code == faults.WRITE_MANY for each in plc.requests)
    eventually(lambda: _mailbox_writes(plc) == sent, within_s=10, what="the late writes")
    assert _grams(plc) == [5, 60]


def _mailbox_writes(plc: FaultyPlc) -> int:
    return sum(each.function_code == faults.WRITE_MANY for each in plc.writes)


@pytest.mark.parametrize(("grams", "limit"), [(305, "largest"), (300, "most_per_day")])
def test_feed_beyond_a_limit_of_the_site_is_refused_by_name(
    technician: Technician, plc: FaultyPlc, grams: int, limit: str
) -> None:
    """Whoever asks: the site's own file decides."""
    _fed(technician, 250)
    ack = _fed(technician, grams)
    assert (ack.state, ack.code) == (State.REJECTED, AckCode.LIMIT_EXCEEDED)
    assert ack.result["limit"] == limit
    assert _grams(plc) == [250]


def test_feed_most_per_day_survives_a_restart(agent: AgentProcess, technician: Technician, plc: FaultyPlc) -> None:
    """The journal remembers what was given."""
    epoch = _fed(technician, 300).epoch
    agent.kill()
    agent.start()
    _ready(technician, above=epoch)
    ack = _fed(technician, 250)
    assert (ack.code, ack.result["live"]) == (AckCode.LIMIT_EXCEEDED, 300)
    assert _grams(plc) == [300]


def test_feed_under_an_interlock_is_refused_with_its_live_value(technician: Technician, plc: FaultyPlc) -> None:
    """The lid is read just before, not believed from the last poll."""
    plc.set(LID_OPEN, 1)
    ack = _fed(technician, 100)
    assert (ack.state, ack.code) == (State.REJECTED, AckCode.INTERLOCKED)
    assert ack.result == {"interlock": "lid-open", "live": True}
    assert plc.doses == []


@pytest.mark.invariant("I12")
def test_feed_under_a_lower_fence_than_the_plc_knows_is_refused(technician: Technician, plc: FaultyPlc) -> None:
    """A later agent has been at this PLC; this one is of the past."""
    _fed(technician, 5)
    plc.set(20 + 20, 0xFFFF, 0xFFFF)
    ack = _fed(technician, 100)
    assert (ack.state, ack.code) == (State.REJECTED, AckCode.FENCED)
    assert _grams(plc) == [5]


def test_cancel_of_a_waiting_feed_keeps_it_from_beginning(
    technician: Technician, plc: FaultyPlc, feeder: Feeder
) -> None:
    """It waits behind another dose; the answer comes at once."""
    feeder.dose_s = 1.5
    first, second = technician.feed(50), technician.feed(60)
    eventually(lambda: plc.doses, what="the first dose's begin")
    technician.cancel(second)
    ack = technician.final(second)
    assert (ack.state, ack.code) == (State.REJECTED, AckCode.CANCELLED)
    assert technician.final(first).state is State.APPLIED
    assert _fed(technician, 70).state is State.APPLIED
    assert _grams(plc) == [50, 70]


def test_cancel_of_a_running_feed_changes_nothing(technician: Technician, plc: FaultyPlc, feeder: Feeder) -> None:
    """What is in the water cannot be called back."""
    feeder.dose_s = 1.0
    command = technician.feed(50)
    eventually(lambda: plc.doses, what="the dose's begin")
    technician.cancel(command)
    assert technician.final(command).state is State.APPLIED


@pytest.mark.invariant("I1")
def test_cancel_that_overtakes_its_command_keeps_it_from_beginning(technician: Technician, plc: FaultyPlc) -> None:
    """Whichever comes first is in the journal."""
    command = fresh_id()
    technician.cancel(command)
    assert technician.final(command).code == AckCode.CANCELLED
    technician.feed(50, id=command)
    eventually(lambda: any(ack.duplicate for ack in technician.acks(command)), what="the repeated ack")
    assert plc.doses == []


@pytest.mark.fault("F20")
@pytest.mark.invariant("I1")
@pytest.mark.invariant("I7")
@pytest.mark.parametrize(
    ("step", "state", "grams"),
    [
        ("agent-received", None, []),
        ("agent-journaled", State.FAILED, []),
        ("agent-before-write", State.FAILED, []),
        ("agent-after-write", State.APPLIED, [100]),
        ("agent-verified", State.APPLIED, [100]),
        ("agent-concluded", State.APPLIED, [100]),
        ("agent-acked", State.APPLIED, [100]),
    ],
)
def test_feed_agent_dies_at_any_step_and_the_truth_is_told(
    agent: AgentProcess, technician: Technician, plc: FaultyPlc, step: str, state: State | None, grams: list[int]
) -> None:
    """After the restart the journal and the mailbox tell what became of it; it is never done again."""
    epoch = _fed(technician, 5).epoch
    agent.stop()
    agent.crash_at = f"{step}:1"
    agent.start()
    epoch = _ready(technician, above=epoch)
    command = technician.feed(100)
    eventually(lambda: agent.process is not None and agent.process.poll() is not None, what="the crash")
    agent.crash_at = ""
    agent.start()
    _ready(technician, above=epoch)
    if state is not None:
        assert technician.final(command).state is state
    assert _fed(technician, 10).state is State.APPLIED
    assert _grams(plc) == [5, *grams, 10]


@pytest.mark.invariant("I16")
def test_feed_longer_than_the_watchdog_goes_on_while_the_agent_lives(
    technician: Technician, plc: FaultyPlc, feeder: Feeder
) -> None:
    """The agent counts the watchdog's word on while the auger turns."""
    feeder.dose_s, feeder.watchdog_s = 3.0, 1.5
    assert technician.final(technician.feed(100)).state is State.APPLIED
    assert _grams(plc) == [100]


@pytest.mark.invariant("I16")
def test_feed_stops_when_the_agent_is_gone_for_good(
    agent: AgentProcess, technician: Technician, plc: FaultyPlc, feeder: Feeder
) -> None:
    """The PLC's watchdog ends the dose, and the counter tells how much had fallen."""
    feeder.dose_s, feeder.watchdog_s = 30.0, 1.0
    technician.feed(100)
    eventually(lambda: plc.doses, what="the dose's begin")
    agent.signal(signal.SIGKILL)
    eventually(lambda: _stopped(plc), within_s=10, what="the auger to stop")
    assert plc.doses[0].counted is not None
    assert plc.doses[0].counted < 100


def _stopped(plc: FaultyPlc) -> bool:
    for feeder in plc.feeders.values():
        feeder.scan()
    return plc.doses[0].counted is not None
